//! Reading interactions. Compiled once for each backend.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use uuid::Uuid;

use super::live::last_id;
use super::{Backend, Conn, Row, failed, unreadable};
use crate::{
    Answer, CallId, Cause, ContactIdentity, EventId, EventRecord, Filter, Finding, Interaction,
    InteractionId, InteractionStore, InteractionWrite, Message, Page, PageCursor, PluginId, Recent, Recorded,
    Situation, Snapshot, SourceId, StoreError, TenantId,
};

pub(super) const READING: &str = "read interactions from";

/// Names of one customer that a timeline follows; a number that half a town shares must not read the whole database.
const MOST_ALIASES: i64 = 64;

// What the page shows: the latest calls, `$2` of them.
macro_rules! latest {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM interactions WHERE tenant = $1 AND channel IN ('fixed', 'mobile')
             ORDER BY started_at DESC, interaction DESC LIMIT $2"
        )
    };
}
macro_rules! unanswered {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM interactions WHERE tenant = $1 AND pending > 0 ORDER BY started_at, interaction LIMIT $2"
        )
    };
}
macro_rules! findings_of {
    ($interactions:expr) => {
        concat!(
            "SELECT interaction, plugin, kind, body, at FROM findings
             WHERE tenant = $1 AND interaction IN (SELECT interaction FROM (",
            $interactions,
            ") AS chosen) ORDER BY at, plugin"
        )
    };
}

/// What a list shows: interactions in the order of their beginning, each with the one index that fits what is asked.
/// (`+ 0`: SQLite takes an index with one more range for the narrower one, whatever else stands in the other.)
macro_rules! list {
    ($state:literal, $queue:literal) => {
        concat!(
            "SELECT body FROM interactions
             WHERE tenant = $1 AND (started_at, interaction) < ($2, $3) AND ",
            $state,
            " AND ",
            $queue,
            " AND (CAST($5 AS TEXT) IS NULL OR channel = $5) AND (CAST($6 AS TEXT) IS NULL OR direction = $6)
                 AND started_at >= $8 AND started_at + 0 < $9
             ORDER BY started_at DESC, interaction DESC LIMIT $10"
        )
    };
}
pub(super) const LIST: &str = list!("CAST($4 AS TEXT) IS NULL", "CAST($7 AS TEXT) IS NULL");
pub(super) const LIST_OF_STATE: &str = list!("state = $4", "CAST($7 AS TEXT) IS NULL");
pub(super) const LIST_OF_QUEUE: &str = list!("CAST($4 AS TEXT) IS NULL", "queue = $7");
pub(super) const LIST_OF_BOTH: &str = list!("state = $4", "queue = $7");

impl InteractionStore for Backend {
    fn situation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        reference: &'a CallId,
        event_id: &'a EventId,
    ) -> Answer<'a, Situation> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let (seen_for, seen_asked) = seen(&mut tx, tenant, source, event_id).await?;
            let row = sqlx::query(
                "SELECT body FROM interactions WHERE tenant = $1 AND source = $2 AND reference = $3",
            )
            .bind(tenant.as_str())
            .bind(source.as_str())
            .bind(reference.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            Ok(Situation { interaction: row.as_ref().map(body).transpose()?, seen_for, seen_asked })
        })
    }

    fn conversation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        contacts: &'a [ContactIdentity],
        event_id: &'a EventId,
    ) -> Answer<'a, Situation> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let (seen_for, seen_asked) = seen(&mut tx, tenant, source, event_id).await?;
            for contact in contacts {
                // Also by a name that came later, as a number that was asked for.
                let row = sqlx::query(
                    "SELECT body FROM interactions WHERE tenant = $1 AND source = $2 AND open_key IN
                         (SELECT CAST($3 AS TEXT) UNION
                          SELECT alias FROM contact_aliases WHERE tenant = $1 AND contact = $3)
                     ORDER BY started_at DESC LIMIT 1",
                )
                .bind(tenant.as_str())
                .bind(source.as_str())
                .bind(contact.key())
                .fetch_optional(&mut *tx)
                .await
                .map_err(|e| failed(READING, e))?;
                if let Some(row) = &row {
                    return Ok(Situation { interaction: Some(body(row)?), seen_for, seen_asked });
                }
            }
            Ok(Situation { interaction: None, seen_for, seen_asked })
        })
    }

    fn interaction<'a>(&'a self, tenant: &'a TenantId, id: InteractionId) -> Answer<'a, Option<Snapshot>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let row = sqlx::query("SELECT body FROM interactions WHERE tenant = $1 AND interaction = $2")
                .bind(tenant.as_str())
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await
                .map_err(|e| failed(READING, e))?;
            let Some(row) = row else { return Ok(None) };
            let rows = sqlx::query(
                "SELECT interaction, plugin, kind, body, at FROM findings
                 WHERE tenant = $1 AND interaction = $2 ORDER BY at, plugin",
            )
            .bind(tenant.as_str())
            .bind(id.0)
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let findings = rows.iter().map(|row| finding(tenant, row)).collect::<Result<_, _>>()?;
            Ok(Some(Snapshot { interaction: body(&row)?, findings }))
        })
    }

    fn append(&self, write: InteractionWrite) -> Answer<'_, Recorded> {
        self.append_write(write)
    }

    fn history<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Answer<'a, Vec<EventRecord>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            events(&mut tx, tenant, id, after, i64::from(limit)).await
        })
    }

    fn messages<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Answer<'a, Vec<Message>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            messages(&mut tx, tenant, id, after, i64::from(limit)).await
        })
    }

    fn messages_between<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Message>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let rows = sqlx::query(
                "SELECT body FROM (
                     SELECT seq, body FROM messages
                     WHERE tenant = $1 AND interaction = $2 AND at >= $3 AND at < $4
                     ORDER BY at DESC, seq DESC LIMIT $5) AS last
                 ORDER BY seq",
            )
            .bind(tenant.as_str())
            .bind(id.0)
            .bind(from.as_microsecond())
            .bind(until.as_microsecond())
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            rows.iter().map(body).collect()
        })
    }

    fn message<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        reference: &'a EventId,
    ) -> Answer<'a, Option<(InteractionId, Message)>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let row = sqlx::query(
                "SELECT interaction, body FROM messages WHERE tenant = $1 AND source = $2 AND reference = $3",
            )
            .bind(tenant.as_str())
            .bind(source.as_str())
            .bind(reference.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            row.map(|row| Ok((id(&row)?, body(&row)?))).transpose()
        })
    }

    fn timeline<'a>(
        &'a self,
        tenant: &'a TenantId,
        contact: &'a ContactIdentity,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Interaction>> {
        Box::pin(async move {
            let before = before.unwrap_or(PageCursor::START);
            let mut tx = self.read(tenant, READING).await?;
            // One more than asked for says whether there is another page.
            let rows = sqlx::query(
                "SELECT i.body AS body FROM interactions i JOIN (
                     SELECT DISTINCT c.started_at, c.interaction FROM interaction_contacts c
                     WHERE c.tenant = $1 AND (c.started_at, c.interaction) < ($3, $4) AND c.contact IN (
                         SELECT CAST($2 AS TEXT) UNION SELECT alias FROM (
                             SELECT alias FROM contact_aliases WHERE tenant = $1 AND contact = $2
                             ORDER BY since, alias LIMIT $6) AS known)
                     ORDER BY c.started_at DESC, c.interaction DESC LIMIT $5
                 ) AS t ON i.tenant = $1 AND i.interaction = t.interaction
                 ORDER BY t.started_at DESC, t.interaction DESC",
            )
            .bind(tenant.as_str())
            .bind(contact.key())
            .bind(before.at.as_microsecond())
            .bind(before.id.0)
            .bind(i64::from(limit).saturating_add(1))
            .bind(MOST_ALIASES)
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            page(&rows, limit)
        })
    }

    fn list<'a>(
        &'a self,
        tenant: &'a TenantId,
        filter: &'a Filter,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Interaction>> {
        Box::pin(async move {
            let before = filter.first_place(before);
            let mut tx = self.read(tenant, READING).await?;
            let rows = sqlx::query(match (&filter.state, &filter.queue) {
                (None, None) => LIST,
                (Some(_), None) => LIST_OF_STATE,
                (None, Some(_)) => LIST_OF_QUEUE,
                (Some(_), Some(_)) => LIST_OF_BOTH,
            })
            .bind(tenant.as_str())
            .bind(before.at.as_microsecond())
            .bind(before.id.0)
            .bind(filter.state.map(crate::InteractionState::as_str))
            .bind(filter.channel.map(crate::Channel::as_str))
            .bind(filter.direction.map(crate::InteractionDirection::as_str))
            .bind(filter.queue.as_deref())
            .bind(filter.from.map_or(i64::MIN, Timestamp::as_microsecond))
            .bind(filter.until.map_or(i64::MAX, Timestamp::as_microsecond))
            .bind(i64::from(limit).saturating_add(1))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            page(&rows, limit)
        })
    }

    fn recent<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Recent> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let last = last_id(&mut tx, tenant, READING).await?;
            let calls = fetch(&mut tx, tenant, latest!("interaction, body"), limit).await?;
            let found = fetch(&mut tx, tenant, findings_of!(latest!("interaction")), limit).await?;
            Ok(Recent { calls: snapshots(tenant, &calls, &found)?, last })
        })
    }

    fn unanswered<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Vec<Snapshot>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let calls = fetch(&mut tx, tenant, unanswered!("interaction, body"), limit).await?;
            let found = fetch(&mut tx, tenant, findings_of!(unanswered!("interaction")), limit).await?;
            snapshots(tenant, &calls, &found)
        })
    }

    fn open_conversations<'a>(
        &'a self,
        tenant: &'a TenantId,
        changed_before: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Interaction>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let rows = sqlx::query(
                "SELECT body FROM interactions
                 WHERE tenant = $1 AND open_key IS NOT NULL AND updated_at < $2
                 ORDER BY updated_at, interaction LIMIT $3",
            )
            .bind(tenant.as_str())
            .bind(changed_before.as_microsecond())
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            rows.iter().map(body).collect()
        })
    }

    fn quiet_calls<'a>(
        &'a self,
        tenant: &'a TenantId,
        ringing_since: Timestamp,
        talking_since: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Interaction>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let rows = sqlx::query(
                "SELECT body FROM interactions
                 WHERE tenant = $1 AND state IN ('ringing', 'answered', 'held')
                     AND updated_at < CASE state WHEN 'ringing' THEN CAST($2 AS BIGINT) ELSE CAST($3 AS BIGINT) END
                 ORDER BY updated_at, interaction LIMIT $4",
            )
            .bind(tenant.as_str())
            .bind(ringing_since.as_microsecond())
            .bind(talking_since.as_microsecond())
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            rows.iter().map(body).collect()
        })
    }

    fn forget_receipts<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        before: Timestamp,
        limit: u32,
    ) -> Answer<'a, u64> {
        self.forget_receipts_of(tenant, source, before, limit)
    }
}

