//! The search for the contact on whom an account could stand: who has the number, asked of the CRM for the journal. It
//! tells the CRM nothing; what was withheld from it becomes a delivery of its own when somebody is found.

use ramal_capability::{Authority, Clear, Rule};
use ramal_center::{Candidate, CenterError};
use ramal_delivery::Outcome;
use ramal_engine::{CallError, FindByPhone, Plugin};
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
            Err(error) => return unanswered(error),
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

/// What a search that got no answer means. A grant may allow the journal and no look-ups: then nobody is found, and what
/// else the CRM is to be told does not wait for a person.
pub(super) fn unanswered(error: CallError) -> Outcome {
    match error {
        CallError::Denied(denial)
            if !matches!(denial.rule, Rule::GrantEnded | Rule::Suspended | Rule::Subjects | Rule::Ledger) =>
        {
            tracing::info!(%denial, "a contact may not be searched for");
            Outcome::Done(None)
        }
        error => ended(error),
    }
}

fn store_failed(error: &StoreError) -> Outcome {
    Outcome::Transient(Failure::new("store-failed", error.to_string()))
}
