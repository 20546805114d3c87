//! The search for the contact on whom an account could stand: who has the number, asked of the CRM for the journal. It
//! tells the CRM nothing; what was withheld from it becomes a delivery of its own when somebody is found.

use ramal_capability::{Authority, Clear};
use ramal_center::{Candidate, CenterError};
use ramal_delivery::Outcome;
use ramal_engine::{FindByPhone, Plugin};
use ramal_store::{Failure, Leased, StoreError, Target};

use super::{PluginCourier, Terms, ended};

impl PluginCourier {
    pub(super) async fn search(&self, plugin: &Plugin, job: &Leased, who: Authority) -> Outcome {
        let (Target::Plugin(name), Some(interaction)) = (&job.target, job.interaction) else {
            return Outcome::Done(None);
        };
        let number = match self.center.unmatched(&job.tenant, interaction, name).await {
            Ok(Some(number)) => number,
            Ok(None) => return Outcome::Done(None),
            Err(error) => return store_failed(&error),
        };
        let candidates = number.variants().iter().map(|form| Clear::from(form.e164())).collect();
        let called = plugin.call(who, FindByPhone { candidates }).await;
        self.accounts.charge(&Terms::of(plugin), &called.report);
        let found = match called.outcome {
            Ok(found) => found,
            Err(error) => return ended(error),
        };
        let among: Vec<Candidate> =
            found.into_iter().map(|contact| Candidate { id: contact.id, url: contact.url }).collect();
        match self.center.matched(&job.tenant, interaction, name, &among).await {
            Ok(()) => Outcome::Done(None),
            Err(CenterError::Store(error)) => store_failed(&error),
            Err(error) => Outcome::Transient(Failure::new(error.code(), error.to_string())),
        }
    }
}

fn store_failed(error: &StoreError) -> Outcome {
    Outcome::Transient(Failure::new("store-failed", error.to_string()))
}
