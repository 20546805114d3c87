//! Writing interactions: a change with all that follows from it, in one transaction. Compiled once for each backend.

use jiff::Timestamp;
use serde::Serialize;

use super::live::append_live;
use super::{Backend, Conn, failed, outbox};
use crate::{
    Answer, EventRecord, Fault, Finding, Interaction, InteractionEvent, InteractionWrite, LiveId, Message,
    Receipt, Recorded, SourceId, StoreError, TenantId,
};

const WRITING: &str = "write an interaction to";
const FORGETTING: &str = "remove old receipts from";

/// Why the work of a write is undone: most often because somebody was quicker.
pub(super) enum Stop {
    Outcome(Recorded),
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Backend {
    pub(super) fn append_write(&self, mut write: InteractionWrite) -> Answer<'_, Recorded> {
        Box::pin(async move {
            let tenant = write.tenant().clone();
            let cap = self.live_events;
            // Two transactions that add to the same lanes must come to them in the same order.
            write.outbox.sort_by(|a, b| (&a.target, &a.lane).cmp(&(&b.target, &b.lane)));
            let rings = !write.outbox.is_empty();
            let done = self
                .writer
                .run(&tenant, WRITING, move |conn| Box::pin(async move { store(conn, cap, &write).await }))
                .await;
            match done {
                Ok(live) => {
                    if rings {
                        self.bell.ring(&tenant);
                    }
                    Ok(Recorded::Stored(live))
                }
                Err(Stop::Outcome(outcome)) => Ok(outcome),
                Err(Stop::Failed(error)) => Err(error),
            }
        })
    }

    pub(super) fn forget_receipts_of<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        before: Timestamp,
        limit: u32,
    ) -> Answer<'a, u64> {
        let (whose, source) = (tenant.clone(), source.clone());
        Box::pin(self.writer.run(tenant, FORGETTING, move |conn| {
            Box::pin(async move {
                let done = sqlx::query(
                    "DELETE FROM receipts WHERE tenant = $1 AND source = $2 AND event_id IN
                         (SELECT event_id FROM receipts
                          WHERE tenant = $1 AND source = $2 AND received_at < $3 LIMIT $4)",
                )
                .bind(whose.as_str())
                .bind(source.as_str())
                .bind(before.as_microsecond())
                .bind(i64::from(limit))
                .execute(conn)
                .await
                .map_err(|e| failed(FORGETTING, e))?;
                Ok(done.rows_affected())
            })
        }))
    }
}

pub(super) async fn store(
    conn: &mut Conn,
    cap: u32,
    write: &InteractionWrite,
) -> Result<Option<LiveId>, Stop> {
    if let Some(receipt) = &write.receipt {
        put_receipt(conn, write, receipt).await?;
    }
    if let Some(finding) = &write.finding {
        put_finding(conn, finding).await?;
    }
    if !write.events().is_empty() {
        if write.read_at() == 0 {
            put_new(conn, write).await?;
        } else {
            put_changed(conn, write).await?;
        }
        for record in write.events() {
            put_event(conn, write.after(), record).await?;
        }
        for message in write.messages() {
            put_message(conn, write.after(), message).await?;
        }
        put_contacts(conn, write).await?;
    }
    for delivery in &write.outbox {
        outbox::insert(conn, delivery).await?;
    }
    let mut last = None;
    for live in &write.live {
        last = Some(append_live(conn, cap, write.tenant(), live, write.at).await?);
    }
    Ok(last)
}

