//! What sources told and when. Compiled once for each backend.

use jiff::Timestamp;
use sqlx::Row as _;

use super::reads::{READING, body};
use super::{Backend, Row, failed, unreadable};
use crate::activity::HOUR;
use crate::{Activity, ActivityStore, Answer, Carried, Channel, Interaction, SourceId, StoreError, TenantId};

impl ActivityStore for Backend {
    fn sources<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<SourceId>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            // From one to the next by the index: there are a handful, in millions of rows.
            let found: Vec<Option<String>> = sqlx::query_scalar(
                "WITH RECURSIVE found(source) AS (
                     SELECT MIN(source) FROM interactions WHERE tenant = $1
                     UNION ALL
                     SELECT (SELECT MIN(i.source) FROM interactions i WHERE i.tenant = $1 AND i.source > found.source)
                     FROM found WHERE found.source IS NOT NULL)
                 SELECT source FROM found WHERE source IS NOT NULL",
            )
            .bind(tenant.as_str())
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let named = found.into_iter().flatten();
            named.map(|name| SourceId::new(&name).map_err(|_| unreadable(READING, "source"))).collect()
        })
    }

    fn activity<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        since: Timestamp,
    ) -> Answer<'a, Activity> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            // Two questions: only one alone is answered by the index.
            let first: Option<i64> =
                sqlx::query_scalar("SELECT MIN(received_at) FROM receipts WHERE tenant = $1 AND source = $2")
                    .bind(tenant.as_str())
                    .bind(source.as_str())
                    .fetch_one(&mut *tx)
                    .await
                    .map_err(|e| failed(READING, e))?;
            let last: Option<i64> =
                sqlx::query_scalar("SELECT MAX(received_at) FROM receipts WHERE tenant = $1 AND source = $2")
                    .bind(tenant.as_str())
                    .bind(source.as_str())
                    .fetch_one(&mut *tx)
                    .await
                    .map_err(|e| failed(READING, e))?;
            let rows = sqlx::query(
                "SELECT received_at / $4 AS hour, COUNT(*) AS events FROM receipts
                 WHERE tenant = $1 AND source = $2 AND received_at >= $3 GROUP BY received_at / $4",
            )
            .bind(tenant.as_str())
            .bind(source.as_str())
            .bind(since.as_microsecond())
            .bind(HOUR)
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let by_hour = rows.iter().map(hour).collect::<Result<_, _>>()?;
            Ok(Activity { first: time(first)?, last: time(last)?, by_hour })
        })
    }

    fn carried<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        since: Timestamp,
        limit: u32,
    ) -> Answer<'a, Carried> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let rows = sqlx::query(
                "SELECT channel, COUNT(*) AS count FROM interactions
                 WHERE tenant = $1 AND source = $2 AND started_at >= $3 GROUP BY channel",
            )
            .bind(tenant.as_str())
            .bind(source.as_str())
            .bind(since.as_microsecond())
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let by_channel = rows.iter().map(counted).collect::<Result<_, _>>()?;
            let rows = sqlx::query(
                "SELECT body FROM interactions WHERE tenant = $1 AND source = $2
                 ORDER BY started_at DESC, interaction DESC LIMIT $3",
            )
            .bind(tenant.as_str())
            .bind(source.as_str())
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let latest = rows.iter().map(body::<Interaction>).collect::<Result<_, _>>()?;
            Ok(Carried { by_channel, latest })
        })
    }
}

fn time(micros: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    let read = micros.map(Timestamp::from_microsecond).transpose();
    read.map_err(|_| unreadable(READING, "received_at"))
}

fn hour(row: &Row) -> Result<(Timestamp, u64), StoreError> {
    let number: i64 = row.try_get("hour").map_err(|e| failed(READING, e))?;
    let begins = Timestamp::from_microsecond(number.saturating_mul(HOUR));
    Ok((begins.map_err(|_| unreadable(READING, "received_at"))?, count(row, "events")?))
}

fn counted(row: &Row) -> Result<(Channel, u64), StoreError> {
    let channel: String = row.try_get("channel").map_err(|e| failed(READING, e))?;
    Ok((channel.parse().map_err(|()| unreadable(READING, "channel"))?, count(row, "count")?))
}

fn count(row: &Row, column: &'static str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column).map_err(|e| failed(READING, e))?;
    Ok(number.unsigned_abs())
}