async fn fetch(
    conn: &mut Conn,
    tenant: &TenantId,
    sql: &'static str,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    sqlx::query(sql)
        .bind(tenant.as_str())
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await
        .map_err(|e| failed(READING, e))
}

/// What was taken under an identifier: of which interaction, and what it asked for.
async fn seen(
    conn: &mut Conn,
    tenant: &TenantId,
    source: &SourceId,
    event_id: &EventId,
) -> Result<(Option<InteractionId>, Option<Uuid>), StoreError> {
    let seen: Option<(Uuid, Option<Uuid>)> = sqlx::query_as(
        "SELECT interaction, asked FROM receipts WHERE tenant = $1 AND source = $2 AND event_id = $3",
    )
    .bind(tenant.as_str())
    .bind(source.as_str())
    .bind(event_id.as_str())
    .fetch_optional(conn)
    .await
    .map_err(|e| failed(READING, e))?;
    Ok(seen.map_or((None, None), |(interaction, asked)| (Some(InteractionId(interaction)), asked)))
}

pub(super) async fn events(
    conn: &mut Conn,
    tenant: &TenantId,
    id: InteractionId,
    after: u32,
    limit: i64,
) -> Result<Vec<EventRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, id, at, recorded_at, actor, cause, body FROM interaction_events
         WHERE tenant = $1 AND interaction = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    )
    .bind(tenant.as_str())
    .bind(id.0)
    .bind(i64::from(after))
    .bind(limit)
    .fetch_all(conn)
    .await
    .map_err(|e| failed(READING, e))?;
    rows.iter().map(event).collect()
}

