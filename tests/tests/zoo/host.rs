//! A host with everything that an embedder gives it, each part watched: the CRM, the ledger, the store, the
//! plugins' lines and what the host itself traces.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use ramal_capability::{
    Actor, Authority, ClassSet, Clear, CredentialId, Grant, InteractionId, PluginId, Purpose, Rule, TenantId,
};
use ramal_egress::{Builder, Egress, Resolver, Secret, StaticCredentials, TableResolver};
use ramal_engine::compile::CompileLimits;
use ramal_engine::{
    CallError, CallReport, Called, Compiler, Contact, FindByPhone, GuestLine, GuestLog, LoadError,
    MemoryStore, Plugin, PluginError, PoolSize, Runtime, Stop,
};
use ramal_ledger::{DisclosureSink, Recording};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use super::crm::{Asked, Crm};
use super::needles::Needles;
use super::{fixture, people};

pub(crate) const TENANT: &str = "zoo-tenant";

/// The host and all that is around it.
pub(crate) struct Host {
    pub(crate) crm: Crm,
    pub(crate) runtime: Runtime,
    pub(crate) ledger: Arc<Recording>,
    pub(crate) lines: Arc<Lines>,
    store: Arc<MemoryStore>,
    pub(crate) traces: Traces,
    _traced: tracing::subscriber::DefaultGuard,
}

/// What a test may have otherwise.
pub(crate) struct With {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) ledger: Option<Arc<dyn DisclosureSink>>,
    pub(crate) compile: CompileLimits,
    pub(crate) egress: fn(Builder) -> Builder,
    pub(crate) pool: PoolSize,
}

impl Default for With {
    fn default() -> Self {
        Self {
            resolver: Arc::new(TableResolver::new()),
            ledger: None,
            compile: CompileLimits::default(),
            egress: |builder| builder,
            pool: PoolSize { instances: 8, ..PoolSize::default() },
        }
    }
}

impl Host {
    pub(crate) async fn open() -> Self {
        Self::open_with(With::default()).await
    }

    pub(crate) async fn open_with(with: With) -> Self {
        let traces = Traces::default();
        let traced = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(traces.clone())
            .finish();
        let traced = tracing_subscriber::util::SubscriberInitExt::set_default(traced);
        let ledger = Arc::new(Recording::default());
        let secret = Secret::new([("token", people::TOKEN)]);
        let key: CredentialId = "key".parse().unwrap();
        let credentials =
            StaticCredentials::new().with(&tenant(), &PluginId::new("zoo").unwrap(), &key, secret);
        let sink: Arc<dyn DisclosureSink> = with.ledger.unwrap_or_else(|| Arc::clone(&ledger) as _);
        let egress = (with.egress)(
            Egress::builder().resolver(with.resolver).credentials(Arc::new(credentials)).ledger(sink),
        );
        let (lines, store) = (Arc::new(Lines::default()), Arc::new(MemoryStore::default()));
        let compiler = Compiler::program(env!("CARGO_BIN_EXE_zoo-compile-worker")).with_limits(with.compile);
        let code = fixture::folder().join("zoo-code");
        std::fs::create_dir_all(fixture::folder()).unwrap();
        let runtime = Runtime::builder(code, Arc::new(egress.build().unwrap()))
            .compiler(compiler)
            .log(Arc::clone(&lines) as _)
            .store(Arc::clone(&store) as _)
            .pool(with.pool)
            .build()
            .unwrap();
        Self { crm: Crm::start().await, runtime, ledger, lines, store, traces, _traced: traced }
    }

    /// An animal in its cage: what it is told and granted can still be changed.
    pub(crate) fn animal(&self, name: &str) -> Cage<'_> {
        Cage {
            host: self,
            wasm: None,
            settings: json!({"server": self.crm.origin(), "animal": name}),
            grant: grant(&self.crm.origin()),
            candidates: vec![people::PHONE.into(), people::OTHER_PHONE.into()],
        }
    }

    /// That a well-behaved plugin gets what it should, now.
    pub(crate) async fn still_serves(&self) {
        let before = self.crm.behave();
        let tame = self.animal("tame").load().await.unwrap();
        let called = tame.call(authority(), ask(&[people::PHONE.into()])).await;
        let contacts = called.outcome.unwrap_or_else(|e| panic!("the host no longer serves: {e}"));
        let [contact] = contacts.as_slice() else { panic!("{} contacts", contacts.len()) };
        assert_eq!(contact.name.value.expose(), people::NAME);
        assert_eq!(contact.phones[0].value.expose(), people::PHONE);
        self.crm.asked();
        before();
    }

    /// What the animals took home, by key.
    pub(crate) fn kept(&self) -> BTreeMap<String, String> {
        self.store.entries(&tenant(), &PluginId::new("zoo").unwrap())
    }

    /// Everything that operators and the plugin can read, as one text.
    pub(crate) fn readable(&self) -> String {
        let rows = serde_json::to_string(&self.ledger.rows()).unwrap();
        let kept: Vec<String> =
            self.kept().into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
        [self.traces.text(), self.lines.all().join("\n"), kept.join("\n"), rows].join("\n")
    }

    /// That nothing personal is anywhere, in any spelling.
    pub(crate) fn holds_nothing_personal(&self, more: &str) {
        let text = format!("{}\n{more}", self.readable());
        let hits = Needles::of(people::PERSONAL.iter().copied()).within(&text);
        assert!(hits.is_empty(), "personal values are readable: {hits:?} in\n{text}");
    }
}

