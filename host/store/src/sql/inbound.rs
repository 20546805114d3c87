//! What CRMs tell by themselves. Compiled once for each backend.

use jiff::Timestamp;
use sqlx::Row as _;
use uuid::Uuid;

use super::live::append_live;
use super::{Backend, Conn, Row, failed, unreadable};
use crate::inbound::{from_text, to_text};
use crate::{
    Answer, Failure, HookSettlement, InboundOrder, InboundStore, LeasedHook, LeasedSync, LiveId, Lost,
    NewHook, NewLive, PluginId, StoreError, SyncSettlement, Taken, TenantId,
};

const TAKING: &str = "store what came to a hook in";
const HEARING: &str = "lease or settle what came to a hook in";
const READING: &str = "read what came to hooks from";
const ASKING: &str = "lease or settle a question for changes in";

impl InboundStore for Backend {
    fn take_hook<'a>(&'a self, new: &'a NewHook) -> Answer<'a, Taken> {
        let owned = new.clone();
        Box::pin(
            self.writer
                .run(&new.tenant, TAKING, move |conn| Box::pin(async move { take(conn, &owned).await })),
        )
    }

    fn lease_hooks<'a>(&'a self, order: &'a InboundOrder, limit: u32) -> Answer<'a, Vec<LeasedHook>> {
        let owned = order.clone();
        Box::pin(self.writer.run(&order.tenant, HEARING, move |conn| {
            Box::pin(async move { lease(conn, &owned, limit).await })
        }))
    }

    fn settle_hook<'a>(
        &'a self,
        leased: &'a LeasedHook,
        settlement: &'a HookSettlement,
        live: Vec<NewLive>,
        now: Timestamp,
    ) -> Answer<'a, Result<Option<LiveId>, Lost>> {
        let (owned, what, cap) = (leased.clone(), settlement.clone(), self.live_events);
        Box::pin(self.writer.run(&leased.tenant, HEARING, move |conn| {
            Box::pin(async move {
                if !settle(conn, &owned, &what, now).await? {
                    return Ok(Err(Lost));
                }
                tell(conn, cap, &owned.tenant, &live, now).await.map(Ok)
            })
        }))
    }

    fn next_hook<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, Option<Timestamp>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let due: Option<i64> = sqlx::query_scalar(
                "SELECT min(due_at) FROM hooks WHERE tenant = $1 AND plugin = $2 AND state = 'open'",
            )
            .bind(tenant.as_str())
            .bind(plugin.as_str())
            .fetch_one(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            due.map(|due| time(due, READING)).transpose()
        })
    }

    fn prune_hooks<'a>(&'a self, tenant: &'a TenantId, before: Timestamp, limit: u32) -> Answer<'a, u64> {
        let whose = tenant.clone();
        Box::pin(self.writer.run(tenant, HEARING, move |conn| {
            Box::pin(async move {
                let done = sqlx::query(
                    "DELETE FROM hooks WHERE tenant = $1 AND id IN (SELECT id FROM hooks
                         WHERE tenant = $1 AND state <> 'open' AND settled_at < $2 ORDER BY settled_at LIMIT $3)",
                )
                .bind(whose.as_str())
                .bind(before.as_microsecond())
                .bind(i64::from(limit))
                .execute(conn)
                .await
                .map_err(|e| failed(HEARING, e))?;
                Ok::<_, StoreError>(done.rows_affected())
            })
        }))
    }

    fn lease_sync<'a>(&'a self, order: &'a InboundOrder) -> Answer<'a, Option<LeasedSync>> {
        let owned = order.clone();
        Box::pin(
            self.writer.run(&order.tenant, ASKING, move |conn| {
                Box::pin(async move { lease_sync(conn, &owned).await })
            }),
        )
    }

    fn settle_sync<'a>(
        &'a self,
        leased: &'a LeasedSync,
        settlement: &'a SyncSettlement,
        live: Vec<NewLive>,
        now: Timestamp,
    ) -> Answer<'a, Result<Option<LiveId>, Lost>> {
        let (owned, what, cap) = (leased.clone(), settlement.clone(), self.live_events);
        Box::pin(self.writer.run(&leased.tenant, ASKING, move |conn| {
            Box::pin(async move {
                if !settle_sync(conn, &owned, &what, now).await? {
                    return Ok(Err(Lost));
                }
                tell(conn, cap, &owned.tenant, &live, now).await.map(Ok)
            })
        }))
    }

    fn next_sync<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, Option<Timestamp>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let due: Option<i64> = sqlx::query_scalar(
                "SELECT due_at FROM syncs WHERE tenant = $1 AND plugin = $2 AND stopped_at IS NULL",
            )
            .bind(tenant.as_str())
            .bind(plugin.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            due.map(|due| time(due, READING)).transpose()
        })
    }

    fn resume_sync<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        now: Timestamp,
    ) -> Answer<'a, bool> {
        let (whose, plugin) = (tenant.clone(), plugin.clone());
        Box::pin(self.writer.run(tenant, ASKING, move |conn| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE syncs SET stopped_at = NULL, tries = 0, due_at = $3
                     WHERE tenant = $1 AND plugin = $2 AND stopped_at IS NOT NULL",
                )
                .bind(whose.as_str())
                .bind(plugin.as_str())
                .bind(now.as_microsecond())
                .execute(conn)
                .await
                .map_err(|e| failed(ASKING, e))?;
                Ok::<_, StoreError>(done.rows_affected() == 1)
            })
        }))
    }
}

