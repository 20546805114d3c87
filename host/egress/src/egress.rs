//! The ten steps, in order. Read [`Egress::send`], `in_order` and `attempt` from top to bottom: that is all
//! that happens between a guest's word and the CRM's answer.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use ipnet::IpNet;
use ramal_capability::{
    Clear, CredentialDecl, CredentialKind, Denial, EgressCall, EgressFailure, Invocation, Origin, PluginId,
    Prepared, Reply, Rule, SessionPlan, TenantId,
};
use ramal_ledger::{Deny, DisclosureSink, Outcome};
use tokio::time::{Instant, timeout_at};

use crate::answer::{self, Answer};
use crate::connector::{ConnectError, Connector};
use crate::credentials::{self, CredentialError, CredentialSource, Filled, Secret, StaticCredentials};
use crate::disclose::{self, Pending};
use crate::outbound::{self, Parts};
use crate::outline::outline;
use crate::pool::{Pool, PoolKey, Pools};
use crate::provider::{ProviderAddress, ProviderClient};
use crate::resolver::{Resolver, SystemResolver};
use crate::roots::{Roots, RootsError};
use crate::session::{SessionKey, Sessions, Token};
use crate::token::TokenClient;
use crate::webhook::{WebhookAddress, WebhookClient, WebhookError};

/// The most that the answer to a login may have.
const LOGIN_BYTES: u64 = 64 * 1024;

/// The one way out. Shared by all calls; see the crate's documentation for what it does.
pub struct Egress {
    ledger: Arc<dyn DisclosureSink>,
    credentials: Arc<dyn CredentialSource>,
    pools: Pools,
    sessions: Sessions,
    idle: Duration,
    #[cfg(feature = "canned")]
    canned: Option<Vec<u8>>,
}

/// What the way out is made of. What is not said is the safe choice: no credentials, and a ledger that refuses.
pub struct Builder {
    resolver: Arc<dyn Resolver>,
    credentials: Arc<dyn CredentialSource>,
    ledger: Arc<dyn DisclosureSink>,
    roots: Roots,
    connect: Duration,
    idle: Duration,
    #[cfg(feature = "canned")]
    canned: Option<Vec<u8>>,
}

impl Builder {
    /// Who turns names into addresses; the machine's resolver if not said.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = resolver;
        self
    }
    /// Where secrets come from; nowhere if not said.
    #[must_use]
    pub fn credentials(mut self, credentials: Arc<dyn CredentialSource>) -> Self {
        self.credentials = credentials;
        self
    }
    /// Where disclosures go. If not said, nothing may leave.
    #[must_use]
    pub fn ledger(mut self, ledger: Arc<dyn DisclosureSink>) -> Self {
        self.ledger = ledger;
        self
    }
    /// Whom TLS trusts; the public roots if not said.
    #[must_use]
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }
    /// The time to look up, connect and shake hands; 3 s if not said.
    #[must_use]
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect = time;
        self
    }
    /// How long the body of an answer may be silent; 5 s if not said.
    #[must_use]
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }
    /// Answers every request with this JSON instead of sending it; all other steps are as ever. For benchmarks, which
    /// would otherwise measure the network. No program asks for it; a release does not even have it.
    #[cfg(feature = "canned")]
    #[must_use]
    pub fn canned(mut self, body: Vec<u8>) -> Self {
        self.canned = Some(body);
        self
    }
    /// Who asks token endpoints, for a source of credentials: over a connector like this way out's own, with its
    /// resolver, its roots of trust and its times. One request takes at most `whole`.
    ///
    /// # Errors
    /// When TLS refuses the roots.
    pub fn token_client(&self, whole: Duration) -> Result<TokenClient, RootsError> {
        let tls = self.roots.client_config()?;
        Ok(TokenClient::new(Arc::clone(&self.resolver), tls, self.connect, self.idle, whole))
    }
    /// Who posts to one webhook: over a connector like this way out's own, with its resolver, its roots of trust, its
    /// times and its ledger. One post takes at most `whole`.
    ///
    /// # Errors
    /// When TLS refuses the roots, or the address is none.
    pub fn webhook(&self, address: &WebhookAddress, whole: Duration) -> Result<WebhookClient, WebhookError> {
        let tls = self.roots.client_config()?;
        let connector = Connector::new(
            address.origin.clone(),
            &address.private,
            Arc::clone(&self.resolver),
            &tls,
            self.connect,
        )
        .map_err(|_| WebhookError::Address)?;
        WebhookClient::new(address, connector, Arc::clone(&self.ledger), self.idle, whole)
    }
    /// Who asks one telephony or messaging provider: over a connector like this way out's own, with its resolver, its
    /// roots of trust and its times. One request takes at most `whole`.
    ///
    /// # Errors
    /// When TLS refuses the roots, or the host is no name that TLS can prove.
    pub fn provider(
        &self,
        address: &ProviderAddress,
        whole: Duration,
    ) -> Result<ProviderClient, WebhookError> {
        let tls = self.roots.client_config()?;
        let resolver = Arc::clone(&self.resolver);
        let connector =
            Connector::new(address.origin.clone(), &address.private, resolver, &tls, self.connect)
                .map_err(|_| WebhookError::Address)?;
        Ok(ProviderClient::new(address.origin.clone(), connector, self.idle, whole))
    }
    /// Puts it together. Opens no connection.
    ///
    /// # Errors
    /// When TLS refuses the roots.
    pub fn build(self) -> Result<Egress, RootsError> {
        Ok(Egress {
            pools: Pools::new(self.resolver, self.roots.client_config()?, self.connect),
            sessions: Sessions::default(),
            ledger: self.ledger,
            credentials: self.credentials,
            idle: self.idle,
            #[cfg(feature = "canned")]
            canned: self.canned,
        })
    }
}

