//! A loaded plugin, and the road of one call through it.
//!
//! Each call gets a fresh instance in a fresh store: nothing that one call left behind is there for the next.
//! A call is never abandoned half-way: a caller that goes away leaves the guest to run to its end or its
//! deadline, since a dropped guest future is what more than one wasmtime advisory needed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use ramal_capability::{Authority, Digest, Grant, Invocation, Manifest, Plan, PlanError, Report};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use wasmtime::{Store, Trap};

use crate::ask::{Ask, GuestError};
use crate::error::{CallError, PluginError, Stop};
use crate::gate::{Gate, Pass};
use crate::program::Program;
use crate::runtime::Shared;
use crate::state::{CallState, Stopped};

/// A plugin that is loaded for one tenant under one grant. Cheap to clone.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) program: Arc<Program>,
    pub(crate) plan: ArcSwap<Plan>,
    pub(crate) gate: Arc<Gate>,
}

/// A call that has ended: its result, and what it took.
#[derive(Debug)]
pub struct Called<T> {
    /// The result, or why there is none.
    pub outcome: Result<T, CallError>,
    /// What the plugin saw and used.
    pub report: CallReport,
}

/// What one call saw and used. Holds no customer value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CallReport {
    /// What the plugin saw, and its requests.
    #[serde(flatten)]
    pub rules: Report,
    /// From the start to the end, waits included, in microseconds.
    pub took_us: u64,
    /// Milliseconds that the guest itself computed, rounded down.
    pub cpu_ms: u64,
    /// The most linear memory that it held, in bytes.
    pub memory_bytes: u64,
    /// Lines that it logged.
    pub log_lines: u64,
}

impl Plugin {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// What the plugin asks for.
    pub fn manifest(&self) -> &Manifest {
        &self.0.program.manifest
    }
    /// The digest of its component.
    pub fn digest(&self) -> Digest {
        self.0.program.digest
    }
    /// The rights in force.
    pub fn plan(&self) -> Arc<Plan> {
        self.0.plan.load_full()
    }
    /// Whether it rests after stops, or is suspended until a person decides.
    pub fn is_resting(&self) -> bool {
        self.0.gate.is_closed()
    }
    /// Lets it work again, by a person's decision.
    pub fn resume(&self) {
        self.0.gate.resume();
    }

    /// Ends the grant: no new call is admitted, one under way is denied at its next request, and its
    /// connections are closed.
    pub fn revoke(&self) {
        let plan = self.0.plan.load();
        plan.end();
        self.0.shared.egress.forget(plan.tenant(), plan.plugin());
    }

    /// Puts another grant or other settings into force. Calls under way end under the old ones, whose
    /// connections are closed.
    ///
    /// # Errors
    /// When they do not fit the component; then the old ones stay in force.
    pub fn regrant(&self, grant: &Grant, settings: &Value) -> Result<(), PlanError> {
        let old = self.0.plan.load_full();
        let plan = Plan::compile(&self.0.program.manifest, self.0.program.digest, grant, settings)?
            .with_region(old.region());
        self.0.plan.store(Arc::new(plan));
        old.end();
        self.0.shared.egress.forget(old.tenant(), old.plugin());
        Ok(())
    }

    /// Calls a function of the plugin in a fresh instance.
    ///
    /// The call goes on to its end or its deadline even if the returned future is dropped.
    pub async fn call<A: Ask>(&self, who: Authority, ask: A) -> Called<A::Out> {
        let inner = Arc::clone(&self.0);
        RunToEnd(Some(Box::pin(async move { run(inner, who, ask).await }))).await
    }
}

