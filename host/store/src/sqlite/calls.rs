//! Calls and findings in SQLite.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};
use uuid::Uuid;

use super::live::last_id;
use super::{SqliteStore, failed, unreadable};
use crate::{
    Answer, Call, CallId, CallSnapshot, CallStore, CallWrite, Clear, EventId, Finding, InteractionId, LiveId,
    NewLive, PluginId, Recent, Recorded, Situation, SourceId, StoreError, TenantId,
};

const READING: &str = "read calls from";
const WRITING: &str = "write a call to";

impl CallStore for SqliteStore {
    fn situation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        call_id: &'a CallId,
        event_id: &'a EventId,
    ) -> Answer<'a, Situation> {
        Box::pin(async move {
            let mut tx = self.read(READING).await?;
            let seen: Option<String> = sqlx::query_scalar(
                "SELECT call_id FROM call_events WHERE tenant = $1 AND source = $2 AND event_id = $3",
            )
            .bind(tenant.as_str())
            .bind(source.as_str())
            .bind(event_id.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let row = sqlx::query("SELECT * FROM calls WHERE tenant = $1 AND source = $2 AND call_id = $3")
                .bind(tenant.as_str())
                .bind(source.as_str())
                .bind(call_id.as_str())
                .fetch_optional(&mut *tx)
                .await
                .map_err(|e| failed(READING, e))?;
            Ok(Situation {
                call: row.as_ref().map(call).transpose()?,
                seen_for: seen
                    .map(|text| CallId::new(&text).map_err(|_| unreadable(READING, "call_id")))
                    .transpose()?,
            })
        })
    }

    fn record<'a>(&'a self, write: &'a CallWrite) -> Answer<'a, Recorded> {
        Box::pin(async move {
            let mut tx = self.write(WRITING).await?;
            let CallWrite { call, event, live } = write;
            let fresh = sqlx::query(
                "INSERT INTO call_events (tenant, source, event_id, call_id, kind, at, received_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            )
            .bind(call.tenant.as_str())
            .bind(call.source.as_str())
            .bind(event.event_id.as_str())
            .bind(call.call_id.as_str())
            .bind(event.kind.as_str())
            .bind(event.at.as_microsecond())
            .bind(event.received_at.as_microsecond())
            .execute(&mut *tx)
            .await
            .map_err(|e| failed(WRITING, e))?;
            if fresh.rows_affected() == 0 {
                return Ok(Recorded::Repeated);
            }
            if !put_call(&mut tx, call).await? {
                return Ok(Recorded::Conflict);
            }
            let id = match live {
                Some(live) => Some(self.append_live(&mut tx, &call.tenant, live, event.received_at).await?),
                None => None,
            };
            tx.commit().await.map_err(|e| failed(WRITING, e))?;
            Ok(Recorded::Stored(id))
        })
    }

    fn record_finding<'a>(&'a self, finding: &'a Finding) -> Answer<'a, Option<LiveId>> {
        Box::pin(async move {
            let mut tx = self.write(WRITING).await?;
            let fresh = sqlx::query(
                "INSERT INTO findings (tenant, interaction, plugin, kind, body, at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            )
            .bind(finding.tenant.as_str())
            .bind(finding.interaction.0.as_bytes().as_slice())
            .bind(finding.plugin.as_str())
            .bind(finding.kind.as_str())
            .bind(&finding.body)
            .bind(finding.at.as_microsecond())
            .execute(&mut *tx)
            .await
            .map_err(|e| failed(WRITING, e))?;
            if fresh.rows_affected() == 0 {
                return Ok(None);
            }
            // The revision stays: a finding is no change of the call's own state, and must not fail an event that
            // is being decided meanwhile.
            sqlx::query(
                "UPDATE calls SET pending = max(pending - 1, 0) WHERE tenant = $1 AND interaction = $2",
            )
            .bind(finding.tenant.as_str())
            .bind(finding.interaction.0.as_bytes().as_slice())
            .execute(&mut *tx)
            .await
            .map_err(|e| failed(WRITING, e))?;
            let live = NewLive {
                kind: finding.kind.as_str().to_owned(),
                interaction: Some(finding.interaction),
                body: finding.body.clone(),
            };
            let id = self.append_live(&mut tx, &finding.tenant, &live, finding.at).await?;
            tx.commit().await.map_err(|e| failed(WRITING, e))?;
            Ok(Some(id))
        })
    }

    fn recent<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Recent> {
        Box::pin(async move {
            let mut tx = self.read(READING).await?;
            let last = last_id(&mut tx, tenant, READING).await?;
            let rows = sqlx::query(
                "SELECT * FROM calls WHERE tenant = $1 ORDER BY ringing_at DESC, interaction DESC LIMIT $2",
            )
            .bind(tenant.as_str())
            .bind(limit)
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            Ok(Recent { calls: with_findings(&mut tx, &rows).await?, last })
        })
    }

    fn unanswered(&self, limit: u32) -> Answer<'_, Vec<CallSnapshot>> {
        Box::pin(async move {
            let mut tx = self.read(READING).await?;
            let rows = sqlx::query("SELECT * FROM calls WHERE pending > 0 ORDER BY ringing_at LIMIT $1")
                .bind(limit)
                .fetch_all(&mut *tx)
                .await
                .map_err(|e| failed(READING, e))?;
            with_findings(&mut tx, &rows).await
        })
    }
}

