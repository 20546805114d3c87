//! What workers do: lease lanes, hold them, settle their oldest deliveries. Compiled once for each backend.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use uuid::Uuid;

use super::read::{count, record_of, time};
use super::{Conn, LEASE_LANES, failed, hand, interactions};
use crate::{
    Clear, CrmRecord, DeliveryId, DeliveryState, Failure, InteractionId, InteractionWrite, Lane, LeaseOrder,
    Leased, Settled, Settlement, Step, StoreError, TenantId,
};

pub(super) const LEASING: &str = "lease deliveries in";
pub(super) const SETTLING: &str = "settle a delivery in";
pub(super) const FORWARDING: &str = "bring deliveries forward in";

pub(super) async fn lease(conn: &mut Conn, order: &LeaseOrder) -> Result<Vec<Leased>, StoreError> {
    let lease = Uuid::new_v4();
    let target = order.target.to_string();
    let lanes: Vec<String> = sqlx::query_scalar(LEASE_LANES)
        .bind(order.tenant.as_str())
        .bind(&target)
        .bind(order.now.as_microsecond())
        .bind(i64::from(order.lanes))
        .bind(lease)
        .bind(order.until.as_microsecond())
        .fetch_all(&mut *conn)
        .await
        .map_err(|e| failed(LEASING, e))?;
    let mut taken = Vec::with_capacity(lanes.len());
    for lane in lanes {
        match oldest(conn, order, &target, lease, &lane).await? {
            Some(leased) => taken.push(leased),
            None => drop_lane(conn, &order.tenant, &target, &lane, LEASING).await?,
        }
    }
    Ok(taken)
}

/// The oldest open delivery of a lane that was just leased, its try counted.
async fn oldest(
    conn: &mut Conn,
    order: &LeaseOrder,
    target: &str,
    lease: Uuid,
    lane: &str,
) -> Result<Option<Leased>, StoreError> {
    let row = sqlx::query(
        "UPDATE deliveries SET tries = tries + 1, first_tried_at = coalesce(first_tried_at, $4), tried_at = $4
         WHERE tenant = $1 AND id = (SELECT id FROM deliveries
             WHERE tenant = $1 AND target = $2 AND lane = $3 AND state = 'open' ORDER BY seq LIMIT 1)
         RETURNING id, interaction, step, key, payload, tries, first_tried_at",
    )
    .bind(order.tenant.as_str())
    .bind(target)
    .bind(lane)
    .bind(order.now.as_microsecond())
    .fetch_optional(&mut *conn)
    .await
    .map_err(|e| failed(LEASING, e))?;
    let Some(row) = row else { return Ok(None) };
    let get = |e| failed(LEASING, e);
    let interaction = row.try_get::<Option<Uuid>, _>("interaction").map_err(get)?.map(InteractionId);
    let step = Step(row.try_get("step").map_err(get)?);
    let record = match interaction {
        Some(interaction) => {
            record_of(conn, &order.tenant, target, interaction, step.part(), LEASING).await?
        }
        None => None,
    };
    Ok(Some(Leased {
        id: DeliveryId(row.try_get("id").map_err(get)?),
        lease,
        tenant: order.tenant.clone(),
        target: order.target.clone(),
        lane: Lane(lane.to_owned()),
        interaction,
        step,
        key: row.try_get("key").map_err(get)?,
        payload: Clear::new(row.try_get::<String, _>("payload").map_err(get)?),
        tries: count(&row, "tries", LEASING)?,
        first_tried_at: time(&row, "first_tried_at", LEASING)?.unwrap_or(order.now),
        record,
    }))
}

pub(super) async fn renew(conn: &mut Conn, leased: &Leased, until: Timestamp) -> Result<bool, StoreError> {
    hold(conn, leased, until, Some(leased.lease), LEASING).await
}

