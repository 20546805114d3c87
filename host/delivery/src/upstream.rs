//! What one CRM account can take at the moment, for everybody who calls it: one budget, one circuit.
//!
//! Several plugins, the screen pop and the deliveries of a tenant may all end at the same account, which counts them
//! together. So whoever calls asks here first.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use ramal_store::TenantId;

use crate::decision::later;
use crate::{Admission, Bucket, Circuit, Class, LONGEST_WAIT, Rate, Verdict};

/// How long an account is left alone that asked for it without saying how long.
const UNKNOWN_REST: Duration = Duration::from_secs(5);

/// A tenant's account at a CRM, by the CRM's origin.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Upstream {
    /// Whose account.
    pub tenant: TenantId,
    /// The server, such as `https://crm.example.com`.
    pub origin: String,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.origin, self.tenant)
    }
}

/// The accounts that were ever called.
#[derive(Debug, Default)]
pub struct Upstreams(Mutex<HashMap<Upstream, State>>);

#[derive(Debug, Default)]
struct State {
    bucket: Bucket,
    circuit: Circuit,
}

impl Upstreams {
    /// Asks for one call.
    ///
    /// # Errors
    /// When it must wait: the moment to ask again.
    pub fn enter(
        self: &Arc<Self>,
        upstream: &Upstream,
        rate: Rate,
        class: Class,
        now: Timestamp,
    ) -> Result<Pass, Timestamp> {
        let mut all = self.0.lock();
        let state = all.entry(upstream.clone()).or_default();
        // The budget first: a probe that is let through must be made.
        state.bucket.take(rate, class, now)?;
        let probe = match state.circuit.admit(now) {
            Admission::Free => false,
            Admission::Probe => true,
            Admission::Refused(until) => {
                state.bucket.give_back(rate);
                return Err(until);
            }
        };
        Ok(Pass {
            upstreams: Arc::clone(self),
            upstream: upstream.clone(),
            rate,
            probe,
            entered: now,
            used: false,
        })
    }

    /// Lets nothing through to an account for as long as it asked for, whoever was told so: it means everybody.
    pub fn limited(&self, upstream: &Upstream, wish: Option<Duration>, now: Timestamp) {
        self.rest_until(upstream, later(now, wish.unwrap_or(UNKNOWN_REST).min(LONGEST_WAIT)));
    }

    /// Lets nothing through to an account until a moment.
    pub fn rest_until(&self, upstream: &Upstream, until: Timestamp) {
        self.0.lock().entry(upstream.clone()).or_default().bucket.rest_until(until);
    }

    /// Takes out of an account's budget what one call cost beyond the request that was asked for: a plugin's call may
    /// be several requests, and how many is known when it has ended.
    pub fn charge(&self, upstream: &Upstream, rate: Rate, requests: u64, now: Timestamp) {
        let more = u32::try_from(requests.saturating_sub(1)).unwrap_or(u32::MAX);
        if more > 0 {
            self.0.lock().entry(upstream.clone()).or_default().bucket.charge(rate, more, now);
        }
    }

    /// Whether an account's circuit is open.
    pub fn is_open(&self, upstream: &Upstream) -> bool {
        self.0.lock().get(upstream).is_some_and(|state| state.circuit.is_open())
    }
}

/// The right to make one call. Dropped without a report, it was not made.
#[derive(Debug)]
pub struct Pass {
    upstreams: Arc<Upstreams>,
    upstream: Upstream,
    rate: Rate,
    probe: bool,
    entered: Timestamp,
    used: bool,
}