async fn put_receipt(conn: &mut Conn, write: &InteractionWrite, receipt: &Receipt) -> Result<(), Stop> {
    let fresh = sqlx::query(
        "INSERT INTO receipts (tenant, source, event_id, interaction, received_at, asked)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(write.tenant().as_str())
    .bind(receipt.source.as_str())
    .bind(receipt.event_id.as_str())
    .bind(write.id().0)
    .bind(write.at.as_microsecond())
    .bind(receipt.asked)
    .execute(conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    if fresh.rows_affected() == 0 { Err(Stop::Outcome(Recorded::Repeated)) } else { Ok(()) }
}

async fn put_finding(conn: &mut Conn, finding: &Finding) -> Result<(), Stop> {
    let fresh = sqlx::query(
        "INSERT INTO findings (tenant, interaction, plugin, kind, body, at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(finding.tenant.as_str())
    .bind(finding.interaction.0)
    .bind(finding.plugin.as_str())
    .bind(finding.kind.as_str())
    .bind(&finding.body)
    .bind(finding.at.as_microsecond())
    .execute(&mut *conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    if fresh.rows_affected() == 0 {
        return Err(Stop::Outcome(Recorded::Repeated));
    }
    // No change of the interaction itself, so its number stays: an event that is being decided must not fail by it.
    sqlx::query(
        "UPDATE interactions SET pending = pending - 1
         WHERE tenant = $1 AND interaction = $2 AND pending > 0",
    )
    .bind(finding.tenant.as_str())
    .bind(finding.interaction.0)
    .execute(conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    Ok(())
}

async fn put_new(conn: &mut Conn, write: &InteractionWrite) -> Result<(), Stop> {
    let new = write.after();
    let done = sqlx::query(
        "INSERT INTO interactions (tenant, interaction, source, reference, open_key, channel, direction, state,
             queue, started_at, updated_at, seq, pending, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
    )
    .bind(new.tenant.as_str())
    .bind(new.id.0)
    .bind(new.source.as_str())
    .bind(new.reference.as_ref().map(crate::CallId::as_str))
    .bind(new.open_key())
    .bind(new.channel.as_str())
    .bind(new.direction.as_str())
    .bind(new.state.as_str())
    .bind(new.queue.as_deref())
    .bind(new.started_at.as_microsecond())
    .bind(write.at.as_microsecond())
    .bind(i64::from(new.seq))
    .bind(i64::try_from(new.asked.len()).unwrap_or(i64::MAX))
    .bind(json(new)?)
    .execute(conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    if done.rows_affected() == 0 { Err(Stop::Outcome(Recorded::Conflict)) } else { Ok(()) }
}

async fn put_changed(conn: &mut Conn, write: &InteractionWrite) -> Result<(), Stop> {
    let new = write.after();
    let done = sqlx::query(
        "UPDATE interactions SET open_key = $3, state = $4, queue = $5, updated_at = $6, seq = $7, body = $8
         WHERE tenant = $1 AND interaction = $2 AND seq = $9",
    )
    .bind(new.tenant.as_str())
    .bind(new.id.0)
    .bind(new.open_key())
    .bind(new.state.as_str())
    .bind(new.queue.as_deref())
    .bind(write.at.as_microsecond())
    .bind(i64::from(new.seq))
    .bind(json(new)?)
    .bind(i64::from(write.read_at()))
    .execute(conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    if done.rows_affected() == 0 { Err(Stop::Outcome(Recorded::Conflict)) } else { Ok(()) }
}

/// Makes a row what its events make, whatever it was.
pub(super) async fn put_made(conn: &mut Conn, made: &Interaction, changed: Timestamp) -> Result<(), Stop> {
    let done = sqlx::query(
        "UPDATE interactions SET source = $3, reference = $4, open_key = $5, channel = $6, direction = $7, state = $8,
             queue = $9, started_at = $10, updated_at = $11, seq = $12, body = $13,
             pending = (CASE WHEN $14 > answered.count THEN $14 - answered.count ELSE 0 END)
         FROM (SELECT COUNT(*) AS count FROM findings WHERE tenant = $1 AND interaction = $2) AS answered
         WHERE interactions.tenant = $1 AND interactions.interaction = $2",
    )
    .bind(made.tenant.as_str())
    .bind(made.id.0)
    .bind(made.source.as_str())
    .bind(made.reference.as_ref().map(crate::CallId::as_str))
    .bind(made.open_key())
    .bind(made.channel.as_str())
    .bind(made.direction.as_str())
    .bind(made.state.as_str())
    .bind(made.queue.as_deref())
    .bind(made.started_at.as_microsecond())
    .bind(changed.as_microsecond())
    .bind(i64::from(made.seq))
    .bind(json(made)?)
    .bind(i64::try_from(made.asked.len()).unwrap_or(i64::MAX))
    .execute(conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    if done.rows_affected() == 0 { Err(Stop::Outcome(Recorded::Conflict)) } else { Ok(()) }
}

async fn put_event(conn: &mut Conn, of: &Interaction, record: &EventRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO interaction_events (tenant, interaction, seq, id, at, recorded_at, actor, cause, kind, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(of.tenant.as_str())
    .bind(of.id.0)
    .bind(i64::from(record.seq))
    .bind(record.id)
    .bind(record.at.as_microsecond())
    .bind(record.recorded_at.as_microsecond())
    .bind(record.actor.to_string())
    .bind(record.cause.to_text())
    .bind(record.event.kind())
    .bind(json(&record.event)?)
    .execute(conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    Ok(())
}

pub(super) async fn put_message(
    conn: &mut Conn,
    of: &Interaction,
    message: &Message,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO messages (tenant, interaction, seq, source, reference, at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant, interaction, seq) DO UPDATE SET body = excluded.body",
    )
    .bind(of.tenant.as_str())
    .bind(of.id.0)
    .bind(i64::from(message.seq))
    .bind(of.source.as_str())
    .bind(message.reference.as_str())
    .bind(message.at.as_microsecond())
    .bind(json(message)?)
    .execute(conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    Ok(())
}

/// Puts the interaction on the customer's timeline, and remembers which names are one customer's.
async fn put_contacts(conn: &mut Conn, write: &InteractionWrite) -> Result<(), StoreError> {
    let news = |record: &EventRecord| {
        matches!(record.event, InteractionEvent::Started(_) | InteractionEvent::ContactLinked { .. })
    };
    if write.events().iter().any(news) {
        put_contacts_of(conn, write.after(), write.at).await?;
    }
    Ok(())
}

/// The same of an interaction as it stands.
pub(super) async fn put_contacts_of(
    conn: &mut Conn,
    of: &Interaction,
    since: Timestamp,
) -> Result<(), StoreError> {
    let keys: Vec<String> = of.contacts.iter().map(|contact| contact.renewed().key()).collect();
    for key in &keys {
        sqlx::query(
            "INSERT INTO interaction_contacts (tenant, contact, started_at, interaction) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(of.tenant.as_str())
        .bind(key)
        .bind(of.started_at.as_microsecond())
        .bind(of.id.0)
        .execute(&mut *conn)
        .await
        .map_err(|e| failed(WRITING, e))?;
        for alias in keys.iter().filter(|alias| *alias != key) {
            sqlx::query(
                "INSERT INTO contact_aliases (tenant, contact, alias, since) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
            )
            .bind(of.tenant.as_str())
            .bind(key)
            .bind(alias)
            .bind(since.as_microsecond())
            .execute(&mut *conn)
            .await
            .map_err(|e| failed(WRITING, e))?;
        }
    }
    Ok(())
}

/// What is kept as text. Everything that is kept has a form in JSON, so an error here is a defect.
fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed {
        doing: WRITING,
        fault: Fault::Other,
        source: Some(Box::new(error)),
    })
}