/// A credential in its slot.
struct Slot {
    filled: Option<Filled>,
    /// What there may be another one of, if the CRM refuses this one.
    renewable: Option<Renewable>,
}

/// A credential that the host renews.
enum Renewable {
    /// The token of a session, to be refused by identity.
    Session(Token),
    /// What the source of credentials renews.
    Secret(Secret),
}

/// An answer and what must not stand in it.
struct Exchanged {
    answer: Answer,
    guarded: Vec<Clear>,
}

impl Egress {
    /// Begins to put a way out together.
    pub fn builder() -> Builder {
        Builder {
            resolver: Arc::new(SystemResolver),
            credentials: Arc::new(StaticCredentials::new()),
            ledger: Arc::new(Deny),
            roots: Roots::public(),
            connect: Duration::from_secs(3),
            idle: Duration::from_secs(5),
            #[cfg(feature = "canned")]
            canned: None,
        }
    }

    /// Sends one request and answers with what the guest may have of the reply. `deadline` is that of the
    /// whole call; the grant's own limit for one request applies too.
    ///
    /// # Errors
    /// An [`EgressFailure`]; when it is `Denied`, nothing has left.
    pub async fn send(
        &self,
        inv: &mut Invocation,
        call: &EgressCall,
        deadline: Instant,
    ) -> Result<Reply, EgressFailure> {
        let prepared = inv.prepare(call)?; // 1–4
        let budget = AtomicU64::new(inv.bytes_left());
        let exchanged = self.in_order(inv, &prepared, &budget, deadline).await?; // 5–8, 10
        project(inv, &prepared, exchanged) // 9
    }

    /// Sends several requests side by side, as many at once as the grant allows, and answers in their order.
    /// One that is denied does not hold back the others.
    pub async fn send_all(
        &self,
        inv: &mut Invocation,
        calls: Vec<EgressCall>,
        deadline: Instant,
    ) -> Vec<Result<Reply, EgressFailure>> {
        let prepared: Vec<_> = calls.iter().map(|call| inv.prepare(call)).collect(); // 1–4
        drop(calls);
        let exchanged = self.side_by_side(inv, &prepared, deadline).await; // 5–8, 10
        std::iter::zip(prepared, exchanged)
            .map(|(prepared, exchanged)| project(inv, &prepared?, exchanged?)) // 9
            .collect()
    }

