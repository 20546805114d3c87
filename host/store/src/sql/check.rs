//! Folding every history again. Compiled once for each backend.

use uuid::Uuid;

use super::reads::{READING, body, events, messages};
use super::{Backend, failed};
use crate::store::{CHECK_PAGE, CheckResult, compare};
use crate::{Answer, Checked, Checking, Interaction, InteractionId, StoreError, TenantId};

impl Checking for Backend {
    fn tenants(&self) -> Answer<'_, Vec<TenantId>> {
        Box::pin(self.known_tenants())
    }

    fn check<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Checked> {
        Box::pin(self.check_tenant(tenant))
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
            let rows = sqlx::query(
                "SELECT body FROM interactions WHERE tenant = $1 AND interaction > $2
                 ORDER BY interaction LIMIT $3",
            )
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
                let stored: Interaction = body(row)?;
                after = stored.id;
                let history = events(&mut tx, tenant, stored.id, 0, i64::MAX).await?;
                let told = messages(&mut tx, tenant, stored.id, 0, i64::MAX).await?;
                compare(&mut checked, &stored, &told, &history);
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