/// Inserts a new call or changes the one whose revision was read. False when somebody else was quicker.
async fn put_call(tx: &mut Transaction<'static, Sqlite>, call: &Call) -> Result<bool, StoreError> {
    let query = if call.revision <= 1 {
        sqlx::query(
            "INSERT INTO calls (tenant, source, call_id, interaction, state, from_number, to_number, queue, agent,
                cause, ringing_at, answered_at, ended_at, revision, asked, pending)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING",
        )
    } else {
        // Who was asked is settled when the call is made.
        sqlx::query(
            "UPDATE calls SET state = $5, from_number = $6, to_number = $7, queue = $8, agent = $9, cause = $10,
                ringing_at = $11, answered_at = $12, ended_at = $13, revision = $14
             WHERE tenant = $1 AND source = $2 AND call_id = $3 AND interaction = $4 AND revision = $14 - 1",
        )
    };
    let query = query
        .bind(call.tenant.as_str())
        .bind(call.source.as_str())
        .bind(call.call_id.as_str())
        .bind(call.interaction.0.as_bytes().as_slice())
        .bind(call.state.as_str())
        .bind(call.from.as_ref().map(Clear::expose))
        .bind(call.to.as_ref().map(Clear::expose))
        .bind(call.queue.as_deref())
        .bind(call.agent.as_ref().map(Clear::expose))
        .bind(call.cause.map(crate::EndCause::as_str))
        .bind(call.ringing_at.as_microsecond())
        .bind(call.answered_at.map(Timestamp::as_microsecond))
        .bind(call.ended_at.map(Timestamp::as_microsecond))
        .bind(call.revision);
    let query = if call.revision <= 1 {
        let asked: Vec<&str> = call.asked.iter().map(PluginId::as_str).collect();
        query.bind(asked.join("\n")).bind(i64::try_from(call.asked.len()).unwrap_or(i64::MAX))
    } else {
        query
    };
    let done = query.execute(&mut **tx).await.map_err(|e| failed(WRITING, e))?;
    Ok(done.rows_affected() == 1)
}

async fn with_findings(
    tx: &mut Transaction<'static, Sqlite>,
    rows: &[SqliteRow],
) -> Result<Vec<CallSnapshot>, StoreError> {
    let mut found: HashMap<InteractionId, Vec<Finding>> = HashMap::new();
    let calls = rows.iter().map(call).collect::<Result<Vec<_>, _>>()?;
    for call in &calls {
        let rows = sqlx::query(
            "SELECT plugin, kind, body, at FROM findings WHERE tenant = $1 AND interaction = $2 ORDER BY at, plugin",
        )
        .bind(call.tenant.as_str())
        .bind(call.interaction.0.as_bytes().as_slice())
        .fetch_all(&mut **tx)
        .await
        .map_err(|e| failed(READING, e))?;
        let findings = rows.iter().map(|row| finding(call, row)).collect::<Result<Vec<_>, _>>()?;
        found.insert(call.interaction, findings);
    }
    Ok(calls
        .into_iter()
        .map(|call| CallSnapshot { findings: found.remove(&call.interaction).unwrap_or_default(), call })
        .collect())
}

fn finding(call: &Call, row: &SqliteRow) -> Result<Finding, StoreError> {
    let get = |e| failed(READING, e);
    let plugin: String = row.try_get("plugin").map_err(get)?;
    let kind: String = row.try_get("kind").map_err(get)?;
    Ok(Finding {
        tenant: call.tenant.clone(),
        interaction: call.interaction,
        plugin: PluginId::new(&plugin).map_err(|_| unreadable(READING, "plugin"))?,
        kind: kind.parse().map_err(|()| unreadable(READING, "kind"))?,
        body: row.try_get("body").map_err(get)?,
        at: time(row, "at")?.ok_or_else(|| unreadable(READING, "at"))?,
    })
}

fn call(row: &SqliteRow) -> Result<Call, StoreError> {
    let text =
        |column: &'static str| row.try_get::<Option<String>, _>(column).map_err(|e| failed(READING, e));
    let must = |column: &'static str| text(column)?.ok_or_else(|| unreadable(READING, column));
    let interaction: Vec<u8> = row.try_get("interaction").map_err(|e| failed(READING, e))?;
    let asked = must("asked")?;
    Ok(Call {
        tenant: TenantId::new(&must("tenant")?).map_err(|_| unreadable(READING, "tenant"))?,
        interaction: Uuid::from_slice(&interaction)
            .map(InteractionId)
            .map_err(|_| unreadable(READING, "interaction"))?,
        source: SourceId::new(&must("source")?).map_err(|_| unreadable(READING, "source"))?,
        call_id: CallId::new(&must("call_id")?).map_err(|_| unreadable(READING, "call_id"))?,
        state: must("state")?.parse().map_err(|()| unreadable(READING, "state"))?,
        from: text("from_number")?.map(Clear::new),
        to: text("to_number")?.map(Clear::new),
        queue: text("queue")?,
        agent: text("agent")?.map(Clear::new),
        cause: text("cause")?.map(|c| c.parse().map_err(|()| unreadable(READING, "cause"))).transpose()?,
        ringing_at: time(row, "ringing_at")?.ok_or_else(|| unreadable(READING, "ringing_at"))?,
        answered_at: time(row, "answered_at")?,
        ended_at: time(row, "ended_at")?,
        asked: asked
            .lines()
            .map(|name| PluginId::new(name).map_err(|_| unreadable(READING, "asked")))
            .collect::<Result<_, _>>()?,
        revision: row.try_get("revision").map_err(|e| failed(READING, e))?,
    })
}

fn time(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(column)
        .map_err(|e| failed(READING, e))?
        .map(|micros| Timestamp::from_microsecond(micros).map_err(|_| unreadable(READING, column)))
        .transpose()
}
