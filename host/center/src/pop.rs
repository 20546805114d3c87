//! The screen pop: every connected CRM is asked at the same moment, and each answer is told when it comes.

use std::sync::Arc;
use std::time::Duration;

use ramal_store::{Finding, InteractionId, PluginId, TenantId};
use tokio::time::Instant;
use tracing::Instrument;

use crate::center::Inner;
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
    let told = match answer {
        Ok(found) => view::found(interaction, plugin, found),
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
    let at = inner.clock.now();
    let finding = Finding { tenant: tenant.clone(), interaction, plugin: plugin.clone(), kind, body, at };
    for attempt in 1..=WRITES {
        match inner.calls.record_finding(&finding).await {
            Ok(Some(id)) => return inner.bells.ring(tenant, id),
            // Another look-up of the same plugin was quicker, as after a restart.
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%tenant, %interaction, %plugin, attempt, error = %chain(&error), "an answer was not stored");
                tokio::time::sleep(Duration::from_millis(100) * attempt).await;
            }
        }
    }
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
