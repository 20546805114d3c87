//! Deliveries as they stand. Compiled once for each backend.

use jiff::Timestamp;
use sqlx::Row as _;
use uuid::Uuid;

use super::{Conn, Row, failed, unreadable};
use crate::{
    Backlog, Clear, CrmRecord, Delivery, DeliveryFilter, DeliveryId, DeliveryState, DueTarget, Failure,
    InteractionId, Pause, Step, StoreError, Target, TenantId,
};

pub(super) const READING: &str = "read deliveries from";

pub(super) async fn record_of(
    conn: &mut Conn,
    tenant: &TenantId,
    target: &str,
    interaction: InteractionId,
    part: &str,
    doing: &'static str,
) -> Result<Option<CrmRecord>, StoreError> {
    let row = sqlx::query(
        "SELECT kind, id, url FROM delivery_records
         WHERE tenant = $1 AND target = $2 AND interaction = $3 AND part = $4",
    )
    .bind(tenant.as_str())
    .bind(target)
    .bind(interaction.0)
    .bind(part)
    .fetch_optional(conn)
    .await
    .map_err(|e| failed(doing, e))?;
    let get = |e| failed(doing, e);
    row.map(|row| {
        Ok(CrmRecord {
            kind: row.try_get("kind").map_err(get)?,
            id: row.try_get("id").map_err(get)?,
            url: row.try_get("url").map_err(get)?,
        })
    })
    .transpose()
}

/// Everything of a delivery.
macro_rules! select_deliveries {
    ($more:literal) => {
        concat!(
            "SELECT id, target, interaction, step, key, state, tries, at, tried_at, settled_at, failure_code,
                 failure_text, record_kind, record_id, record_url, payload
             FROM deliveries WHERE tenant = $1 AND ",
            $more
        )
    };
}

// Written out one by one, so that each goes by its own index: a million delivered rows do not stand in the way of ten
// dead ones.
const ALL: &str = select_deliveries!("id < $2 ORDER BY id DESC LIMIT $3");
const TO: &str = select_deliveries!("id < $2 AND target = $4 ORDER BY id DESC LIMIT $3");
const IN_STATE: &str = select_deliveries!("id < $2 AND state = $4 ORDER BY id DESC LIMIT $3");
const IN_STATE_TO: &str =
    select_deliveries!("id < $2 AND state = $4 AND target = $5 ORDER BY id DESC LIMIT $3");
const ABOUT: &str = select_deliveries!(
    "interaction = $4 AND id < $2 AND (CAST($5 AS TEXT) IS NULL OR state = $5)
         AND (CAST($6 AS TEXT) IS NULL OR target = $6) ORDER BY id DESC LIMIT $3"
);
const ONE: &str = select_deliveries!("id = $2");

pub(super) async fn list(
    conn: &mut Conn,
    tenant: &TenantId,
    filter: &DeliveryFilter,
    before: Option<DeliveryId>,
    limit: u32,
) -> Result<Vec<Delivery>, StoreError> {
    let before = before.map_or(Uuid::max(), |id| id.0);
    let limit = i64::from(limit);
    let state = filter.state.map(DeliveryState::as_str);
    let target = filter.target.as_ref().map(Target::to_string);
    let start = |sql: &'static str| sqlx::query(sql).bind(tenant.as_str()).bind(before).bind(limit);
    let query = match (filter.interaction, state, target) {
        (Some(interaction), state, target) => start(ABOUT).bind(interaction.0).bind(state).bind(target),
        (None, Some(state), Some(target)) => start(IN_STATE_TO).bind(state).bind(target),
        (None, Some(state), None) => start(IN_STATE).bind(state),
        (None, None, Some(target)) => start(TO).bind(target),
        (None, None, None) => start(ALL),
    };
    let rows = query.fetch_all(conn).await.map_err(|e| failed(READING, e))?;
    rows.iter().map(delivery).collect()
}

pub(super) async fn one(
    conn: &mut Conn,
    tenant: &TenantId,
    id: DeliveryId,
) -> Result<Option<(Delivery, Clear)>, StoreError> {
    let row = sqlx::query(ONE).bind(tenant.as_str()).bind(id.0).fetch_optional(conn).await;
    let Some(row) = row.map_err(|e| failed(READING, e))? else { return Ok(None) };
    let payload: String = row.try_get("payload").map_err(|e| failed(READING, e))?;
    Ok(Some((delivery(&row)?, Clear::new(payload))))
}

