//! Who delivers: plugins to CRMs, the host itself to webhooks.

use futures_util::future::BoxFuture;
use ramal_capability::TenantId;
use ramal_delivery::{Courier, Outcome, Road};
use ramal_store::{Leased, Target};

use super::courier::PluginCourier;
use super::webhook::WebhookCourier;

/// Every courier of the host, each for its kind of target.
pub(super) struct Couriers {
    pub(super) plugins: PluginCourier,
    pub(super) webhooks: WebhookCourier,
}

impl Couriers {
    fn to(&self, target: &Target) -> &dyn Courier {
        match target {
            Target::Plugin(_) => &self.plugins,
            Target::Webhook(_) => &self.webhooks,
        }
    }
}

impl Courier for Couriers {
    fn road(&self, tenant: &TenantId, target: &Target) -> Option<Road> {
        self.to(target).road(tenant, target)
    }

    fn deliver<'a>(&'a self, job: &'a Leased) -> BoxFuture<'a, Outcome> {
        self.to(&job.target).deliver(job)
    }
}