/// Moves a lane that is held: to a later end of the lease, or without a lease to its next time.
async fn hold(
    conn: &mut Conn,
    leased: &Leased,
    due: Timestamp,
    lease: Option<Uuid>,
    doing: &'static str,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE delivery_lanes SET due_at = $4, lease = $6
         WHERE tenant = $1 AND target = $2 AND lane = $3 AND lease = $5",
    )
    .bind(leased.tenant.as_str())
    .bind(leased.target.to_string())
    .bind(&leased.lane.0)
    .bind(due.as_microsecond())
    .bind(leased.lease)
    .bind(lease)
    .execute(conn)
    .await
    .map_err(|e| failed(doing, e))?;
    Ok(done.rows_affected() == 1)
}

/// Why a settlement is undone.
pub(super) enum Stop {
    Outcome(Settled),
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

pub(super) async fn settle(
    conn: &mut Conn,
    cap: u32,
    leased: &Leased,
    settlement: &Settlement,
    history: Option<&InteractionWrite>,
    now: Timestamp,
) -> Result<(), Stop> {
    // First the interaction, then the lane, as whoever enqueues does: two who hold one and want the other would wait
    // for ever.
    if let Some(history) = history {
        interactions::store(conn, cap, history).await.map_err(|stop| match stop {
            interactions::Stop::Outcome(_) => Stop::Outcome(Settled::Conflict),
            interactions::Stop::Failed(error) => Stop::Failed(error),
        })?;
    }
    let due = match settlement {
        Settlement::Retry { at, .. } | Settlement::Untried { at, .. } => *at,
        Settlement::Done { .. }
        | Settlement::Superseded { .. }
        | Settlement::Dead { .. }
        | Settlement::Pause { .. } => now,
    };
    if !hold(conn, leased, due, None, SETTLING).await? {
        return Err(Stop::Outcome(Settled::Lost));
    }
    match settlement {
        Settlement::Done { record } => {
            // What the CRM has now it must not have here for longer than needed.
            close(conn, leased, DeliveryState::Done, (None, record.as_ref()), now).await?;
            if let (Some(record), Some(interaction)) = (record, leased.interaction) {
                keep_record(conn, leased, interaction, record, now).await?;
            }
            next_of_lane(conn, leased, now).await?;
        }
        Settlement::Superseded { failure } => {
            close(conn, leased, DeliveryState::Done, (Some(failure), None), now).await?;
            next_of_lane(conn, leased, now).await?;
        }
        Settlement::Dead { failure } => {
            close(conn, leased, DeliveryState::Dead, (Some(failure), None), now).await?;
            next_of_lane(conn, leased, now).await?;
        }
        Settlement::Retry { failure, .. } => remember(conn, leased, failure).await?,
        Settlement::Pause { failure } => {
            remember(conn, leased, failure).await?;
            hand::pause(conn, &leased.tenant, &leased.target.to_string(), failure, now).await?;
        }
        Settlement::Untried { failure, .. } => {
            remember(conn, leased, failure).await?;
            sqlx::query(
                "UPDATE deliveries SET tries = tries - 1,
                     first_tried_at = CASE WHEN tries <= 1 THEN NULL ELSE first_tried_at END
                 WHERE tenant = $1 AND id = $2 AND tries > 0",
            )
            .bind(leased.tenant.as_str())
            .bind(leased.id.0)
            .execute(conn)
            .await
            .map_err(|e| failed(SETTLING, e))?;
        }
    }
    Ok(())
}

async fn close(
    conn: &mut Conn,
    leased: &Leased,
    state: DeliveryState,
    (failure, record): (Option<&Failure>, Option<&CrmRecord>),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = $3, settled_at = $4, failure_code = $5, failure_text = $6, record_kind = $7,
             record_id = $8, record_url = $9, payload = CASE WHEN $3 = 'done' THEN '' ELSE payload END
         WHERE tenant = $1 AND id = $2",
    )
    .bind(leased.tenant.as_str())
    .bind(leased.id.0)
    .bind(state.as_str())
    .bind(now.as_microsecond())
    .bind(failure.map(|f| f.code.as_str()))
    .bind(failure.map(|f| f.text.as_str()))
    .bind(record.map(|r| r.kind.as_str()))
    .bind(record.map(|r| r.id.as_str()))
    .bind(record.and_then(|r| r.url.as_deref()))
    .execute(conn)
    .await
    .map_err(|e| failed(SETTLING, e))?;
    Ok(())
}