    async fn side_by_side(
        &self,
        inv: &Invocation,
        prepared: &[Result<Prepared, EgressFailure>],
        deadline: Instant,
    ) -> Vec<Result<Exchanged, EgressFailure>> {
        let at_once = usize::try_from(inv.plan().limits().parallel_requests).unwrap_or(usize::MAX).max(1);
        // Answers that come side by side are all held before the first is counted: they share what is left.
        let budget = &AtomicU64::new(inv.bytes_left());
        let exchange = async |prepared: &Result<Prepared, EgressFailure>| match prepared {
            Ok(prepared) => self.in_order(inv, prepared, budget, deadline).await,
            Err(denied) => Err(denied.clone()),
        };
        // Most calls send one: no need to queue it.
        if let [one] = prepared {
            return vec![exchange(one).await];
        }
        let exchanges: Vec<_> = prepared.iter().map(exchange).collect();
        stream::iter(exchanges).buffered(at_once).collect().await
    }

    /// Drops the kept connections and session tokens of a plugin, because its grant was revoked or changed.
    pub fn forget(&self, tenant: &TenantId, plugin: &PluginId) {
        self.pools.forget(tenant, plugin);
        self.sessions.forget(tenant, plugin);
    }

    async fn in_order(
        &self,
        inv: &Invocation,
        prepared: &Prepared,
        budget: &AtomicU64,
        deadline: Instant,
    ) -> Result<Exchanged, EgressFailure> {
        let until = deadline.min(Instant::now() + prepared.time());
        self.recordable()?; // Before any effect: what would leave could be recorded.
        let slot = self.credential(inv, prepared, None, until).await?; // 5
        match self.attempt(inv, prepared, &slot, budget, until).await {
            // A session or token that ended: one new one, one more try, and no other failure is ever repeated.
            Err(EgressFailure::AuthExpired) if slot.renewable.is_some() => {
                let slot = self.credential(inv, prepared, slot.renewable.as_ref(), until).await?;
                self.recordable()?;
                self.attempt(inv, prepared, &slot, budget, until).await.map(|answer| exchanged(answer, slot))
            }
            answer => answer.map(|answer| exchanged(answer, slot)),
        }
    }

    async fn attempt(
        &self,
        inv: &Invocation,
        prepared: &Prepared,
        slot: &Slot,
        budget: &AtomicU64,
        until: Instant,
    ) -> Result<Answer, EgressFailure> {
        let pool = self.pool(inv, prepared, prepared.origin(), prepared.private())?; // 6
        let place = slot.filled.as_ref().map(|f| &f.placed);
        let mut request = outbound::request(&parts(prepared), place)?; // 7
        let connection = capture_connection(&mut request);
        let row = disclose::row(inv, prepared, &pool.destination);
        let mut row = Pending::begin(&*self.ledger, row, connection); // 10
        let exchange = self.exchange(&pool, request, prepared.answer_bytes(), budget, &mut row); // 6, 8
        match timeout_at(until, exchange).await.unwrap_or(Err((Outcome::SentFailed, EgressFailure::Timeout)))
        {
            Ok(answer) => {
                row.finish(Outcome::SentAnswered);
                Ok(answer)
            }
            Err((outcome, failure)) => {
                row.finish(outcome);
                note(inv, prepared, &failure);
                Err(failure)
            }
        }
    }

    /// One request and its answer over the pool's connections.
    async fn exchange(
        &self,
        pool: &Pool,
        request: Request<Full<Bytes>>,
        cap: u64,
        budget: &AtomicU64,
        row: &mut Pending<'_>,
    ) -> Result<Answer, answer::NoAnswer> {
        #[cfg(feature = "canned")]
        if let Some(body) = &self.canned {
            row.status(200);
            row.bytes_in = body.len() as u64;
            return Ok(Answer::canned(body));
        }
        let (client, _permit) = pool.client().await;
        let response = client
            .request(request)
            .await
            .map_err(|e| (Outcome::SentFailed, broken(&e, &pool.destination)))?;
        row.status(response.status().as_u16());
        answer::read(response, cap, budget, self.idle, &mut row.bytes_in).await
    }

    fn recordable(&self) -> Result<(), EgressFailure> {
        self.ledger.ready().map_err(|error| {
            tracing::error!(%error, "a request was denied because it could not be recorded");
            let asked = "a request that could not be recorded";
            Denial::new(Rule::Ledger, asked, "nothing, until the ledger of disclosures can be written").into()
        })
    }