/// An animal that can be let out.
pub(crate) struct Cage<'h> {
    host: &'h Host,
    wasm: Option<Vec<u8>>,
    settings: Value,
    pub(crate) grant: Grant,
    candidates: Vec<Clear>,
}

impl Cage<'_> {
    /// Tells it something.
    pub(crate) fn told(mut self, text: impl Into<String>) -> Self {
        self.settings["text"] = text.into().into();
        self
    }
    /// Tells it a request; see the parrot.
    pub(crate) fn asked_to(self, request: &Value) -> Self {
        self.told(request.to_string())
    }
    pub(crate) fn number(mut self, number: u64) -> Self {
        self.settings["number"] = number.into();
        self
    }
    /// Sends it elsewhere; the grant follows.
    pub(crate) fn server(mut self, origin: &str) -> Self {
        self.settings["server"] = origin.into();
        self.grant.destinations[0].origin = origin.parse().unwrap();
        self
    }
    /// Sends it elsewhere without asking the grant.
    pub(crate) fn lured_to(mut self, origin: &str) -> Self {
        self.settings["server"] = origin.into();
        self
    }
    pub(crate) fn granted(mut self, change: impl FnOnce(&mut Grant)) -> Self {
        change(&mut self.grant);
        self
    }
    /// Gives it another manifest: one line replaced.
    pub(crate) fn declaring(self, from: &str, to: &str) -> Self {
        assert!(fixture::MANIFEST.contains(from), "the manifest has no {from}");
        self.manifest(&fixture::MANIFEST.replace(from, to))
    }
    pub(crate) fn manifest(self, text: &str) -> Self {
        self.wasm(fixture::with_manifest(fixture::component(), text))
    }
    pub(crate) fn wasm(mut self, wasm: Vec<u8>) -> Self {
        self.wasm = Some(wasm);
        self
    }
    pub(crate) fn handed(mut self, candidates: &[&str]) -> Self {
        self.candidates = candidates.iter().map(|&text| text.into()).collect();
        self
    }

    pub(crate) async fn load(&self) -> Result<Plugin, LoadError> {
        let wasm = self.wasm.as_deref().unwrap_or_else(|| fixture::component());
        self.host.runtime.load(wasm, &self.grant, &self.settings).await
    }
    /// Why it is not even loaded.
    pub(crate) async fn refused(&self) -> LoadError {
        let error = self.load().await.err().expect("it must not load");
        self.host.holds_nothing_personal(&error.to_string());
        self.host.still_serves().await;
        error
    }

    /// Lets it out, watches, and checks that nothing personal became readable and that the host is well.
    pub(crate) async fn let_out(&self) -> Visited {
        let plugin = self.load().await.unwrap_or_else(|e| panic!("it does not load: {e}"));
        let called = plugin.call(authority(), ask(&self.candidates)).await;
        self.host.watched(called).await
    }
}

impl Host {
    /// What came of a call, once the host was looked after.
    pub(crate) async fn watched(&self, called: Called<Vec<Contact>>) -> Visited {
        let visited = Visited {
            outcome: called.outcome,
            report: called.report,
            asked: self.crm.asked(),
            kept: self.kept(),
        };
        let said =
            visited.outcome.as_ref().err().map_or_else(String::new, |error| format!("{error} {error:?}"));
        self.holds_nothing_personal(&format!("{said}\n{}", serde_json::to_string(&visited.report).unwrap()));
        self.still_serves().await;
        visited
    }
}

