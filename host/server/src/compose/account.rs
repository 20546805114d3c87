//! A CRM account, for everybody of this host who calls it: one budget, in which people go before deliveries, and one
//! circuit.
//!
//! The CRM counts the requests of screen pops, deliveries, hooks and questions for changes together. Without this a
//! backlog of deliveries would use up what the next caller's card needs, and none would learn from the others that the
//! CRM is down or wants rest. One call is let through at a time, and when it has ended it pays for all its requests.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::Origin;
use ramal_center::LookUpFailure;
use ramal_delivery::{Class, Pass, Rate, Upstream, Upstreams, Verdict};
use ramal_engine::{CallError, CallReport, Called, Plugin, PluginError, Stop};
use tokio::time::Instant;
use tracing::Instrument;

/// Which account a plugin calls, and what that takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) upstream: Upstream,
    pub(super) rate: Rate,
}

impl Terms {
    /// By the grant in force: another one may lead to another server, and allow other limits.
    pub(super) fn of(plugin: &Plugin) -> Self {
        let plan = plugin.plan();
        // One account for each credential would be finer; plugins that share a server share its patience as well.
        let origin = plan.origin().map(Origin::to_string);
        let upstream = Upstream {
            tenant: plan.tenant().clone(),
            origin: origin.unwrap_or_else(|| format!("plugin:{}", plan.plugin())),
        };
        let per_minute = plan.limits().calls_per_minute.max(1);
        let rate = Rate { every: Duration::from_micros(60_000_000 / per_minute), ..Rate::default() };
        Self { upstream, rate }
    }
}

/// Why an account was not called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// Its last calls failed, so it is left alone for so long.
    Open(Duration),
    /// Its budget is used up, or it asked for rest, for so long.
    Spent(Duration),
    /// The call stopped without an end: a defect.
    Broken,
}

impl From<Held> for LookUpFailure {
    fn from(held: Held) -> Self {
        match held {
            Held::Open(wait) => Self::Unavailable(format!(
                "its last calls failed, so it is left alone; asked again in {} s",
                seconds(wait)
            )),
            Held::Spent(wait) => Self::RateLimited(u32::try_from(seconds(wait)).ok()),
            Held::Broken => Self::Broken("the call stopped without an end; see the log".to_owned()),
        }
    }
}

/// Whole seconds after which a wait is over.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The accounts, for everybody who calls a plugin but the worker of deliveries, which has its own way in.
#[derive(Debug, Clone, Default)]
pub(super) struct Accounts(pub(super) Arc<Upstreams>);