    /// The connections that this request may use. Opening one (step 6) happens when the client asks for it.
    fn pool(
        &self,
        inv: &Invocation,
        prepared: &Prepared,
        origin: &Origin,
        private: &[IpNet],
    ) -> Result<Arc<Pool>, EgressFailure> {
        let key = PoolKey {
            tenant: inv.plan().tenant().clone(),
            plugin: inv.plan().plugin().clone(),
            grant_revision: inv.plan().grant_revision(),
            credential: prepared.credential().map(|c| c.id.clone()),
            origin: origin.clone(),
            private: private.to_vec(),
        };
        self.pools.get(key).map_err(|e| unavailable(&e))
    }
}

// === Step 5: credentials ===

impl Egress {
    /// The credential in its slot. `stale` is the one that was just refused.
    async fn credential(
        &self,
        inv: &Invocation,
        prepared: &Prepared,
        stale: Option<&Renewable>,
        until: Instant,
    ) -> Result<Slot, EgressFailure> {
        let Some(declared) = prepared.credential() else { return Ok(Slot { filled: None, renewable: None }) };
        timeout_at(until, self.fill(inv, prepared, declared, stale))
            .await
            .unwrap_or(Err(EgressFailure::Timeout))
    }

    async fn fill(
        &self,
        inv: &Invocation,
        prepared: &Prepared,
        declared: &CredentialDecl,
        stale: Option<&Renewable>,
    ) -> Result<Slot, EgressFailure> {
        let (tenant, plugin) = (inv.plan().tenant(), inv.plan().plugin());
        let unusable = |error: CredentialError| {
            tracing::error!(%tenant, %plugin, credential = %declared.id, %error, "a credential cannot be used");
            unusable(declared, &error)
        };
        if let Some(Renewable::Secret(refused)) = stale
            && !self.credentials.refused(tenant, plugin, &declared.id, refused).await
        {
            return Err(EgressFailure::AuthExpired);
        }
        let secret = self.credentials.secret(tenant, plugin, &declared.id).await.map_err(unusable)?;
        let (CredentialKind::Session(login), Some(plan)) = (&declared.kind, prepared.session()) else {
            let filled = credentials::fill(&declared.kind, &secret).map_err(unusable)?;
            let renewable =
                matches!(declared.kind, CredentialKind::OAuth2(_)).then_some(Renewable::Secret(secret));
            return Ok(Slot { filled: Some(filled), renewable });
        };
        // Before the session, which remembers for a while that a login was refused: a secret that a person completes
        // is used at once.
        if let Some(missing) = login.secrets.iter().find(|name| !secret.fields().contains_key(*name)) {
            return Err(unusable(CredentialError::Field(missing.clone())));
        }
        let session = self.sessions.get(SessionKey {
            tenant: tenant.clone(),
            plugin: plugin.clone(),
            grant_revision: inv.plan().grant_revision(),
            credential: declared.id.clone(),
        });
        let login = self.login(inv, prepared, plan, &secret, unusable);
        let stale = stale.and_then(|stale| match stale {
            Renewable::Session(token) => Some(token),
            Renewable::Secret(_) => None,
        });
        let token = session.token(stale, plan.lifetime(), login).await?;
        let mut filled = credentials::header(plan.header(), None, &token).map_err(unusable)?;
        filled.guarded.extend(token.expose().split_once(' ').map(|(_, bare)| Clear::from(bare)));
        filled.guarded.extend(secret.fields().get("password").cloned());
        Ok(Slot { filled: Some(filled), renewable: Some(Renewable::Session(token)) })
    }

