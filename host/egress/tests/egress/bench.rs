//! A plugin, its grant, and a way out, put together for one test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ramal_capability::{
    Actor, Authority, Clear, CredentialId, DataClass, Denial, Digest, EgressCall, EgressFailure, Grant,
    InteractionId, Invocation, Manifest, Plan, PluginId, Purpose, Reply, Subject, TenantId,
};
use ramal_egress::{Builder, Egress, Secret, StaticCredentials, TableResolver};
use ramal_ledger::{DisclosureSink, Recording};
use tokio::time::Instant;

pub(crate) const PHONE: &str = "+5511987654321";

/// What differs from test to test.
pub(crate) struct Setup {
    pub(crate) origin: String,
    pub(crate) private: Vec<String>,
    pub(crate) credential: Option<&'static str>,
    pub(crate) secret: Vec<(&'static str, &'static str)>,
    pub(crate) revision: u64,
    pub(crate) grant_limits: &'static str,
}

impl Setup {
    /// A CRM on the loopback, over plain HTTP, which the grant names.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self::origin(format!("http://crm.test:{}", address.port()))
    }
    pub(crate) fn origin(origin: String) -> Self {
        Self {
            origin,
            private: vec!["127.0.0.0/8".to_owned()],
            credential: None,
            secret: vec![],
            revision: 1,
            grant_limits: "",
        }
    }
    pub(crate) fn private(mut self, ranges: &[&str]) -> Self {
        self.private = ranges.iter().map(|r| (*r).to_owned()).collect();
        self
    }
    pub(crate) fn credential(mut self, toml: &'static str, secret: &[(&'static str, &'static str)]) -> Self {
        self.credential = Some(toml);
        self.secret = secret.to_vec();
        self
    }
    pub(crate) fn limits(mut self, toml: &'static str) -> Self {
        self.grant_limits = toml;
        self
    }
    pub(crate) fn revision(mut self, revision: u64) -> Self {
        self.revision = revision;
        self
    }

    pub(crate) fn plan(&self) -> Arc<Plan> {
        let origin = &self.origin;
        let (credential, named) = match self.credential {
            None => (String::new(), ""),
            Some(toml) => (
                format!("[[credential]]\nid = \"api\"\nlabel = \"Access\"\n{toml}\n")
                    .replace("ORIGIN", origin),
                "credential = \"api\"",
            ),
        };
        let manifest = format!(
            r#"
            [plugin]
            id = "practice"
            version = "0.1.0"
            name = "Practice"
            vendor = "Tests"
            interface = "0.1"
            verification = "docs-only"
            dedup = "none"
            purposes = ["screen-pop"]
            provides = ["contacts.find-by-phone"]
            uses = ["egress"]

            [ask."contact.phone"]
            to-plugin = "sealed"
            reason = "the CRM is asked who has this number"

            [ask."contact.name"]
            from-crm = "sealed"
            reason = "the panel shows who is calling"

            {credential}

            [[route]]
            id = "find"
            purposes = ["screen-pop"]
            request = "POST {origin}/find?limit=1"
            {named}
            send."/phone" = "contact.phone"
            receive."/id" = "id"
            receive."/name" = "contact.name"

            [[route]]
            id = "get"
            purposes = ["screen-pop"]
            request = "GET {origin}/contacts/{{id}}"
            params.id = "id"
            {named}
            receive."/id" = "id"
            "#
        );
        let ranges: Vec<_> = self.private.iter().map(|r| format!("\"{r}\"")).collect();
        let grant = format!(
            r#"
            [grant]
            tenant = "acme"
            plugin = "practice"
            revision = {}
            digest = "any"
            approved-by = "ana@example.invalid"
            approved-at = "2026-11-23"
            expires = "2027-11-23"
            reason = "a grant for a test"
            purposes = ["screen-pop"]
            routes = ["find", "get"]

            [classes]
            "contact.phone" = {{ to-plugin = "sealed" }}
            "contact.name" = {{ from-crm = "sealed" }}

            [[destination]]
            origin = "{origin}"
            reason = "the CRM of the test"
            private = [{}]

            [limits]
            {}
            "#,
            self.revision,
            ranges.join(", "),
            self.grant_limits
        );
        let manifest = Manifest::parse("plugin.toml", &manifest).unwrap_or_else(|e| panic!("{e}"));
        let grant = Grant::parse("grant.toml", &grant).unwrap_or_else(|e| panic!("{e}"));
        let settings = serde_json::json!({});
        Arc::new(
            Plan::compile(&manifest, Digest([7; 32]), &grant, &settings).unwrap_or_else(|e| panic!("{e}")),
        )
    }

    pub(crate) fn bench(&self) -> Bench {
        self.bench_with(|builder| builder)
    }

    pub(crate) fn bench_with(&self, change: impl FnOnce(Builder) -> Builder) -> Bench {
        let (tenant, plugin) = (TenantId::new("acme").unwrap(), PluginId::new("practice").unwrap());
        let secret = Secret::new(self.secret.iter().copied());
        let credentials =
            StaticCredentials::new().with(&tenant, &plugin, &CredentialId::new("api").unwrap(), secret);
        let (names, ledger) = (Arc::new(TableResolver::local("crm.test")), Arc::new(Recording::default()));
        let builder = Egress::builder()
            .resolver(names.clone())
            .credentials(Arc::new(credentials))
            .ledger(ledger.clone() as Arc<dyn DisclosureSink>);
        Bench { egress: change(builder).build().unwrap(), plan: self.plan(), names, ledger }
    }
}

pub(crate) struct Bench {
    pub(crate) egress: Egress,
    pub(crate) plan: Arc<Plan>,
    pub(crate) names: Arc<TableResolver>,
    pub(crate) ledger: Arc<Recording>,
}

impl Bench {
    /// Looks a number up: one call of a plugin with one request.
    pub(crate) async fn find(&self) -> Result<Reply, EgressFailure> {
        self.find_under(&self.plan).await
    }

    pub(crate) async fn find_under(&self, plan: &Arc<Plan>) -> Result<Reply, EgressFailure> {
        let mut inv = begin(plan);
        let call = find_call(&mut inv);
        self.egress.send(&mut inv, &call, soon()).await
    }

    /// The denial that looking up brings.
    pub(crate) async fn denied(&self) -> Denial {
        match self.find().await {
            Err(EgressFailure::Denied(denial)) => denial,
            other => panic!("not denied: {other:?}"),
        }
    }
}

pub(crate) fn begin(plan: &Arc<Plan>) -> Invocation {
    let authority = Authority {
        tenant: TenantId::new("acme").unwrap(),
        purpose: Purpose::ScreenPop,
        interaction: Some(InteractionId(uuid::Uuid::nil())),
        actor: Actor::System,
        subject: Some(Subject("s-4f2a".to_owned())),
        at: "2026-12-01T12:00:00Z".parse().unwrap(),
    };
    Invocation::begin(plan.clone(), authority, "contacts.find-by-phone".parse().unwrap(), [1; 32]).unwrap()
}

pub(crate) fn find_call(inv: &mut Invocation) -> EgressCall {
    let seal = inv.hand_in(DataClass::ContactPhone, &Clear::from(PHONE)).unwrap().unwrap();
    EgressCall { route: "find".to_owned(), params: vec![], body: Some(format!(r#"{{"phone":"{seal}"}}"#)) }
}

pub(crate) fn get_call(id: &str) -> EgressCall {
    EgressCall { route: "get".to_owned(), params: vec![("id".to_owned(), id.to_owned())], body: None }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}
