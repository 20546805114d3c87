//! A host with one plugin in it and a real CRM behind it: the same way out and the same checks on each call for every
//! plugin, so that none is held to less than another.

pub(crate) mod changes;
pub(crate) mod delivered;
pub(crate) mod faults;
pub(crate) mod matrix;

use std::sync::Arc;

use ramal_capability::{
    Actor, Authority, ClassSet, Clear, Grant, InteractionId, Level, Purpose, Shown, TenantId,
};
use ramal_egress::{Egress, StaticCredentials, TableResolver};
use ramal_engine::{Ask, CallError, Called, Compiler, FindByPhone, Plugin, PluginError, PoolSize, Runtime};
use ramal_ledger::Recording;
use ramal_numbers::{PhoneNumber, Region};
use ramal_tests::fixture;
use serde_json::Value;

/// The plugin under its grant.
pub(crate) struct Desk {
    plugin: Plugin,
    tenant: TenantId,
    has_misfits: bool,
    pub(crate) ledger: Arc<Recording>,
    _runtime: Runtime,
}

/// What one CRM has otherwise than another.
pub(crate) struct Setup<'a> {
    pub(crate) component: Vec<u8>,
    /// The folder of the compiled code.
    pub(crate) code: &'a str,
    pub(crate) credentials: StaticCredentials,
    pub(crate) grant: &'a str,
    pub(crate) settings: Value,
    /// Whether its answers have listed fields with values that do not fit, which are dropped.
    pub(crate) has_misfits: bool,
}

impl Desk {
    pub(crate) async fn of(setup: Setup<'_>) -> Self {
        let ledger = Arc::new(Recording::default());
        let egress = Egress::builder()
            .credentials(Arc::new(setup.credentials))
            .ledger(Arc::clone(&ledger) as _)
            // Every server is at an address of this machine. No test asks the world for a name.
            .resolver(Arc::new(TableResolver::new()))
            .build()
            .unwrap();
        let runtime = Runtime::builder(fixture::folder().join(setup.code), Arc::new(egress))
            .compiler(Compiler::program(env!("CARGO_BIN_EXE_zoo-compile-worker")))
            .pool(PoolSize { instances: 4, ..PoolSize::default() })
            .build()
            .unwrap();
        let grant = Grant::parse("grant.toml", setup.grant).unwrap_or_else(|e| panic!("{e}"));
        let plugin = runtime
            .load(&setup.component, &grant, &setup.settings)
            .await
            .unwrap_or_else(|e| panic!("it does not load: {e}"));
        Self { plugin, tenant: grant.tenant, has_misfits: setup.has_misfits, ledger, _runtime: runtime }
    }

    /// Calls the plugin as a person who may see everything, during a call, and sees to it that the plugin saw nothing of
    /// anybody.
    pub(crate) async fn called<A: Ask>(&self, purpose: Purpose, ask: A) -> Called<A::Out> {
        let authority = Authority {
            tenant: self.tenant.clone(),
            purpose,
            interaction: Some(InteractionId(uuid::Uuid::from_u128(7))),
            actor: Actor::User { id: "bia".parse().unwrap(), may: ClassSet::all() },
            subject: None,
            at: "2026-12-01T12:00:00Z".parse().unwrap(),
        };
        let called = self.plugin.call(authority, ask).await;
        let rules = &called.report.rules;
        for seen in &rules.seen {
            assert_eq!(seen.level, Level::Sealed, "the plugin saw {} at {:?}", seen.class, seen.level);
        }
        assert_eq!((rules.withheld, rules.suspicious_ids), (0, 0), "{:?}", called.report);
        assert!(self.has_misfits || rules.misfits == 0, "{:?}", called.report);
        called
    }

    pub(crate) async fn call<A: Ask>(&self, purpose: Purpose, ask: A) -> Result<A::Out, CallError> {
        self.called(purpose, ask).await.outcome
    }

    /// The names of whom a number belongs to, looked up as the host does it.
    pub(crate) async fn who_is(&self, number: &str) -> Result<Vec<String>, CallError> {
        let found = self.call(Purpose::ScreenPop, FindByPhone { candidates: candidates(number) }).await?;
        let mut names: Vec<String> =
            found.iter().map(|contact| contact.name.value.expose().to_owned()).collect();
        names.sort();
        Ok(names)
    }
}

/// A number in the forms that the host hands in.
pub(crate) fn candidates(number: &str) -> Vec<Clear> {
    let number = PhoneNumber::parse(number, Region::BR).unwrap();
    number.variants().iter().map(|number| Clear::from(number.e164())).collect()
}

/// What a person reads.
pub(crate) fn words(all: &[Shown]) -> Vec<&str> {
    all.iter().map(|shown| shown.value.expose()).collect()
}

/// The plugin's own error.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> PluginError {
    match outcome {
        Err(CallError::Plugin(error)) => error,
        other => panic!("the plugin should have refused: {other:?}"),
    }
}