pub(super) async fn messages(
    conn: &mut Conn,
    tenant: &TenantId,
    id: InteractionId,
    after: u32,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let rows = sqlx::query(
        "SELECT body FROM messages WHERE tenant = $1 AND interaction = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    )
    .bind(tenant.as_str())
    .bind(id.0)
    .bind(i64::from(after))
    .bind(limit)
    .fetch_all(conn)
    .await
    .map_err(|e| failed(READING, e))?;
    rows.iter().map(body).collect()
}

fn page(rows: &[Row], limit: u32) -> Result<Page<Interaction>, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let items: Vec<Interaction> = rows.iter().take(limit).map(body).collect::<Result<_, _>>()?;
    let next = if rows.len() > limit { items.last().map(PageCursor::of) } else { None };
    Ok(Page { items, next })
}

fn snapshots(tenant: &TenantId, rows: &[Row], found: &[Row]) -> Result<Vec<Snapshot>, StoreError> {
    let mut by_interaction: HashMap<InteractionId, Vec<Finding>> = HashMap::new();
    for row in found {
        let finding = finding(tenant, row)?;
        by_interaction.entry(finding.interaction).or_default().push(finding);
    }
    rows.iter()
        .map(|row| {
            let interaction: Interaction = body(row)?;
            let findings = by_interaction.remove(&interaction.id).unwrap_or_default();
            Ok(Snapshot { interaction, findings })
        })
        .collect()
}

