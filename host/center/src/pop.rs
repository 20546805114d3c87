//! The screen pop: every connected CRM is asked at the same moment, and each answer is told when it comes.

use std::sync::Arc;
use std::time::Duration;

use ramal_store::{
    Fault, Finding, FindingKind, Interaction, InteractionId, InteractionWrite, NewLive, PluginId, Recorded,
    StoreError, TenantId,
};
use tokio::time::Instant;
use tracing::Instrument;

use crate::center::{ATTEMPTS, Inner};
use crate::lookup::{self, Candidate, Heard};
use crate::running::Ticket;
use crate::view::{self, Failure, Told};
use crate::{Ambiguity, Card, Directory, Found, LookUp};

/// Tries of writing an answer that was already paid for.
const WRITES: u32 = 3;

/// Asks one directory in a task of its own.
pub(crate) fn spawn(inner: &Arc<Inner>, directory: Arc<dyn Directory>, ask: LookUp, ticket: Ticket) {
    let inner = inner.clone();
    tokio::spawn(
        async move {
            let (tenant, interaction, deadline) = (ask.tenant.clone(), ask.interaction, ask.deadline);
            let plugin = directory.plugin().clone();
            let begun = Instant::now();
            let answer = inner.look_ups.ask(&directory, ask, deadline).await;
            let took = begun.elapsed();
            tell(&inner, &tenant, interaction, &plugin, answer.map_err(Failure::LookUp), took).await;
            drop(ticket);
        }
        .in_current_span(),
    );
}

/// An agent came to a call: the contact whose owner that is may be chosen now.
pub(crate) fn agent_came(inner: &Arc<Inner>, call: &Interaction, ticket: Ticket) {
    if inner.look_up_rules(&call.tenant).ambiguous != Ambiguity::Owner {
        return;
    }
    let (inner, tenant, interaction) = (inner.clone(), call.tenant.clone(), call.id);
    tokio::spawn(
        async move {
            link_by_owner(&inner, &tenant, interaction).await;
            drop(ticket);
        }
        .in_current_span(),
    );
}

async fn link_by_owner(inner: &Arc<Inner>, tenant: &TenantId, interaction: InteractionId) {
    if let Err(error) = lookup::by_owner(inner, tenant, interaction).await {
        tracing::error!(%tenant, %interaction, error = %chain(&error), "a contact was not linked by its owner");
    }
}

/// Stores the answer with its live event and rings the bell.
pub(crate) async fn tell(
    inner: &Arc<Inner>,
    tenant: &TenantId,
    interaction: InteractionId,
    plugin: &PluginId,
    answer: Result<Heard, Failure>,
    took: Duration,
) {
    let (told, found, cached) = match answer {
        Ok(Heard { found, cached }) => {
            let told = view::found(interaction, plugin, &found, cached.then_some(took));
            (told, Some(found), cached)
        }
        Err(failure) => {
            if let Failure::LookUp(failure) = &failure {
                tracing::warn!(%tenant, %interaction, %plugin, %failure, "no card");
            }
            (view::failed(interaction, plugin, &failure, took), None, false)
        }
    };
    let Told { kind, body, outcome } = match told {
        Ok(told) => told,
        Err(error) => {
            tracing::error!(%tenant, %interaction, %plugin, %error, "an answer could not be written as JSON");
            return;
        }
    };
    if cached {
        inner.observer.remembered(plugin, outcome);
    } else {
        inner.observer.look_up(plugin, outcome, took);
    }
    tracing::info!(%tenant, %interaction, %plugin, outcome, cached, took_ms = view::millis(took), "looked up");
    let answer = Answer { tenant, interaction, plugin, kind, body, found };
    for attempt in 1..=WRITES {
        match store(inner, &answer).await {
            Ok(()) => {
                if answer.is_ambiguous() && inner.look_up_rules(tenant).ambiguous == Ambiguity::Owner {
                    link_by_owner(inner, tenant, interaction).await;
                }
                return;
            }
            Err(error) => {
                tracing::error!(%tenant, %interaction, %plugin, attempt, error = %chain(&error), "an answer was not stored");
                tokio::time::sleep(Duration::from_millis(100) * attempt).await;
            }
        }
    }
}

struct Answer<'a> {
    tenant: &'a TenantId,
    interaction: InteractionId,
    plugin: &'a PluginId,
    kind: FindingKind,
    body: String,
    found: Option<Arc<Found>>,
}

impl Answer<'_> {
    fn cards(&self) -> &[Card] {
        self.found.as_ref().map_or(&[], |found| &found.cards)
    }

    fn is_ambiguous(&self) -> bool {
        self.cards().len() > 1
    }

    fn candidates(&self) -> Vec<Candidate> {
        self.cards().iter().map(|card| Candidate { id: card.id.clone(), url: card.url.clone() }).collect()
    }
}

/// Stores the answer with its live event, and the contact that it found.
async fn store(inner: &Arc<Inner>, answer: &Answer<'_>) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let known = inner.interactions.interaction(answer.tenant, answer.interaction).await?;
        let Some(known) = known.map(|snapshot| snapshot.interaction) else { return Ok(()) };
        let now = inner.clock.now();
        let event = lookup::linked(inner, &known, answer.plugin, &answer.candidates(), now).await?;
        let Ok(mut write) = InteractionWrite::change(&known, Vec::new(), event.into_iter().collect(), now)
        else {
            return Ok(());
        };
        write.finding = Some(Finding {
            tenant: answer.tenant.clone(),
            interaction: answer.interaction,
            plugin: answer.plugin.clone(),
            kind: answer.kind,
            body: answer.body.clone(),
            at: now,
        });
        write.live.push(NewLive {
            kind: answer.kind.as_str().to_owned(),
            interaction: Some(answer.interaction),
            body: answer.body.clone(),
        });
        inner.with_deliveries(&mut write).await?;
        match inner.interactions.append(write).await? {
            Recorded::Stored(live) => {
                inner.told(answer.tenant, live);
                return Ok(());
            }
            // Another look-up of the same plugin was quicker, as after a restart.
            Recorded::Repeated => return Ok(()),
            Recorded::Conflict => {}
        }
    }
    Err(StoreError::Failed { doing: "write an answer to", fault: Fault::Busy, source: None })
}

/// An error with all its sources, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
