//! A CRM account, for everybody of this host who calls it: one budget, in which people go before deliveries, and one
//! circuit.
//!
//! The CRM counts the screen pop's requests and the deliveries' together. Without this a backlog of deliveries would
//! use up what the next caller's card needs, and neither would learn from the other that the CRM is down or wants rest.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::Grant;
use ramal_center::LookUpFailure;
use ramal_delivery::{Class, Pass, Rate, Upstream, Upstreams, Verdict};
use ramal_engine::{CallError, Called, Plugin, PluginError, Stop};
use tokio::time::Instant;
use tracing::Instrument;

/// The account that a plugin calls under its grant.
pub(super) fn upstream(grant: &Grant) -> Upstream {
    // One account for each credential would be finer; plugins that share a server share its patience as well.
    let origin = grant.destinations.first().map(|destination| destination.origin.to_string());
    Upstream {
        tenant: grant.tenant.clone(),
        origin: origin.unwrap_or_else(|| format!("plugin:{}", grant.plugin)),
    }
}

/// What the account takes, by the grant in force.
pub(super) fn rate(plugin: &Plugin) -> Rate {
    let per_minute = plugin.plan().limits().calls_per_minute.max(1);
    Rate { every: Duration::from_micros(60_000_000 / per_minute), ..Rate::default() }
}

/// The account, for calls that somebody waits for.
#[derive(Debug, Clone)]
pub(super) struct Account {
    upstreams: Arc<Upstreams>,
    upstream: Upstream,
}

impl Account {
    pub(super) fn new(upstreams: Arc<Upstreams>, upstream: Upstream) -> Self {
        Self { upstreams, upstream }
    }

    /// Makes one call as soon as the account may be called, and learns from it how the account is. The call goes on to
    /// its end when the future is dropped: of a CRM that hangs nobody would learn otherwise.
    ///
    /// # Errors
    /// When the account must not be called before `patience` is over.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        rate: Rate,
        patience: Instant,
        call: impl Future<Output = Called<T>> + Send + 'static,
    ) -> Result<Called<T>, LookUpFailure> {
        let pass = self.enter(rate, patience).await?;
        let upstreams = Arc::clone(&self.upstreams);
        let call = async move {
            let called = call.await;
            let (error, now) = (called.outcome.as_ref().err(), Timestamp::now());
            if let Some(CallError::Plugin(PluginError::RateLimited(wish))) = error {
                let wish = wish.map(|seconds| Duration::from_secs(seconds.into()));
                upstreams.limited(pass.upstream(), wish, now);
            }
            // Without a verdict nothing was sent, and the pass gives back what it took.
            if let Some(verdict) = verdict(error) {
                pass.report(verdict, now);
            }
            called
        };
        let called = tokio::spawn(call.in_current_span()).await;
        called.map_err(|_| LookUpFailure::Broken("the call stopped without an end; see the log".to_owned()))
    }

    async fn enter(&self, rate: Rate, patience: Instant) -> Result<Pass, LookUpFailure> {
        loop {
            let now = Timestamp::now();
            let free = match self.upstreams.enter(&self.upstream, rate, Class::Interactive, now) {
                Ok(pass) => return Ok(pass),
                Err(free) => free,
            };
            let wait = Duration::try_from(free.duration_since(now)).unwrap_or_default();
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            if self.upstreams.is_open(&self.upstream) {
                return Err(LookUpFailure::Unavailable(format!(
                    "its last calls failed, so it is left alone; asked again in {seconds} s"
                )));
            }
            if Instant::now() + wait >= patience {
                return Err(LookUpFailure::RateLimited(u32::try_from(seconds).ok()));
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
    use ramal_engine::CallReport;
    use rstest::rstest;
    use tokio::sync::Notify;

    const RATE: Rate = Rate { every: Duration::from_millis(20), burst: 20, kept: 5 };

    fn upstream() -> Upstream {
        Upstream { tenant: TenantId::new("acme").unwrap(), origin: "https://crm.example".to_owned() }
    }
    fn account() -> Account {
        Account::new(Arc::default(), upstream())
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
    async fn refused(account: &Account) -> Option<LookUpFailure> {
        account.call(RATE, Instant::now(), async { ended(Ok(())) }).await.err()
    }
    /// How a delivery fares at the moment.
    fn delivers(account: &Account) -> bool {
        account.upstreams.enter(&upstream(), RATE, Class::Batch, Timestamp::now()).is_ok()
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
        let account = account();
        for _ in 0..5 {
            let down = async { ended::<()>(Err(plugin(PluginError::Transient("502".to_owned())))) };
            account.call(RATE, soon(), down).await.unwrap();
        }
        assert!(!delivers(&account));
        let begun = Instant::now();
        let told = refused(&account).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert!(matches!(&told, LookUpFailure::Unavailable(why) if why.contains("left alone")), "{told:?}");
    }

    #[tokio::test]
    async fn deliveries_that_fail_open_the_circuit_for_look_ups() {
        let account = account();
        for _ in 0..5 {
            let now = Timestamp::now();
            let pass = account.upstreams.enter(&upstream(), RATE, Class::Batch, now).unwrap();
            pass.report(Verdict::Failing, now);
        }
        assert!(matches!(refused(&account).await, Some(LookUpFailure::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_look_up_that_is_limited_makes_the_deliveries_wait() {
        let account = account();
        let limited = async { ended::<()>(Err(plugin(PluginError::RateLimited(Some(90))))) };
        account.call(RATE, soon(), limited).await.unwrap();
        assert!(!delivers(&account));
    }

    #[tokio::test]
    async fn a_delivery_that_is_limited_makes_look_ups_say_so_at_once() {
        let account = account();
        account.upstreams.limited(&upstream(), Some(Duration::from_secs(90)), Timestamp::now());
        assert_eq!(refused(&account).await, Some(LookUpFailure::RateLimited(Some(90))));
    }

    #[tokio::test]
    async fn deliveries_cannot_use_up_what_people_need() {
        let account = account();
        let now = Timestamp::now();
        while let Ok(pass) = account.upstreams.enter(&upstream(), RATE, Class::Batch, now) {
            pass.report(Verdict::Healthy, now);
        }
        assert_eq!(refused(&account).await, None);
    }

    #[tokio::test]
    async fn who_can_wait_for_the_budget_waits() {
        let account = account();
        for _ in 0..RATE.burst * 2 {
            assert!(account.call(RATE, soon(), async { ended(Ok(())) }).await.unwrap().outcome.is_ok());
        }
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_any_more_says_how_the_crm_is_all_the_same() {
        let account = account();
        let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        for _ in 0..5 {
            let (wait, over) = (Arc::clone(&go), Arc::clone(&gone));
            let hangs = async move {
                wait.notified().await;
                over.notify_one();
                ended::<()>(Err(CallError::Stopped { stop: Stop::WallTime, said: None }))
            };
            let mut call = Box::pin(account.call(RATE, soon(), hangs));
            assert!(futures_util::poll!(&mut call).is_pending());
            drop(call);
            go.notify_one();
            gone.notified().await;
        }
        // The last verdict follows the last word without a wait in between.
        tokio::task::yield_now().await;
        assert!(account.upstreams.is_open(&upstream()));
    }
}