impl Pass {
    /// Which account.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Says what the call told of the account's health.
    pub fn report(mut self, verdict: Verdict, now: Timestamp) {
        self.used = true;
        if let Some(state) = self.upstreams.0.lock().get_mut(&self.upstream) {
            state.circuit.report(self.probe, verdict, now);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.used {
            return;
        }
        if let Some(state) = self.upstreams.0.lock().get_mut(&self.upstream) {
            state.bucket.give_back(self.rate);
            state.circuit.report(self.probe, Verdict::Unknown, self.entered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const RATE: Rate = Rate { every: Duration::from_secs(1), burst: 10, kept: 0 };

    fn upstream(tenant: &str) -> Upstream {
        Upstream { tenant: TenantId::new(tenant).unwrap(), origin: "https://crm.example.com".to_owned() }
    }
    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn one_tenants_outage_and_haste_are_not_anothers() {
        let upstreams = Arc::new(Upstreams::default());
        let (ours, theirs) = (upstream("acme"), upstream("other"));
        for _ in 0..5 {
            upstreams.enter(&ours, RATE, Class::Batch, noon()).unwrap().report(Verdict::Failing, noon());
        }
        assert!(upstreams.is_open(&ours));
        assert!(!upstreams.is_open(&theirs));
        upstreams.rest_until(&ours, noon());
        assert!(upstreams.enter(&theirs, RATE, Class::Batch, noon()).is_ok());
    }

    #[test]
    fn a_call_that_was_not_made_gives_back_budget_and_probe() {
        let upstreams = Arc::new(Upstreams::default());
        let ours = upstream("acme");
        for _ in 0..5 {
            upstreams.enter(&ours, RATE, Class::Batch, noon()).unwrap().report(Verdict::Failing, noon());
        }
        let after = later(noon(), Duration::from_secs(15));
        for _ in 0..100 {
            drop(upstreams.enter(&ours, RATE, Class::Batch, after).unwrap());
        }
        let probe = upstreams.enter(&ours, RATE, Class::Batch, after).unwrap();
        assert!(upstreams.enter(&ours, RATE, Class::Interactive, after).is_err());
        probe.report(Verdict::Healthy, after);
        assert!(upstreams.enter(&ours, RATE, Class::Interactive, after).is_ok());
    }

    #[rstest]
    #[case::as_long_as_it_says(Some(90), 90)]
    #[case::a_little_when_it_does_not_say(None, 5)]
    #[case::no_longer_than_an_hour(Some(86_400), 3600)]
    fn who_asks_for_rest_gets_it_from_people_and_deliveries(#[case] wish: Option<u64>, #[case] seconds: u64) {
        let upstreams = Arc::new(Upstreams::default());
        let ours = upstream("acme");
        upstreams.limited(&ours, wish.map(Duration::from_secs), noon());
        let until = later(noon(), Duration::from_secs(seconds));
        for class in [Class::Interactive, Class::Batch] {
            assert_eq!(upstreams.enter(&ours, RATE, class, noon()).unwrap_err(), until);
        }
    }

    #[test]
    fn a_call_of_several_requests_costs_as_many() {
        let upstreams = Arc::new(Upstreams::default());
        let ours = upstream("acme");
        upstreams.enter(&ours, RATE, Class::Batch, noon()).unwrap().report(Verdict::Healthy, noon());
        upstreams.charge(&ours, RATE, 8, noon());
        let passed = |_: &u32| match upstreams.enter(&ours, RATE, Class::Batch, noon()) {
            Ok(pass) => {
                pass.report(Verdict::Healthy, noon());
                true
            }
            Err(_) => false,
        };
        assert_eq!((0..20).filter(passed).count(), 2);
    }

    #[test]
    fn an_open_circuit_costs_no_budget() {
        let upstreams = Arc::new(Upstreams::default());
        let ours = upstream("acme");
        for _ in 0..5 {
            upstreams.enter(&ours, RATE, Class::Batch, noon()).unwrap().report(Verdict::Failing, noon());
        }
        for _ in 0..100 {
            assert!(upstreams.enter(&ours, RATE, Class::Batch, noon()).is_err());
        }
        let bucket = upstreams.0.lock().get(&ours).unwrap().bucket;
        assert_eq!(bucket.clone().take(RATE, Class::Batch, noon()), Ok(()));
    }
}