impl Accounts {
    /// Makes one call as soon as the account may be called, and learns from it how the account is. The call goes on to
    /// its end when the future is dropped: of a CRM that hangs nobody would learn otherwise.
    ///
    /// # Errors
    /// When the account must not be called before `patience` is over.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        terms: Terms,
        class: Class,
        patience: Instant,
        call: impl Future<Output = Called<T>> + Send + 'static,
    ) -> Result<Called<T>, Held> {
        let pass = self.enter(&terms, class, patience).await?;
        let accounts = self.clone();
        let call = async move {
            let called = call.await;
            let (error, now) = (called.outcome.as_ref().err(), Timestamp::now());
            accounts.charge(&terms, &called.report);
            if let Some(CallError::Plugin(PluginError::RateLimited(wish))) = error {
                let wish = wish.map(|seconds| Duration::from_secs(seconds.into()));
                accounts.0.limited(pass.upstream(), wish, now);
            }
            // Without a verdict nothing was sent, and the pass gives back what it took.
            if let Some(verdict) = verdict(error) {
                pass.report(verdict, now);
            }
            called
        };
        let called = tokio::spawn(call.in_current_span()).await;
        called.map_err(|_| Held::Broken)
    }

    /// Takes the requests of a call beyond the first out of the account's budget.
    pub(super) fn charge(&self, terms: &Terms, report: &CallReport) {
        self.0.charge(&terms.upstream, terms.rate, report.rules.requests, Timestamp::now());
    }

    async fn enter(&self, terms: &Terms, class: Class, patience: Instant) -> Result<Pass, Held> {
        loop {
            let now = Timestamp::now();
            let free = match self.0.enter(&terms.upstream, terms.rate, class, now) {
                Ok(pass) => return Ok(pass),
                Err(free) => free,
            };
            let wait = Duration::try_from(free.duration_since(now)).unwrap_or_default();
            if self.0.is_open(&terms.upstream) {
                return Err(Held::Open(wait));
            }
            if Instant::now() + wait >= patience {
                return Err(Held::Spent(wait));
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// What a call says of the CRM's health; nothing when it did not come so far as to ask the CRM.
fn verdict(error: Option<&CallError>) -> Option<Verdict> {
    let Some(error) = error else { return Some(Verdict::Healthy) };
    match error {
        CallError::Plugin(error) => match error {
            PluginError::Transient(_) | PluginError::Other(..) => Some(Verdict::Failing),
            // It limits us because it is alive, but whether it is well it did not say.
            PluginError::RateLimited(_) => Some(Verdict::Unknown),
            PluginError::Denied(_) | PluginError::Unsupported => None,
            PluginError::AuthExpired
            | PluginError::NotFound
            | PluginError::Invalid(_)
            | PluginError::Permanent(_) => Some(Verdict::Healthy),
        },
        CallError::Stopped { stop: Stop::WallTime, .. } => Some(Verdict::Failing),
        CallError::Stopped { .. } | CallError::Host(_) => Some(Verdict::Unknown),
        CallError::ResultTooLarge(_) => Some(Verdict::Healthy),
        CallError::Denied(_) | CallError::Busy(_) | CallError::Quarantined { .. } | CallError::Missing(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ramal_capability::TenantId;
    use rstest::rstest;
    use tokio::sync::Notify;

    const RATE: Rate = Rate { every: Duration::from_millis(20), burst: 20, kept: 5 };

    fn upstream() -> Upstream {
        Upstream { tenant: TenantId::new("acme").unwrap(), origin: "https://crm.example".to_owned() }
    }
    fn terms() -> Terms {
        Terms { upstream: upstream(), rate: RATE }
    }
    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }
    fn ended<T>(outcome: Result<T, CallError>) -> Called<T> {
        Called { outcome, report: CallReport::default() }
    }
    fn plugin(error: PluginError) -> CallError {
        CallError::Plugin(error)
    }
    /// Asks once; says why it was not let through.
    async fn refused(accounts: &Accounts) -> Option<LookUpFailure> {
        let call = async { ended(Ok(())) };
        accounts.call(terms(), Class::Interactive, Instant::now(), call).await.err().map(Into::into)
    }
    /// So slow that nothing recovers while a test runs.
    fn slow() -> Terms {
        Terms { rate: Rate { every: Duration::from_secs(60), ..RATE }, ..terms() }
    }
    /// Asks the slow account once; says why it was not let through.
    async fn turned_away(accounts: &Accounts, class: Class) -> Option<Held> {
        accounts.call(slow(), class, Instant::now(), async { ended(Ok(())) }).await.err()
    }
    /// How a delivery fares at the moment.
    fn delivers(accounts: &Accounts) -> bool {
        accounts.0.enter(&upstream(), RATE, Class::Batch, Timestamp::now()).is_ok()
    }

    #[rstest]
    #[case::answered(None, Some(Verdict::Healthy))]
    #[case::has_no_such_record(Some(plugin(PluginError::NotFound)), Some(Verdict::Healthy))]
    #[case::refuses_the_credential(Some(plugin(PluginError::AuthExpired)), Some(Verdict::Healthy))]
    #[case::is_down(Some(plugin(PluginError::Transient("502".to_owned()))), Some(Verdict::Failing))]
    #[case::hangs(Some(CallError::Stopped { stop: Stop::WallTime, said: None }), Some(Verdict::Failing))]
    #[case::limits(Some(plugin(PluginError::RateLimited(None))), Some(Verdict::Unknown))]
    #[case::was_not_asked(Some(CallError::Busy("at once")), None)]
    #[case::the_plugin_is_broken(Some(CallError::Stopped { stop: Stop::CpuTime, said: None }), Some(Verdict::Unknown))]
    fn a_call_says_how_the_crm_is(#[case] error: Option<CallError>, #[case] says: Option<Verdict>) {
        assert_eq!(verdict(error.as_ref()), says);
    }

    #[tokio::test]
    async fn look_ups_that_fail_open_the_circuit_for_both_and_the_next_is_answered_at_once() {
        let accounts = Accounts::default();
        for _ in 0..5 {
            let down = async { ended::<()>(Err(plugin(PluginError::Transient("502".to_owned())))) };
            accounts.call(terms(), Class::Interactive, soon(), down).await.unwrap();
        }
        assert!(!delivers(&accounts));
        let begun = Instant::now();
        let told = refused(&accounts).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert!(matches!(&told, LookUpFailure::Unavailable(why) if why.contains("left alone")), "{told:?}");
    }

    #[tokio::test]
    async fn deliveries_that_fail_open_the_circuit_for_look_ups() {
        let accounts = Accounts::default();
        for _ in 0..5 {
            let now = Timestamp::now();
            let pass = accounts.0.enter(&upstream(), RATE, Class::Batch, now).unwrap();
            pass.report(Verdict::Failing, now);
        }
        assert!(matches!(refused(&accounts).await, Some(LookUpFailure::Unavailable(_))));
    }

    #[tokio::test]
    async fn hooks_and_questions_for_changes_that_fail_open_the_circuit_and_are_held_by_it() {
        let accounts = Accounts::default();
        for _ in 0..5 {
            let down = async { ended::<()>(Err(plugin(PluginError::Transient("502".to_owned())))) };
            accounts.call(terms(), Class::Batch, soon(), down).await.unwrap();
        }
        assert!(matches!(refused(&accounts).await, Some(LookUpFailure::Unavailable(_))));
        let held = accounts.call(terms(), Class::Batch, soon(), async { ended(Ok(())) }).await.err();
        assert!(matches!(held, Some(Held::Open(wait)) if wait > Duration::ZERO), "{held:?}");
    }

    #[tokio::test]
    async fn hooks_and_questions_for_changes_leave_to_people_what_is_kept_for_them() {
        let accounts = Accounts::default();
        let mut made = 0;
        while turned_away(&accounts, Class::Batch).await.is_none() {
            made += 1;
        }
        assert_eq!(made, RATE.burst - RATE.kept);
        assert_eq!(turned_away(&accounts, Class::Interactive).await, None);
    }

    #[tokio::test]
    async fn a_look_up_that_is_limited_makes_the_deliveries_wait() {
        let accounts = Accounts::default();
        let limited = async { ended::<()>(Err(plugin(PluginError::RateLimited(Some(90))))) };
        accounts.call(terms(), Class::Interactive, soon(), limited).await.unwrap();
        assert!(!delivers(&accounts));
    }

    #[tokio::test]
    async fn a_delivery_that_is_limited_makes_look_ups_say_so_at_once() {
        let accounts = Accounts::default();
        accounts.0.limited(&upstream(), Some(Duration::from_secs(90)), Timestamp::now());
        assert_eq!(refused(&accounts).await, Some(LookUpFailure::RateLimited(Some(90))));
    }

    #[tokio::test]
    async fn deliveries_cannot_use_up_what_people_need() {
        let accounts = Accounts::default();
        let now = Timestamp::now();
        while let Ok(pass) = accounts.0.enter(&upstream(), RATE, Class::Batch, now) {
            pass.report(Verdict::Healthy, now);
        }
        assert_eq!(refused(&accounts).await, None);
    }

    #[tokio::test]
    async fn a_call_of_many_requests_pays_for_all_of_them() {
        let accounts = Accounts::default();
        let mut report = CallReport::default();
        report.rules.requests = 15;
        let called = async move { Called { outcome: Ok(()), report } };
        accounts.call(slow(), Class::Interactive, soon(), called).await.unwrap();
        let batch = turned_away(&accounts, Class::Batch).await;
        assert!(
            matches!(batch, Some(Held::Spent(_))),
            "what batch may have of the burst is used up: {batch:?}"
        );
        assert_eq!(turned_away(&accounts, Class::Interactive).await, None);
    }

    #[tokio::test]
    async fn who_can_wait_for_the_budget_waits() {
        let accounts = Accounts::default();
        for _ in 0..RATE.burst * 2 {
            assert!(
                accounts
                    .call(terms(), Class::Interactive, soon(), async { ended(Ok(())) })
                    .await
                    .unwrap()
                    .outcome
                    .is_ok()
            );
        }
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_any_more_says_how_the_crm_is_all_the_same() {
        let accounts = Accounts::default();
        let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        for _ in 0..5 {
            let (wait, over) = (Arc::clone(&go), Arc::clone(&gone));
            let hangs = async move {
                wait.notified().await;
                over.notify_one();
                ended::<()>(Err(CallError::Stopped { stop: Stop::WallTime, said: None }))
            };
            let mut call = Box::pin(accounts.call(terms(), Class::Interactive, soon(), hangs));
            assert!(futures_util::poll!(&mut call).is_pending());
            drop(call);
            go.notify_one();
            gone.notified().await;
        }
        // The last verdict follows the last word without a wait in between.
        tokio::task::yield_now().await;
        assert!(accounts.0.is_open(&upstream()));
    }
}