async fn run<A: Ask>(inner: Arc<Inner>, who: Authority, ask: A) -> Called<A::Out> {
    let started = Instant::now();
    let refused = |error: CallError| Called { outcome: Err(error), report: CallReport::default() };
    let plan = inner.plan.load_full();
    let mut invocation = match Invocation::begin(plan, who, A::EXPORT, inner.shared.seed()) {
        Ok(invocation) => invocation,
        Err(denial) => return refused(denial.into()),
    };
    if !inner.program.exports.has(A::EXPORT) {
        return refused(CallError::Missing(A::EXPORT));
    }
    let limits = invocation.plan().limits().clone();
    let _pass: Pass = match inner.gate.enter(&limits, invocation.authority().subject.as_ref()) {
        Ok(pass) => pass,
        Err(error) => return refused(error),
    };
    let args = match ask.hand_in(&mut invocation) {
        Ok(args) => args,
        Err(denial) => return refused(denial.into()),
    };
    // The pool refuses at once when it is full, so that callers queue here instead.
    let Ok(_slot) = inner.shared.slots.acquire().await else {
        return refused(CallError::Host("the runtime is shutting down".to_owned()));
    };

    // At the last moment: the slot is given to this call next.
    if let Some(fault) = inner.shared.health.fault() {
        return refused(CallError::Host(fault.to_owned()));
    }

    let deadline = started + Duration::from_millis(limits.wall_ms);
    let state = CallState::new(invocation, Arc::clone(&inner.shared), deadline);
    let mut store = Store::new(&inner.shared.engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_max_component_handles(usize::try_from(limits.resource_handles).unwrap_or(usize::MAX));
    store.set_hostcall_fuel(usize::try_from(limits.hostcall_bytes).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| context.data_mut().tick());

    let answer = match inner.program.component.instantiate_async(&mut store).await {
        Ok(instance) => A::invoke(args, &inner.program.exports, &mut store, &instance).await,
        Err(error) => Err(error),
    };
    let state = store.into_data();
    let outcome = match answer {
        Ok(Ok(raw)) if A::bytes(&raw) > limits.result_bytes => {
            Err(CallError::ResultTooLarge(limits.result_bytes))
        }
        Ok(Ok(raw)) => A::open(raw, &state.invocation).map_err(CallError::from),
        Ok(Err(error)) => Err(plugin_error(error, &state).into()),
        Err(error) => Err(stopped(&inner, &state, &error)),
    };
    let report = CallReport {
        rules: state.invocation.report(),
        took_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        cpu_ms: state.cpu_ms,
        memory_bytes: state.memory.peak_bytes,
        log_lines: state.log_lines,
    };
    log_outcome(&state, A::EXPORT.as_str(), outcome.as_ref().err(), &report);
    Called { outcome, report }
}

/// One line for each call that did not go as it should.
fn log_outcome(state: &CallState, export: &str, error: Option<&CallError>, report: &CallReport) {
    let plan = state.invocation.plan();
    let (tenant, plugin, version) = (plan.tenant(), plan.plugin(), plan.version());
    match error {
        None => {}
        Some(CallError::Denied(denial)) => {
            tracing::warn!(%tenant, %plugin, version, export, rule = denial.rule.code(), "{denial}");
        }
        Some(error) => {
            tracing::warn!(%tenant, %plugin, version, export, code = error.code(), took_us = report.took_us, "{error}");
        }
    }
    if report.rules.withheld > 0 {
        tracing::warn!(
            %tenant, %plugin, version, export, withheld = report.rules.withheld,
            "an answer repeated a sealed value in a bounded field; it was withheld"
        );
    }
    if report.rules.suspicious_ids > 0 {
        tracing::warn!(
            %tenant, %plugin, version, export, count = report.rules.suspicious_ids,
            "values that the manifest lists as `id` look like documents or telephone numbers; look at its routes"
        );
    }
}

fn plugin_error(error: GuestError, state: &CallState) -> PluginError {
    // The words are the plugin's: masked, in one line, and short.
    let words = |text: String| -> String { state.invocation.words(&text, 500).chars().take(500).collect() };
    match error {
        GuestError::Unsupported => PluginError::Unsupported,
        GuestError::NotFound => PluginError::NotFound,
        GuestError::Denied(text) => PluginError::Denied(words(text)),
        GuestError::Invalid(text) => PluginError::Invalid(words(text)),
        GuestError::AuthExpired => PluginError::AuthExpired,
        GuestError::RateLimited(seconds) => PluginError::RateLimited(seconds),
        GuestError::Transient(text) => PluginError::Transient(words(text)),
        GuestError::Permanent(text) => PluginError::Permanent(words(text)),
        GuestError::Other((code, text)) => PluginError::Other(words(code), words(text)),
    }
}

fn stopped(inner: &Inner, state: &CallState, error: &wasmtime::Error) -> CallError {
    let stop = if let Some(Stopped(stop)) = error.downcast_ref::<Stopped>() {
        *stop
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        match trap {
            Trap::StackOverflow => Stop::Stack,
            Trap::UnreachableCodeReached if state.memory.refused => Stop::Memory,
            Trap::UnreachableCodeReached => Stop::Panic,
            _ => Stop::Fault,
        }
    } else if state.memory.refused {
        Stop::Memory
    } else {
        let text = format!("{error:#}");
        // These have no type of their own in wasmtime 48; the words are asserted by tests.
        if text.contains("fuel allocated for hostcalls") {
            Stop::HostcallBytes
        } else if ["concurrent limit", "resource limit exceeded", "handle limit exceeded"]
            .iter()
            .any(|words| text.contains(words))
        {
            Stop::Memory
        } else {
            Stop::Contract
        }
    };
    tracing::debug!(plugin = %inner.program.manifest.id, stop = stop.as_str(), "{}", state.invocation.mask(&format!("{error:#}")));
    if inner.gate.stopped() {
        tracing::error!(plugin = %inner.program.manifest.id, "stopped three times in five minutes; the plugin rests");
    }
    CallError::Stopped { stop, said: state.last_error.clone() }
}

/// A future that is finished by the runtime if its owner drops it.
struct RunToEnd<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for RunToEnd<T> {
    type Output = T;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(inner) = self.0.as_mut() else { return Poll::Pending };
        let polled = inner.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for RunToEnd<T> {
    fn drop(&mut self) {
        if let (Some(inner), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(inner);
        }
    }
}