async fn remember(conn: &mut Conn, leased: &Leased, failure: &Failure) -> Result<(), StoreError> {
    sqlx::query("UPDATE deliveries SET failure_code = $3, failure_text = $4 WHERE tenant = $1 AND id = $2")
        .bind(leased.tenant.as_str())
        .bind(leased.id.0)
        .bind(&failure.code)
        .bind(&failure.text)
        .execute(conn)
        .await
        .map_err(|e| failed(SETTLING, e))?;
    Ok(())
}

async fn keep_record(
    conn: &mut Conn,
    leased: &Leased,
    interaction: InteractionId,
    record: &CrmRecord,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO delivery_records (tenant, target, interaction, part, kind, id, url, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant, target, interaction, part)
         DO UPDATE SET kind = excluded.kind, id = excluded.id, url = excluded.url, at = excluded.at",
    )
    .bind(leased.tenant.as_str())
    .bind(leased.target.to_string())
    .bind(interaction.0)
    .bind(leased.step.part())
    .bind(&record.kind)
    .bind(&record.id)
    .bind(record.url.as_deref())
    .bind(now.as_microsecond())
    .execute(conn)
    .await
    .map_err(|e| failed(SETTLING, e))?;
    Ok(())
}

/// Lets the next delivery of a lane go, or removes the lane when there is none.
async fn next_of_lane(conn: &mut Conn, leased: &Leased, now: Timestamp) -> Result<(), StoreError> {
    let target = leased.target.to_string();
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT not_before FROM deliveries
         WHERE tenant = $1 AND target = $2 AND lane = $3 AND state = 'open' ORDER BY seq LIMIT 1",
    )
    .bind(leased.tenant.as_str())
    .bind(&target)
    .bind(&leased.lane.0)
    .fetch_optional(&mut *conn)
    .await
    .map_err(|e| failed(SETTLING, e))?;
    let Some(not_before) = next else {
        return drop_lane(conn, &leased.tenant, &target, &leased.lane.0, SETTLING).await;
    };
    sqlx::query("UPDATE delivery_lanes SET due_at = $4 WHERE tenant = $1 AND target = $2 AND lane = $3")
        .bind(leased.tenant.as_str())
        .bind(&target)
        .bind(&leased.lane.0)
        .bind(not_before.max(now.as_microsecond()))
        .execute(conn)
        .await
        .map_err(|e| failed(SETTLING, e))?;
    Ok(())
}

async fn drop_lane(
    conn: &mut Conn,
    tenant: &TenantId,
    target: &str,
    lane: &str,
    doing: &'static str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM delivery_lanes WHERE tenant = $1 AND target = $2 AND lane = $3")
        .bind(tenant.as_str())
        .bind(target)
        .bind(lane)
        .execute(conn)
        .await
        .map_err(|e| failed(doing, e))?;
    Ok(())
}

/// After the clock was set back: see the trait.
pub(super) async fn bring_forward(
    conn: &mut Conn,
    tenant: &TenantId,
    later: Timestamp,
    by: SignedDuration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    for sql in [
        "UPDATE delivery_lanes SET due_at = CASE WHEN due_at - $4 > $3 THEN due_at - $4 ELSE $3 END
         WHERE tenant = $1 AND due_at > $2",
        // Those behind the first of their lane, which come to be due when it is delivered.
        "UPDATE deliveries SET not_before = CASE WHEN not_before - $4 > $3 THEN not_before - $4 ELSE $3 END
         WHERE tenant = $1 AND state = 'open' AND not_before > $2",
    ] {
        sqlx::query(sql)
            .bind(tenant.as_str())
            .bind(later.as_microsecond())
            .bind(now.as_microsecond())
            .bind(by)
            .execute(&mut *conn)
            .await
            .map_err(|e| failed(FORWARDING, e))?;
    }
    Ok(())
}