/// What came of one call.
pub(crate) struct Visited {
    pub(crate) outcome: Result<Vec<Contact>, CallError>,
    pub(crate) report: CallReport,
    /// What the CRM saw.
    pub(crate) asked: Vec<Asked>,
    /// What the animal took home.
    kept: BTreeMap<String, String>,
}

impl Visited {
    /// `ok`, or the error's stable word.
    pub(crate) fn code(&self) -> &'static str {
        self.outcome.as_ref().map_or_else(CallError::code, |_| "ok")
    }
    pub(crate) fn stop(&self) -> Option<Stop> {
        match &self.outcome {
            Err(CallError::Stopped { stop, .. }) => Some(*stop),
            _ => None,
        }
    }
    /// The rule that refused, whether the host ended the call by it or the animal passed it on.
    pub(crate) fn rule(&self) -> Option<&'static str> {
        match &self.outcome {
            Err(CallError::Denied(denial)) => Some(denial.rule.code()),
            Err(CallError::Plugin(PluginError::Denied(text))) => rule_in(text),
            _ => None,
        }
    }
    pub(crate) fn error(&self) -> String {
        self.outcome.as_ref().err().map_or_else(|| "no error".to_owned(), ToString::to_string)
    }
    /// What the animal kept under a name, each seal as the class that it is of.
    pub(crate) fn took(&self, key: &str) -> String {
        unsealed(self.kept.get(key).unwrap_or_else(|| panic!("it kept no {key}: {}", self.error())))
    }
    /// `GET /path?query` for each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked.iter().map(Asked::line).collect()
    }
}

/// The rule in a refusal's text.
pub(crate) fn rule_in(text: &str) -> Option<&'static str> {
    let code = text.strip_prefix("denied (")?.split(')').next()?;
    Rule::ALL.iter().map(|rule| rule.code()).find(|known| *known == code)
}

/// Seals as their class: `‹contact.phone›`.
pub(crate) fn unsealed(text: &str) -> String {
    let mut pieces = text.split("SEALED_");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let whole = piece.split_once('_').and_then(|(class, rest)| Some((class, rest.get(26..)?)));
        match whole {
            Some((class, rest)) => out.push_str(&format!("‹{class}›{rest}")),
            None => out.push_str(&format!("SEALED_{piece}")),
        }
    }
    out
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new(TENANT).unwrap()
}

pub(crate) fn ask(candidates: &[Clear]) -> FindByPhone {
    FindByPhone { candidates: candidates.to_vec() }
}

/// The host itself, because somebody calls.
pub(crate) fn authority() -> Authority {
    Authority {
        tenant: tenant(),
        purpose: Purpose::ScreenPop,
        interaction: Some(InteractionId(uuid::Uuid::from_u128(7))),
        actor: Actor::System,
        subject: None,
        at: "2026-12-01T12:00:00Z".parse().unwrap(),
    }
}

/// A person who may see everything.
pub(crate) fn person(purpose: Purpose) -> Authority {
    let actor = Actor::User { id: "bia".parse().unwrap(), may: ClassSet::all() };
    Authority { purpose, actor, ..authority() }
}

/// What an admin gives: all that the manifest asks, but for the route `secret`.
pub(crate) fn grant(origin: &str) -> Grant {
    let text = format!(
        r#"
        [grant]
        tenant = "{TENANT}"
        plugin = "zoo"
        digest = "any"
        revision = 1
        approved-by = "bia@example.invalid"
        approved-at = "2026-11-23"
        expires = "2027-11-23"
        reason = "tests"
        purposes = ["screen-pop", "search", "journal"]
        routes = ["find", "get", "by-name", "who", "pair", "note", "later"]

        [classes]
        "contact.phone" = {{ to-plugin = "sealed", from-crm = "sealed" }}
        "contact.name" = {{ to-plugin = "sealed", from-crm = "sealed" }}
        "contact.email" = {{ from-crm = "sealed" }}
        "contact.document" = {{ from-crm = "sealed" }}
        "interaction.text" = {{ to-plugin = "sealed" }}

        [[destination]]
        origin = "{origin}"
        private = ["127.0.0.1/32"]
        reason = "the zoo's CRM runs on this machine"
        "#
    );
    Grant::parse("grant.toml", &text).unwrap_or_else(|e| panic!("{e}"))
}

/// The lines of plugins, as an operator reads them.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

impl GuestLog for Lines {
    fn line(&self, line: GuestLine<'_>) {
        self.0.lock().push(line.text.to_owned());
    }
}

/// What the host traces, at every level.
#[derive(Clone, Default)]
pub(crate) struct Traces(Arc<Mutex<Vec<u8>>>);

impl Traces {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

impl io::Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Traces {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
