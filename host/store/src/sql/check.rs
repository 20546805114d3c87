//! Folding every history again, and making anew what follows from it. Compiled once for each backend.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::interactions::{Stop, put_contacts_of, put_made, put_message};
use super::reads::{READING, body, events, messages};
use super::{Backend, Conn, Row, failed};
use crate::store::{CHECK_PAGE, CheckResult, compare};
use crate::{
    Answer, Checked, Checking, EventRecord, Interaction, InteractionId, Mismatch, StoreError, TenantId,
};
use sqlx::Row as _;

const REBUILDING: &str = "rebuild an interaction in";
/// What a row is searched by.
const COLUMNS: &str =
    "body, interaction, source, reference, open_key, channel, direction, state, queue, started_at,
    updated_at, seq, pending";

impl Checking for Backend {
    fn tenants(&self) -> Answer<'_, Vec<TenantId>> {
        Box::pin(self.known_tenants())
    }

    fn check<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Checked> {
        Box::pin(self.check_tenant(tenant))
    }

    fn rebuild<'a>(&'a self, tenant: &'a TenantId, id: InteractionId) -> Answer<'a, bool> {
        let whose = tenant.clone();
        Box::pin(async move {
            let work = self.writer.run(tenant, REBUILDING, move |conn| {
                Box::pin(async move { rebuild(conn, &whose, id).await })
            });
            work.await
        })
    }

    fn faults(&self) -> Answer<'_, Vec<String>> {
        Box::pin(self.database_faults())
    }
}

impl Backend {
    async fn check_tenant(&self, tenant: &TenantId) -> CheckResult {
        let mut checked = Checked::default();
        let mut after = InteractionId(Uuid::nil());
        loop {
            // A page and its histories are of one moment, so that work that goes on is no mismatch.
            let mut tx = self.read(tenant, READING).await?;
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
                "SELECT {COLUMNS} FROM interactions WHERE tenant = $1 AND interaction > $2
                 ORDER BY interaction LIMIT $3"
            )))
            .bind(tenant.as_str())
            .bind(after.0)
            .bind(i64::from(CHECK_PAGE))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            if rows.is_empty() {
                return Ok(checked);
            }
            for row in &rows {
                after = InteractionId(row.try_get("interaction").map_err(|e| failed(READING, e))?);
                // One that cannot be read is named, and the others are checked all the same.
                match check_one(&mut tx, tenant, row, &mut checked).await {
                    Err(error) if error.fault() == crate::Fault::UnreadableRow => {
                        checked.interactions = checked.interactions.saturating_add(1);
                        checked.mismatches.push(Mismatch::Unreadable { interaction: after });
                    }
                    other => other?,
                }
            }
        }
    }

    async fn known_tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT tenant FROM tenants ORDER BY tenant")
            .fetch_all(self.reading())
            .await
            .map_err(|e| failed(READING, e))?;
        names
            .iter()
            .map(|name| TenantId::new(name).map_err(|_| super::unreadable(READING, "tenant")))
            .collect()
    }
}

async fn check_one(
    conn: &mut Conn,
    tenant: &TenantId,
    row: &Row,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let stored: Interaction = body(row)?;
    let interaction = stored.id;
    let history = events(conn, tenant, interaction, 0, i64::MAX).await?;
    let told = messages(conn, tenant, interaction, 0, i64::MAX).await?;
    let known = checked.mismatches.len();
    compare(checked, &stored, &told, &history);
    if checked.mismatches.len() > known {
        // What is searched by follows from the row: it is compared once that is right.
        return Ok(());
    }
    if !has_its_columns(conn, row, &stored, &history).await? {
        checked.mismatches.push(Mismatch::Columns { interaction });
    }
    if !stands_on_timelines(conn, &stored).await? {
        checked.mismatches.push(Mismatch::Timeline { interaction });
    }
    Ok(())
}

/// Whether the row is found by what it says.
async fn has_its_columns(
    conn: &mut Conn,
    row: &Row,
    of: &Interaction,
    history: &[EventRecord],
) -> Result<bool, StoreError> {
    let answered: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM findings WHERE tenant = $1 AND interaction = $2")
            .bind(of.tenant.as_str())
            .bind(of.id.0)
            .fetch_one(conn)
            .await
            .map_err(|e| failed(READING, e))?;
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map_err(|e| failed(READING, e));
    let number = |column: &str| row.try_get::<i64, _>(column).map_err(|e| failed(READING, e));
    let asked = i64::try_from(of.asked.len()).unwrap_or(i64::MAX);
    let changed = history.last().map_or(0, |last| last.recorded_at.as_microsecond());
    Ok(text("source")?.as_deref() == Some(of.source.as_str())
        && text("reference")?.as_deref() == of.reference.as_ref().map(crate::CallId::as_str)
        && text("open_key")? == of.open_key()
        && text("channel")?.as_deref() == Some(of.channel.as_str())
        && text("direction")?.as_deref() == Some(of.direction.as_str())
        && text("state")?.as_deref() == Some(of.state.as_str())
        && text("queue")? == of.queue
        && number("started_at")? == of.started_at.as_microsecond()
        && number("updated_at")? == changed
        && number("seq")? == i64::from(of.seq)
        && number("pending")? == asked.saturating_sub(answered).max(0))
}

/// Whether it stands on the timeline of each of its customer's names, on no other, and the names know one another.
async fn stands_on_timelines(conn: &mut Conn, of: &Interaction) -> Result<bool, StoreError> {
    let wanted: BTreeSet<String> = of.contacts.iter().map(|contact| contact.renewed().key()).collect();
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT contact FROM interaction_contacts WHERE tenant = $1 AND started_at = $2 AND interaction = $3",
    )
    .bind(of.tenant.as_str())
    .bind(of.started_at.as_microsecond())
    .bind(of.id.0)
    .fetch_all(&mut *conn)
    .await
    .map_err(|e| failed(READING, e))?;
    if found.into_iter().collect::<BTreeSet<_>>() != wanted {
        return Ok(false);
    }
    for name in wanted.iter().filter(|_| wanted.len() > 1) {
        let known: Vec<String> =
            sqlx::query_scalar("SELECT alias FROM contact_aliases WHERE tenant = $1 AND contact = $2")
                .bind(of.tenant.as_str())
                .bind(name)
                .fetch_all(&mut *conn)
                .await
                .map_err(|e| failed(READING, e))?;
        let known: BTreeSet<String> = known.into_iter().collect();
        if !wanted.iter().filter(|other| *other != name).all(|other| known.contains(other)) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn rebuild(conn: &mut Conn, tenant: &TenantId, id: InteractionId) -> Result<bool, StoreError> {
    let history = events(conn, tenant, id, 0, i64::MAX).await?;
    let Ok(Some(made)) = crate::fold(tenant, id, &history) else { return Ok(false) };
    let Some(last) = history.last() else { return Ok(false) };
    put_made(conn, &made, last.recorded_at).await.map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Outcome(_) => failed(REBUILDING, sqlx::Error::RowNotFound),
    })?;
    for table in ["messages", "interaction_contacts"] {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE tenant = $1 AND interaction = $2"
        )))
        .bind(tenant.as_str())
        .bind(id.0)
        .execute(&mut *conn)
        .await
        .map_err(|e| failed(REBUILDING, e))?;
    }
    for message in crate::fold_messages(&history) {
        put_message(conn, &made, &message).await?;
    }
    put_contacts_of(conn, &made, last.recorded_at).await?;
    Ok(true)
}
