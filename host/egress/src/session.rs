//! Tokens of logins that the host keeps, for CRMs whose API wants a session (Tryton's JSON-RPC).
//!
//! A token lives in memory only, apart for each (tenant, plugin, grant revision, credential). Many calls that
//! find no token, or whose token was refused, wait for *one* login. A login that the CRM refused is not tried
//! again for a while: a wrong password that is repeated by every screen pop locks the account.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::RwLock;
use ramal_capability::{Clear, CredentialId, EgressFailure, PluginId, TenantId};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a refused login is not repeated.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    pub(crate) tenant: TenantId,
    pub(crate) plugin: PluginId,
    pub(crate) grant_revision: u64,
    pub(crate) credential: CredentialId,
}

/// A token as it goes into its header.
pub(crate) type Token = Arc<Clear>;

/// Every session.
#[derive(Default)]
pub(crate) struct Sessions(DashMap<SessionKey, Arc<Session>>);

impl Sessions {
    /// The session of a key, which may have no token yet.
    pub(crate) fn get(&self, key: SessionKey) -> Arc<Session> {
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        self.0.entry(key).or_default().clone()
    }

    /// Forgets every token of a plugin.
    pub(crate) fn forget(&self, tenant: &TenantId, plugin: &PluginId) {
        self.0.retain(|key, _| !(key.tenant == *tenant && key.plugin == *plugin));
    }
}

/// One session.
#[derive(Default)]
pub(crate) struct Session {
    /// The token, and when it was given.
    token: RwLock<Option<(Token, Instant)>>,
    /// Held by who logs in; inside, how the last login failed.
    gate: Mutex<Option<(Instant, EgressFailure)>>,
}

impl Session {
    /// The token, by a login if there is none, or none that is younger than `lifetime`. `stale` is a token that
    /// the CRM refused: it is not given again.
    pub(crate) async fn token(
        &self,
        stale: Option<&Token>,
        lifetime: Option<Duration>,
        login: impl Future<Output = Result<Clear, EgressFailure>>,
    ) -> Result<Token, EgressFailure> {
        if let Some(token) = self.fresh(stale, lifetime) {
            return Ok(token);
        }
        let asked = Instant::now();
        let mut last = self.gate.lock().await;
        if let Some(token) = self.fresh(stale, lifetime) {
            return Ok(token);
        }
        if let Some((at, failure)) = &*last {
            let while_waiting = *at > asked;
            let refused_lately = *failure == EgressFailure::AuthExpired && at.elapsed() < REFUSED_FOR;
            if while_waiting || refused_lately {
                return Err(failure.clone());
            }
        }
        match login.await {
            Ok(token) => {
                let token = Token::new(token);
                *self.token.write() = Some((token.clone(), Instant::now()));
                *last = None;
                Ok(token)
            }
            Err(failure) => {
                *self.token.write() = None;
                *last = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    fn fresh(&self, stale: Option<&Token>, lifetime: Option<Duration>) -> Option<Token> {
        let (token, since) = self.token.read().clone()?;
        let refused = stale.is_some_and(|stale| Arc::ptr_eq(stale, &token));
        let old = lifetime.is_some_and(|lifetime| since.elapsed() >= lifetime);
        if refused || old { None } else { Some(token) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A login that counts itself, and takes a moment so that others queue behind it.
    async fn login(count: &AtomicU32, result: Result<&str, EgressFailure>) -> Result<Clear, EgressFailure> {
        let n = count.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(10)).await;
        result.map(|text| Clear::from(format!("{text}{n}")))
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_need_a_token_wait_for_one_login() {
        let (session, count) = (Session::default(), AtomicU32::new(0));
        let all = (0..8).map(|_| session.token(None, None, login(&count, Ok("t"))));
        for token in futures_util::future::join_all(all).await {
            assert_eq!(token.unwrap().expose(), "t0");
        }
        assert_eq!(count.into_inner(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn many_with_one_refused_token_wait_for_one_login() {
        let (session, count) = (Session::default(), AtomicU32::new(0));
        let stale = session.token(None, None, login(&count, Ok("t"))).await.unwrap();
        let all = (0..8).map(|_| session.token(Some(&stale), None, login(&count, Ok("t"))));
        for token in futures_util::future::join_all(all).await {
            assert_eq!(token.unwrap().expose(), "t1");
        }
        assert_eq!(count.into_inner(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_shares_the_failure() {
        let (session, count) = (Session::default(), AtomicU32::new(0));
        let all = (0..8).map(|_| session.token(None, None, login(&count, Err(EgressFailure::Timeout))));
        for token in futures_util::future::join_all(all).await {
            assert_eq!(token.unwrap_err(), EgressFailure::Timeout);
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        // Not a refusal: the next call may try.
        assert!(session.token(None, None, login(&count, Ok("t"))).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_is_not_repeated_for_a_while() {
        let (session, count) = (Session::default(), AtomicU32::new(0));
        for _ in 0..3 {
            let refused = session.token(None, None, login(&count, Err(EgressFailure::AuthExpired))).await;
            assert_eq!(refused.unwrap_err(), EgressFailure::AuthExpired);
            tokio::time::advance(Duration::from_secs(9)).await;
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        tokio::time::advance(REFUSED_FOR).await;
        assert!(session.token(None, None, login(&count, Ok("t"))).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_is_dropped_leaves_the_gate_open() {
        let (session, count) = (Session::default(), AtomicU32::new(0));
        let dropped =
            tokio::time::timeout(Duration::from_millis(1), session.token(None, None, login(&count, Ok("t"))));
        assert!(dropped.await.is_err());
        assert_eq!(session.token(None, None, login(&count, Ok("t"))).await.unwrap().expose(), "t1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_not_used_beyond_its_lifetime() {
        let (session, count) = (Session::default(), AtomicU32::new(0));
        let hour = Some(Duration::from_secs(3_600));
        for expected in ["t0", "t0", "t1"] {
            assert_eq!(session.token(None, hour, login(&count, Ok("t"))).await.unwrap().expose(), expected);
            tokio::time::advance(Duration::from_secs(1_900)).await;
        }
    }
}