fn finding(tenant: &TenantId, row: &Row) -> Result<Finding, StoreError> {
    let get = |e| failed(READING, e);
    let plugin: String = row.try_get("plugin").map_err(get)?;
    let kind: String = row.try_get("kind").map_err(get)?;
    Ok(Finding {
        tenant: tenant.clone(),
        interaction: id(row)?,
        plugin: PluginId::new(&plugin).map_err(|_| unreadable(READING, "plugin"))?,
        kind: kind.parse().map_err(|()| unreadable(READING, "kind"))?,
        body: row.try_get("body").map_err(get)?,
        at: time(row, "at")?,
    })
}

fn event(row: &Row) -> Result<EventRecord, StoreError> {
    let get = |e| failed(READING, e);
    let (actor, cause): (String, String) =
        (row.try_get("actor").map_err(get)?, row.try_get("cause").map_err(get)?);
    let seq: i64 = row.try_get("seq").map_err(get)?;
    Ok(EventRecord {
        id: row.try_get("id").map_err(get)?,
        seq: u32::try_from(seq).map_err(|_| unreadable(READING, "seq"))?,
        at: time(row, "at")?,
        recorded_at: time(row, "recorded_at")?,
        actor: actor.parse().map_err(|()| unreadable(READING, "actor"))?,
        cause: Cause::from_text(&cause).ok_or_else(|| unreadable(READING, "cause"))?,
        event: body(row)?,
    })
}

fn id(row: &Row) -> Result<InteractionId, StoreError> {
    row.try_get("interaction").map(InteractionId).map_err(|e| failed(READING, e))
}

/// Reads the JSON of a row. Its own words would quote what they found, so they are not passed on.
pub(super) fn body<T: DeserializeOwned>(row: &Row) -> Result<T, StoreError> {
    let text: String = row.try_get("body").map_err(|e| failed(READING, e))?;
    serde_json::from_str(&text).map_err(|_| unreadable(READING, "body"))
}

fn time(row: &Row, column: &'static str) -> Result<Timestamp, StoreError> {
    let micros: i64 = row.try_get(column).map_err(|e| failed(READING, e))?;
    Timestamp::from_microsecond(micros).map_err(|_| unreadable(READING, column))
}
