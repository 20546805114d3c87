//! The screen pop: every connected CRM is asked at the same moment, and each answer is told when it comes.

use std::sync::Arc;
use std::time::Duration;

use ramal_store::{
    Actor, Cause, CrmLink, Fault, Finding, FindingKind, InteractionEvent, InteractionId, InteractionWrite,
    NewEvent, NewLive, PluginId, Recorded, StoreError, TenantId,
};
use tokio::time::Instant;
use tracing::Instrument;

use crate::center::{ATTEMPTS, Inner};
use crate::journal::CONTACT;
use crate::running::Ticket;
use crate::view::{self, Failure, Told};
use crate::{Directory, Found, LookUp, LookUpFailure};

/// Tries of writing an answer that was already paid for.
const WRITES: u32 = 3;

/// Asks one directory in a task of its own.
pub(crate) fn spawn(inner: &Arc<Inner>, directory: Arc<dyn Directory>, ask: LookUp, ticket: Ticket) {
    let inner = inner.clone();
    tokio::spawn(
        async move {
            let (tenant, interaction) = (ask.tenant.clone(), ask.interaction);
            let plugin = directory.plugin().clone();
            let begun = Instant::now();
            let answer = ask_until_deadline(directory, ask).await;
            let took = begun.elapsed();
            tell(&inner, &tenant, interaction, &plugin, answer.map_err(Failure::LookUp), took).await;
            drop(ticket);
        }
        .in_current_span(),
    );
}

async fn ask_until_deadline(directory: Arc<dyn Directory>, ask: LookUp) -> Result<Found, LookUpFailure> {
    let deadline = ask.deadline;
    // A task of its own, so that a panic in there ends there.
    let mut task = tokio::spawn(async move { directory.look_up(ask).await }.in_current_span());
    match tokio::time::timeout_at(deadline, &mut task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            Err(LookUpFailure::Broken("the look-up stopped without an answer; see the log".to_owned()))
        }
        Err(_) => {
            task.abort();
            Err(LookUpFailure::Timeout)
        }
    }
}

/// Stores the answer with its live event and rings the bell.
pub(crate) async fn tell(
    inner: &Arc<Inner>,
    tenant: &TenantId,
    interaction: InteractionId,
    plugin: &PluginId,
    answer: Result<Found, Failure>,
    took: Duration,
) {
    let mut only = None;
    let told = match answer {
        Ok(found) => {
            only = only_contact(plugin, &found);
            view::found(interaction, plugin, found)
        }
        Err(failure) => {
            if let Failure::LookUp(failure) = &failure {
                tracing::warn!(%tenant, %interaction, %plugin, %failure, "no card");
            }
            view::failed(interaction, plugin, &failure, took)
        }
    };
    let Told { kind, body, outcome } = match told {
        Ok(told) => told,
        Err(error) => {
            tracing::error!(%tenant, %interaction, %plugin, %error, "an answer could not be written as JSON");
            return;
        }
    };
    inner.observer.look_up(plugin, outcome, took);
    tracing::info!(%tenant, %interaction, %plugin, outcome, took_ms = took.as_millis() as u64, "looked up");
    let answer = Answer { tenant, interaction, plugin, kind, body, only };
    for attempt in 1..=WRITES {
        match store(inner, &answer).await {
            Ok(()) => return,
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
    /// The contact, when there is exactly one: then nobody needs to be asked which one it is.
    only: Option<CrmLink>,
}

/// Stores the answer with its live event, and the contact that it found.
async fn store(inner: &Arc<Inner>, answer: &Answer<'_>) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let known = inner.interactions.interaction(answer.tenant, answer.interaction).await?;
        let Some(known) = known.map(|snapshot| snapshot.interaction) else { return Ok(()) };
        let now = inner.clock.now();
        // A link that stands was made by a person, or by an answer before.
        let link = answer
            .only
            .as_ref()
            .filter(|link| !known.links.iter().any(|l| l.plugin == link.plugin && l.kind == link.kind));
        let event = link.map(|link| NewEvent {
            at: now,
            actor: Actor::Plugin(answer.plugin.clone()),
            cause: Cause::Rule("only-match".to_owned()),
            event: InteractionEvent::CrmLinked(link.clone()),
        });
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

fn only_contact(plugin: &PluginId, found: &Found) -> Option<CrmLink> {
    let [card] = found.cards.as_slice() else { return None };
    Some(CrmLink {
        plugin: plugin.clone(),
        kind: CONTACT.to_owned(),
        id: card.id.clone(),
        url: card.url.clone().filter(|url| view::is_web(url)),
    })
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