fn time(micros: i64, doing: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| unreadable(doing, "a time"))
}

/// The live events that follow, in the same transaction.
async fn tell(
    conn: &mut Conn,
    cap: u32,
    tenant: &TenantId,
    live: &[NewLive],
    now: Timestamp,
) -> Result<Option<LiveId>, StoreError> {
    let mut last = None;
    for event in live {
        last = Some(append_live(conn, cap, tenant, event, now).await?);
    }
    Ok(last)
}

// === hooks ===

/// A tenant's writers take turns, so nobody stores the same between the question and the row.
async fn take(conn: &mut Conn, new: &NewHook) -> Result<Taken, StoreError> {
    let known: Option<i64> = sqlx::query_scalar(
        "SELECT received_at FROM hooks
         WHERE tenant = $1 AND plugin = $2 AND hook = $3 AND digest = $4 AND received_at >= $5 LIMIT 1",
    )
    .bind(new.tenant.as_str())
    .bind(new.plugin.as_str())
    .bind(new.hook.as_str())
    .bind(new.digest.as_slice())
    .bind(new.repeats_since.as_microsecond())
    .fetch_optional(&mut *conn)
    .await
    .map_err(|e| failed(TAKING, e))?;
    if known.is_some() {
        return Ok(Taken::Repeated);
    }
    sqlx::query("INSERT INTO tenants (tenant) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(new.tenant.as_str())
        .execute(&mut *conn)
        .await
        .map_err(|e| failed(TAKING, e))?;
    sqlx::query(
        "INSERT INTO hooks (tenant, id, plugin, hook, digest, body, state, received_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $7)",
    )
    .bind(new.tenant.as_str())
    .bind(Uuid::now_v7())
    .bind(new.plugin.as_str())
    .bind(new.hook.as_str())
    .bind(new.digest.as_slice())
    .bind(to_text(&new.came))
    .bind(new.at.as_microsecond())
    .execute(conn)
    .await
    .map_err(|e| failed(TAKING, e))?;
    Ok(Taken::Stored)
}

async fn lease(conn: &mut Conn, order: &InboundOrder, limit: u32) -> Result<Vec<LeasedHook>, StoreError> {
    let lease = Uuid::new_v4();
    let rows = sqlx::query(
        "UPDATE hooks SET lease = $5, due_at = $6, tries = tries + 1,
             first_tried_at = coalesce(first_tried_at, $3)
         WHERE tenant = $1 AND id IN (SELECT id FROM hooks
             WHERE tenant = $1 AND plugin = $2 AND state = 'open' AND due_at <= $3 ORDER BY due_at, id LIMIT $4)
         RETURNING id, hook, body, tries, first_tried_at",
    )
    .bind(order.tenant.as_str())
    .bind(order.plugin.as_str())
    .bind(order.now.as_microsecond())
    .bind(i64::from(limit))
    .bind(lease)
    .bind(order.until.as_microsecond())
    .fetch_all(conn)
    .await
    .map_err(|e| failed(HEARING, e))?;
    let mut all = rows.iter().map(|row| leased(row, order, lease)).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|hook| hook.id);
    Ok(all)
}

fn leased(row: &Row, order: &InboundOrder, lease: Uuid) -> Result<LeasedHook, StoreError> {
    let get = |e| failed(HEARING, e);
    let hook: String = row.try_get("hook").map_err(get)?;
    let body: String = row.try_get("body").map_err(get)?;
    let tries: i64 = row.try_get("tries").map_err(get)?;
    Ok(LeasedHook {
        id: row.try_get("id").map_err(get)?,
        lease,
        tenant: order.tenant.clone(),
        hook: hook.parse().map_err(|_| unreadable(HEARING, "hook"))?,
        came: from_text(&body).ok_or_else(|| unreadable(HEARING, "body"))?,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
        first_tried_at: time(row.try_get("first_tried_at").map_err(get)?, HEARING)?,
    })
}

