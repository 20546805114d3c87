//! A host with the plugin in it, and a BottleCRM behind it.

use std::sync::Arc;

use ramal_capability::{Actor, Authority, ClassSet, Clear, Grant, InteractionId, Level, Purpose, Shown};
use ramal_egress::Egress;
use ramal_engine::{Ask, CallError, Called, Compiler, FindByPhone, Plugin, PluginError, PoolSize, Runtime};
use ramal_ledger::Recording;
use ramal_numbers::{PhoneNumber, Region};
use ramal_tests::bottlecrm::BottleCrm;
use ramal_tests::bottlecrm_plugin::{TENANT, component, credentials, grant, settings};
use ramal_tests::tryton_plugin::fixtures;

/// The plugin under its grant.
pub(crate) struct Desk {
    pub(crate) plugin: Plugin,
    pub(crate) ledger: Arc<Recording>,
    _runtime: Runtime,
}

/// One server for a test, or the end of the test if it cannot be had.
macro_rules! bottlecrm_or_skip {
    ($test:literal) => {
        bottlecrm_or_skip!($test, start)
    };
    ($test:literal, $start:ident) => {
        match ramal_tests::bottlecrm::BottleCrm::$start().await.unwrap().or_skip($test) {
            Some(bottlecrm) => bottlecrm,
            None => return,
        }
    };
}
pub(crate) use bottlecrm_or_skip;

impl Desk {
    /// Straight to BottleCRM.
    pub(crate) async fn open(bottlecrm: &BottleCrm) -> Self {
        Self::open_at(bottlecrm, &bottlecrm.origin, &grant(&bottlecrm.origin)).await
    }

    /// By way of something in between, under another grant.
    pub(crate) async fn open_at(bottlecrm: &BottleCrm, origin: &str, grant: &str) -> Self {
        let ledger = Arc::new(Recording::default());
        let egress = Egress::builder()
            .credentials(Arc::new(credentials(bottlecrm).unwrap()))
            .ledger(Arc::clone(&ledger) as _)
            .build()
            .unwrap();
        let component = component().unwrap_or_else(|e| panic!("{e}"));
        let runtime = Runtime::builder(fixtures().join("bottlecrm-code"), Arc::new(egress))
            .compiler(Compiler::program(env!("CARGO_BIN_EXE_zoo-compile-worker")))
            .pool(PoolSize { instances: 4, ..PoolSize::default() })
            .build()
            .unwrap();
        let grant = Grant::parse("grant.toml", grant).unwrap_or_else(|e| panic!("{e}"));
        let plugin = runtime
            .load(&component, &grant, &settings(origin))
            .await
            .unwrap_or_else(|e| panic!("it does not load: {e}"));
        Self { plugin, ledger, _runtime: runtime }
    }

    /// Calls the plugin, and sees to it that it saw nothing of anybody.
    pub(crate) async fn call<A: Ask>(&self, purpose: Purpose, ask: A) -> Result<A::Out, CallError> {
        let Called { outcome, report } = self.plugin.call(authority(purpose), ask).await;
        for seen in &report.rules.seen {
            assert_eq!(seen.level, Level::Sealed, "the plugin saw {} at {:?}", seen.class, seen.level);
        }
        assert_eq!(report.rules.withheld, 0, "{report:?}");
        assert_eq!(report.rules.suspicious_ids, 0, "{report:?}");
        outcome
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

/// A person who may see everything, during a call.
pub(crate) fn authority(purpose: Purpose) -> Authority {
    Authority {
        tenant: TENANT.parse().unwrap(),
        purpose,
        interaction: Some(InteractionId(uuid::Uuid::from_u128(7))),
        actor: Actor::User { id: "bia".parse().unwrap(), may: ClassSet::all() },
        subject: None,
        at: "2026-12-01T12:00:00Z".parse().unwrap(),
    }
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
