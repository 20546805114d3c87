//! The outbox's trait over the queries beside this file. Compiled once for each backend.

use jiff::{SignedDuration, Timestamp};

use super::enqueue::{WRITING, insert};
use super::hand::{PAUSING, PRUNING, REPLAY_AT_ONCE, REPLAYING};
use super::read::READING;
use super::work::{FORWARDING, LEASING, SETTLING, Stop};
use super::{Backend, hand, read, work};
use crate::{
    Answer, Backlog, Clear, CrmRecord, Delivery, DeliveryFilter, DeliveryId, DueTarget, Failure,
    InteractionId, InteractionWrite, LeaseOrder, Leased, NewDelivery, OutboxBell, OutboxStore, Settled,
    Settlement, StoreError, Target, TenantId,
};

impl OutboxStore for Backend {
    fn bell(&self) -> &OutboxBell {
        &self.bell
    }

    fn enqueue<'a>(&'a self, tenant: &'a TenantId, deliveries: &'a [NewDelivery]) -> Answer<'a, u64> {
        let mut new: Vec<NewDelivery> = deliveries.iter().filter(|d| d.tenant == *tenant).cloned().collect();
        new.sort_by(|a, b| (&a.target, &a.lane).cmp(&(&b.target, &b.lane)));
        Box::pin(async move {
            let added = self
                .writer
                .run(tenant, WRITING, move |conn| {
                    Box::pin(async move {
                        let mut added = 0;
                        for delivery in &new {
                            added += u64::from(insert(conn, delivery).await?);
                        }
                        Ok::<_, StoreError>(added)
                    })
                })
                .await?;
            self.bell.ring(tenant);
            Ok(added)
        })
    }

    fn due<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<DueTarget>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            read::due(&mut tx, tenant).await
        })
    }

    fn lease<'a>(&'a self, order: &'a LeaseOrder) -> Answer<'a, Vec<Leased>> {
        let owned = order.clone();
        Box::pin(self.writer.run(&order.tenant, LEASING, move |conn| {
            Box::pin(async move { work::lease(conn, &owned).await })
        }))
    }

    fn renew<'a>(&'a self, leased: &'a Leased, until: Timestamp) -> Answer<'a, bool> {
        let owned = leased.clone();
        Box::pin(self.writer.run(&leased.tenant, LEASING, move |conn| {
            Box::pin(async move { work::renew(conn, &owned, until).await })
        }))
    }

    fn settle<'a>(
        &'a self,
        leased: &'a Leased,
        settlement: &'a Settlement,
        history: Option<InteractionWrite>,
        now: Timestamp,
    ) -> Answer<'a, Settled> {
        let (owned, what, cap) = (leased.clone(), settlement.clone(), self.live_events);
        Box::pin(async move {
            let done = self
                .writer
                .run(&leased.tenant, SETTLING, move |conn| {
                    Box::pin(
                        async move { work::settle(conn, cap, &owned, &what, history.as_ref(), now).await },
                    )
                })
                .await;
            match done {
                // No ring: whoever settles looks again by itself.
                Ok(()) => Ok(Settled::Yes),
                Err(Stop::Outcome(outcome)) => Ok(outcome),
                Err(Stop::Failed(error)) => Err(error),
            }
        })
    }

    fn crm_record<'a>(
        &'a self,
        tenant: &'a TenantId,
        target: &'a Target,
        interaction: InteractionId,
        part: &'a str,
    ) -> Answer<'a, Option<CrmRecord>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            read::record_of(&mut tx, tenant, &target.to_string(), interaction, part, READING).await
        })
    }

    fn deliveries<'a>(
        &'a self,
        tenant: &'a TenantId,
        filter: &'a DeliveryFilter,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            read::list(&mut tx, tenant, filter, before, limit).await
        })
    }

    fn delivery<'a>(&'a self, tenant: &'a TenantId, id: DeliveryId) -> Answer<'a, Option<(Delivery, Clear)>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            read::one(&mut tx, tenant, id).await
        })
    }

    fn backlog<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<Backlog>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            read::backlog(&mut tx, tenant).await
        })
    }

    fn replay<'a>(&'a self, tenant: &'a TenantId, id: DeliveryId, now: Timestamp) -> Answer<'a, bool> {
        let whose = tenant.clone();
        Box::pin(async move {
            let opened = self
                .writer
                .run(tenant, REPLAYING, move |conn| {
                    Box::pin(async move { hand::replay(conn, &whose, id, now).await })
                })
                .await?;
            self.bell.ring(tenant);
            Ok(opened)
        })
    }

    fn replay_all<'a>(&'a self, tenant: &'a TenantId, target: &'a Target, now: Timestamp) -> Answer<'a, u64> {
        Box::pin(async move {
            let mut all = 0;
            loop {
                let (whose, target) = (tenant.clone(), target.to_string());
                let opened = self
                    .writer
                    .run(tenant, REPLAYING, move |conn| {
                        Box::pin(async move { hand::replay_some(conn, &whose, &target, now).await })
                    })
                    .await?;
                self.bell.ring(tenant);
                all += opened;
                if opened < REPLAY_AT_ONCE {
                    return Ok(all);
                }
            }
        })
    }

    fn pause<'a>(
        &'a self,
        tenant: &'a TenantId,
        target: &'a Target,
        reason: &'a Failure,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        let (whose, target, reason) = (tenant.clone(), target.to_string(), reason.clone());
        Box::pin(self.writer.run(tenant, PAUSING, move |conn| {
            Box::pin(async move { hand::pause(conn, &whose, &target, &reason, now).await })
        }))
    }

    fn resume<'a>(&'a self, tenant: &'a TenantId, target: &'a Target, _: Timestamp) -> Answer<'a, bool> {
        let (whose, target) = (tenant.clone(), target.to_string());
        Box::pin(async move {
            let resumed = self
                .writer
                .run(tenant, PAUSING, move |conn| {
                    Box::pin(async move { hand::resume(conn, &whose, &target).await })
                })
                .await?;
            self.bell.ring(tenant);
            Ok(resumed)
        })
    }

    fn bring_forward<'a>(
        &'a self,
        tenant: &'a TenantId,
        later: Timestamp,
        by: SignedDuration,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        let whose = tenant.clone();
        Box::pin(self.writer.run(tenant, FORWARDING, move |conn| {
            Box::pin(async move { work::bring_forward(conn, &whose, later, by, now).await })
        }))
    }

    fn prune_delivered<'a>(&'a self, tenant: &'a TenantId, before: Timestamp, limit: u32) -> Answer<'a, u64> {
        let whose = tenant.clone();
        Box::pin(self.writer.run(tenant, PRUNING, move |conn| {
            Box::pin(async move { hand::prune(conn, &whose, before, limit).await })
        }))
    }
}