pub(super) async fn due(conn: &mut Conn, tenant: &TenantId) -> Result<Vec<DueTarget>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM (
             SELECT t.target AS target, (SELECT min(l.due_at) FROM delivery_lanes l
                 WHERE l.tenant = t.tenant AND l.target = t.target) AS due_at
             FROM delivery_targets t WHERE t.tenant = $1 AND t.paused_at IS NULL) AS waiting
         WHERE due_at IS NOT NULL ORDER BY due_at",
    )
    .bind(tenant.as_str())
    .fetch_all(conn)
    .await
    .map_err(|e| failed(READING, e))?;
    rows.iter()
        .map(|row| {
            let at = time(row, "due_at", READING)?.ok_or_else(|| unreadable(READING, "due_at"))?;
            Ok(DueTarget { target: target(row)?, at })
        })
        .collect()
}

pub(super) async fn backlog(conn: &mut Conn, tenant: &TenantId) -> Result<Vec<Backlog>, StoreError> {
    let rows = sqlx::query(
        "SELECT t.target AS target, t.paused_at AS paused_at, t.pause_code AS pause_code, t.pause_text AS pause_text,
             (SELECT count(*) FROM deliveries d
                 WHERE d.tenant = t.tenant AND d.state = 'open' AND d.target = t.target) AS open_rows,
             (SELECT min(d.at) FROM deliveries d
                 WHERE d.tenant = t.tenant AND d.state = 'open' AND d.target = t.target) AS oldest,
             (SELECT count(*) FROM deliveries d
                 WHERE d.tenant = t.tenant AND d.state = 'dead' AND d.target = t.target) AS dead_rows
         FROM delivery_targets t WHERE t.tenant = $1 ORDER BY t.target",
    )
    .bind(tenant.as_str())
    .fetch_all(conn)
    .await
    .map_err(|e| failed(READING, e))?;
    rows.iter()
        .map(|row| {
            let get = |e| failed(READING, e);
            let since = time(row, "paused_at", READING)?;
            Ok(Backlog {
                target: target(row)?,
                open: row.try_get::<i64, _>("open_rows").map_err(get)?.unsigned_abs(),
                oldest: time(row, "oldest", READING)?,
                dead: row.try_get::<i64, _>("dead_rows").map_err(get)?.unsigned_abs(),
                paused: match (since, failure(row, "pause_code", "pause_text")?) {
                    (Some(since), Some(reason)) => Some(Pause { reason, since }),
                    _ => None,
                },
            })
        })
        .collect()
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    let get = |e| failed(READING, e);
    let text = |column: &'static str| row.try_get::<Option<String>, _>(column).map_err(get);
    let record = match (text("record_kind")?, text("record_id")?) {
        (Some(kind), Some(id)) => Some(CrmRecord { kind, id, url: text("record_url")? }),
        _ => None,
    };
    let state: String = row.try_get("state").map_err(get)?;
    Ok(Delivery {
        id: DeliveryId(row.try_get("id").map_err(get)?),
        target: target(row)?,
        interaction: row.try_get::<Option<Uuid>, _>("interaction").map_err(get)?.map(InteractionId),
        step: Step(row.try_get("step").map_err(get)?),
        key: row.try_get("key").map_err(get)?,
        state: state.parse().map_err(|()| unreadable(READING, "state"))?,
        tries: count(row, "tries", READING)?,
        at: time(row, "at", READING)?.ok_or_else(|| unreadable(READING, "at"))?,
        tried_at: time(row, "tried_at", READING)?,
        settled_at: time(row, "settled_at", READING)?,
        failure: failure(row, "failure_code", "failure_text")?,
        record,
    })
}

fn failure(row: &Row, code: &'static str, text: &'static str) -> Result<Option<Failure>, StoreError> {
    let get = |column: &'static str| row.try_get::<Option<String>, _>(column).map_err(|e| failed(READING, e));
    Ok(match (get(code)?, get(text)?) {
        (Some(code), Some(text)) => Some(Failure { code, text }),
        _ => None,
    })
}

fn target(row: &Row) -> Result<Target, StoreError> {
    let text: String = row.try_get("target").map_err(|e| failed(READING, e))?;
    text.parse().map_err(|_| unreadable(READING, "target"))
}

pub(super) fn count(row: &Row, column: &'static str, doing: &'static str) -> Result<u32, StoreError> {
    let count: i64 = row.try_get(column).map_err(|e| failed(doing, e))?;
    u32::try_from(count).map_err(|_| unreadable(doing, column))
}

pub(super) fn time(
    row: &Row,
    column: &'static str,
    doing: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(column)
        .map_err(|e| failed(doing, e))?
        .map(|micros| Timestamp::from_microsecond(micros).map_err(|_| unreadable(doing, column)))
        .transpose()
}