    /// Logs in over the same connector and under the same caps. Carries the host's own secret and nothing of a
    /// customer, so it is no disclosure.
    async fn login(
        &self,
        inv: &Invocation,
        prepared: &Prepared,
        plan: &SessionPlan,
        secret: &Secret,
        unusable: impl Fn(CredentialError) -> EgressFailure,
    ) -> Result<Clear, EgressFailure> {
        let field = |name: &str| secret.fields().get(name).cloned();
        let login = plan.login(field).map_err(|e| unusable(CredentialError::Field(e.0)))?;
        let parts = Parts {
            method: login.method,
            origin: plan.origin(),
            target: &login.target,
            headers: &[],
            body: Some(&login.body).filter(|body| !body.expose().is_empty()),
        };
        let request = outbound::request(&parts, None)?;
        let pool = self.pool(inv, prepared, plan.origin(), plan.private())?;
        let (client, _permit) = pool.client().await;
        let response = client.request(request).await.map_err(|e| broken(&e, &pool.destination))?;
        let answer = answer::read(response, LOGIN_BYTES, &AtomicU64::new(LOGIN_BYTES), self.idle, &mut 0)
            .await
            .map_err(|(_, f)| f)?;
        // A refusal comes as a status or, in JSON-RPC, as a success without a token.
        let token = if answer.status < 300 { plan.token(field, &answer.body) } else { None };
        token.ok_or_else(|| {
            tracing::error!(
                tenant = %inv.plan().tenant(), plugin = %inv.plan().plugin(), status = answer.status,
                answer = outline(&answer.body), "a login was refused; check the stored user and password"
            );
            EgressFailure::AuthExpired
        })
    }
}

/// What a credential that cannot be used means for delivery. With no secret, or one that cannot stand in a request,
/// another try is of no use until a person acts; a source that fails may answer the next time.
fn unusable(declared: &CredentialDecl, error: &CredentialError) -> EgressFailure {
    match error {
        CredentialError::Missing { .. }
        | CredentialError::Field(_)
        | CredentialError::Unencodable(_)
        | CredentialError::NeedsPerson(_) => EgressFailure::AuthExpired,
        CredentialError::Source(_) => {
            EgressFailure::Unavailable(format!("the credential `{}` cannot be read just now", declared.id))
        }
        CredentialError::Later(_) => {
            EgressFailure::Unavailable(format!("the credential `{}` cannot be renewed just now", declared.id))
        }
    }
}

fn parts(prepared: &Prepared) -> Parts<'_> {
    Parts {
        method: prepared.method(),
        origin: prepared.origin(),
        target: prepared.target(),
        headers: prepared.headers(),
        body: prepared.body(),
    }
}

fn exchanged(answer: Answer, slot: Slot) -> Exchanged {
    Exchanged { answer, guarded: slot.filled.map(|f| f.guarded).unwrap_or_default() }
}

/// Step 9. A credential that the CRM repeats in its answer counts as a value that must not come back.
fn project(inv: &mut Invocation, prepared: &Prepared, exchanged: Exchanged) -> Result<Reply, EgressFailure> {
    let Exchanged { answer, guarded } = exchanged;
    for secret in &guarded {
        inv.guard(secret);
    }
    if answer.status >= 400 {
        tracing::warn!(
            tenant = %inv.plan().tenant(), plugin = %inv.plan().plugin(), route = %prepared.route(),
            status = answer.status, answer = outline(&answer.body), "the CRM refused a request"
        );
    }
    inv.project(prepared, answer.status, &answer.body)
}

/// Why hyper's client brought no answer, in words for the guest; the whole chain goes to operators.
pub(crate) fn broken(error: &legacy::Error, destination: &str) -> EgressFailure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(connect) = inner.downcast_ref::<ConnectError>() {
            return unavailable(connect);
        }
        if inner.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large) {
            return EgressFailure::TooLarge;
        }
        cause = inner.source();
    }
    tracing::warn!(destination, error = chain(error), "an exchange broke");
    EgressFailure::Unavailable("the connection broke before an answer came".to_owned())
}

pub(crate) fn unavailable(error: &ConnectError) -> EgressFailure {
    if let ConnectError::Denied(denial) = error {
        return EgressFailure::Denied((**denial).clone());
    }
    tracing::warn!(error = chain(error), "no connection");
    EgressFailure::Unavailable(error.to_string())
}

fn note(inv: &Invocation, prepared: &Prepared, failure: &EgressFailure) {
    tracing::warn!(
        tenant = %inv.plan().tenant(), plugin = %inv.plan().plugin(), route = %prepared.route(),
        origin = %prepared.origin(), %failure, "a request brought nothing"
    );
}

/// An error and all that is under it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
