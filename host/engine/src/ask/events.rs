//! `events`: what came to a hook, or a tick, becomes facts.

use ramal_capability::{Denial, Export, HookId, Invocation, Listed, Place, Rule};
use wasmtime::Store;
use wasmtime::component::Instance;

use super::journal::ref_bytes;
use super::{Answer, Ask, Exports, length, length_some, present, record_ref, sealed};
use crate::bindings::exports::ramal::crm::events;
use crate::record::{CrmFact, DialRequest, News};
use crate::state::CallState;

/// The most facts of one answer.
const MOST_FACTS: usize = 1000;
/// The most characters of a cursor.
const LONGEST_CURSOR: usize = 500;

/// What the plugin should make facts of.
#[derive(Debug, Clone)]
pub enum HandleEvent {
    /// The CRM sent something to a hook.
    Hook {
        /// Which one.
        hook: HookId,
        /// What it took of the request.
        came: Listed,
    },
    /// It is time to ask what has changed.
    Tick {
        /// What the tick before gave.
        cursor: Option<String>,
    },
}

impl sealed::Sealed for HandleEvent {}
impl Ask for HandleEvent {
    const EXPORT: Export = Export::EventsHandle;
    type Out = News;
    type Args = events::Occasion;
    type Raw = events::News;

    fn hand_in(self, invocation: &mut Invocation) -> Result<Self::Args, Denial> {
        Ok(match self {
            Self::Hook { hook, came } => {
                let (headers, body) = invocation.hear(hook.as_str(), &came)?;
                events::Occasion::Hook(events::Hook { name: hook.as_str().to_owned(), headers, body })
            }
            Self::Tick { cursor } => events::Occasion::Tick(events::Tick { cursor }),
        })
    }
    async fn invoke(
        occasion: Self::Args,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.events.as_ref())?.load(&mut *store, instance)?;
        guest.call_handle(store, &occasion).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<News, Denial> {
        if raw.facts.len() > MOST_FACTS {
            let granted = format!("{MOST_FACTS} facts, and `more` for what is left");
            return Err(Denial::new(Rule::Quota, "more facts in one answer", granted));
        }
        let next = raw.next.map(|next| invocation.plain("next", &next, LONGEST_CURSOR).map(str::to_owned));
        Ok(News {
            facts: raw.facts.into_iter().map(|raw| fact(raw, invocation)).collect::<Result<_, _>>()?,
            next: next.transpose()?,
            more: raw.more,
        })
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        length_some(raw.next.as_ref()) + raw.facts.iter().map(fact_bytes).sum::<u64>()
    }
}

fn fact(raw: events::Fact, invocation: &Invocation) -> Result<CrmFact, Denial> {
    let id = |id: String| invocation.plain("id", &id, 100).map(str::to_owned);
    Ok(match raw {
        events::Fact::ContactChanged(contact) => CrmFact::ContactChanged(id(contact)?),
        events::Fact::ContactDeleted(contact) => CrmFact::ContactDeleted(id(contact)?),
        events::Fact::RecordDeleted(record) => CrmFact::RecordDeleted(record_ref(invocation, record)?),
        events::Fact::Dial(dial) => CrmFact::Dial(DialRequest {
            agent: invocation.show(Place::DialAgent, &dial.agent)?,
            number: invocation.show_sealed(Place::DialNumber, &dial.number)?,
            about: dial.about.map(|record| record_ref(invocation, record)).transpose()?,
        }),
        events::Fact::Other((code, record)) => CrmFact::Other {
            code: invocation.plain("code", &code, 60)?.to_owned(),
            record: record_ref(invocation, record)?,
        },
    })
}

fn fact_bytes(fact: &events::Fact) -> u64 {
    64 + match fact {
        events::Fact::ContactChanged(id) | events::Fact::ContactDeleted(id) => length(id),
        events::Fact::RecordDeleted(record) => ref_bytes(record),
        events::Fact::Dial(dial) => {
            length(&dial.agent) + length(&dial.number) + dial.about.as_ref().map_or(0, ref_bytes)
        }
        events::Fact::Other((code, record)) => length(code) + ref_bytes(record),
    }
}