async fn settle(
    conn: &mut Conn,
    leased: &LeasedHook,
    settlement: &HookSettlement,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (state, due, failure) = match settlement {
        HookSettlement::Done => ("done", now, None),
        HookSettlement::Retry { at, failure } => ("open", *at, Some(failure)),
        HookSettlement::Dead { failure } => ("dead", now, Some(failure)),
    };
    let done = sqlx::query(
        "UPDATE hooks SET state = $4, due_at = $5, lease = NULL, failure_code = $6, failure_text = $7,
             settled_at = CASE WHEN $4 = 'open' THEN NULL ELSE $8 END,
             body = CASE WHEN $4 = 'done' THEN '' ELSE body END
         WHERE tenant = $1 AND id = $2 AND lease = $3 AND state = 'open'",
    )
    .bind(leased.tenant.as_str())
    .bind(leased.id)
    .bind(leased.lease)
    .bind(state)
    .bind(due.as_microsecond())
    .bind(failure.map(|f: &Failure| f.code.as_str()))
    .bind(failure.map(|f: &Failure| f.text.as_str()))
    .bind(now.as_microsecond())
    .execute(conn)
    .await
    .map_err(|e| failed(HEARING, e))?;
    Ok(done.rows_affected() == 1)
}

// === questions for changes ===

async fn lease_sync(conn: &mut Conn, order: &InboundOrder) -> Result<Option<LeasedSync>, StoreError> {
    sqlx::query(
        "INSERT INTO syncs (tenant, plugin, due_at) VALUES ($1, $2, $3) ON CONFLICT (tenant, plugin) DO NOTHING",
    )
    .bind(order.tenant.as_str())
    .bind(order.plugin.as_str())
    .bind(order.now.as_microsecond())
    .execute(&mut *conn)
    .await
    .map_err(|e| failed(ASKING, e))?;
    let lease = Uuid::new_v4();
    let row = sqlx::query(
        "UPDATE syncs SET lease = $4, due_at = $5, tries = tries + 1
         WHERE tenant = $1 AND plugin = $2 AND due_at <= $3 AND stopped_at IS NULL
         RETURNING cursor, tries",
    )
    .bind(order.tenant.as_str())
    .bind(order.plugin.as_str())
    .bind(order.now.as_microsecond())
    .bind(lease)
    .bind(order.until.as_microsecond())
    .fetch_optional(conn)
    .await
    .map_err(|e| failed(ASKING, e))?;
    let get = |e| failed(ASKING, e);
    row.map(|row| {
        let tries: i64 = row.try_get("tries").map_err(get)?;
        Ok(LeasedSync {
            lease,
            tenant: order.tenant.clone(),
            plugin: order.plugin.clone(),
            cursor: row.try_get("cursor").map_err(get)?,
            tries: u32::try_from(tries).unwrap_or(u32::MAX),
        })
    })
    .transpose()
}

async fn settle_sync(
    conn: &mut Conn,
    leased: &LeasedSync,
    settlement: &SyncSettlement,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let well = matches!(settlement, SyncSettlement::Done { .. });
    let stopped = matches!(settlement, SyncSettlement::Stop { .. });
    let (cursor, due, failure) = match settlement {
        SyncSettlement::Done { cursor, next } => (cursor.as_deref(), *next, None),
        SyncSettlement::Retry { at, failure } => (None, *at, Some(failure)),
        SyncSettlement::Stop { failure } => (None, now, Some(failure)),
    };
    let done = sqlx::query(
        "UPDATE syncs SET cursor = coalesce($4, cursor), due_at = $5, lease = NULL,
             tries = CASE WHEN $6 THEN 0 ELSE tries END,
             went_well_at = CASE WHEN $6 THEN $7 ELSE went_well_at END,
             stopped_at = CASE WHEN $8 THEN $7 ELSE NULL END, failure_code = $9, failure_text = $10
         WHERE tenant = $1 AND plugin = $2 AND lease = $3",
    )
    .bind(leased.tenant.as_str())
    .bind(leased.plugin.as_str())
    .bind(leased.lease)
    .bind(cursor)
    .bind(due.as_microsecond())
    .bind(well)
    .bind(now.as_microsecond())
    .bind(stopped)
    .bind(failure.map(|f: &Failure| f.code.as_str()))
    .bind(failure.map(|f: &Failure| f.text.as_str()))
    .execute(conn)
    .await
    .map_err(|e| failed(ASKING, e))?;
    Ok(done.rows_affected() == 1)
}
