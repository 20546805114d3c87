//! The host's side of a call under test: the same decisions, and a CRM made of recorded answers.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ramal_capability::{EgressCall, EgressFailure, Import, Invocation};
use serde_json::Value;

use super::Sent;
use super::recorded::{Answer, Answers};
use crate::host::Host;
use crate::{Call, Failure, Level, PhoneStyle, Reply, StoreFailure};

/// Everything that a call under test touches.
pub(super) struct Stage {
    state: RefCell<State>,
}

struct State {
    invocation: Invocation,
    answers: Answers,
    sent: Vec<Sent>,
    log: Vec<(Level, String)>,
    store: BTreeMap<String, String>,
}

impl Stage {
    pub(super) fn new(invocation: Invocation, answers: Answers, store: BTreeMap<String, String>) -> Self {
        // Every component of this SDK reads settings and can log a panic.
        for import in [Import::Settings, Import::Log] {
            check_use(&invocation, import, "every plugin of this SDK");
        }
        Self { state: RefCell::new(State { invocation, answers, sent: Vec::new(), log: Vec::new(), store }) }
    }
    pub(super) fn with<T>(&self, run: impl FnOnce(&mut Invocation) -> T) -> T {
        run(&mut self.state.borrow_mut().invocation)
    }
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.state.borrow().sent.clone()
    }
    pub(super) fn logged(&self) -> Vec<(Level, String)> {
        self.state.borrow().log.clone()
    }
    pub(super) fn stored(&self, key: &str) -> Option<String> {
        self.state.borrow().store.get(key).cloned()
    }

    fn text<T>(&self, run: impl FnOnce(&mut Invocation) -> T) -> T {
        let invocation = &mut self.state.borrow_mut().invocation;
        check_use(invocation, Import::Text, "`cx.text()`");
        run(invocation)
    }
}

/// A component imports what its code calls, and a host refuses one whose manifest does not say so.
fn check_use(invocation: &Invocation, import: Import, who: &str) {
    if !invocation.plan().uses().contains(&import) {
        panic!(
            "{who} uses `{import}`, so the host would refuse the component: add \"{import}\" to `uses` in plugin.toml"
        );
    }
}

impl State {
    fn send(&mut self, call: Call) -> Result<Reply, Failure> {
        check_use(&self.invocation, Import::Egress, "`cx.egress()`");
        let route = call.route.clone();
        let call = EgressCall {
            route: call.route,
            params: call.params.0.into_iter().map(|(name, value)| (name, value.0)).collect(),
            body: call.body,
        };
        let prepared = self.invocation.prepare(&call)?;
        let sent = Sent {
            route: route.clone(),
            method: prepared.method().to_string(),
            url: format!("{}{}", prepared.origin(), prepared.target().expose()),
            headers: prepared.headers().iter().map(|(k, v)| (k.clone(), v.expose().to_owned())).collect(),
            body: match prepared.body() {
                Some(body) => super::must(serde_json::from_str(body.expose())),
                None => Value::Null,
            },
        };
        let answer = self.answers.take(&sent);
        self.sent.push(sent);
        let (status, body) = match answer {
            Some(Answer::Http { status, body, retry_after }) => {
                EgressFailure::judge(status, retry_after.is_some(), retry_after)?;
                (status, body)
            }
            Some(Answer::Failure(failure)) => return Err(failure),
            None => panic!(
                "the plugin sent the route `{route}` and the test has no answer for this request: add \
                 `.answer(\"{route}\", 200, json!(…))`"
            ),
        };
        // An empty answer is one without JSON, such as a 204.
        let bytes = if body.is_null() { b"{}".to_vec() } else { super::must(serde_json::to_vec(&body)) };
        let reply = self.invocation.project(&prepared, status, &bytes)?;
        Ok(Reply { route, status: reply.status, body: reply.body })
    }

    fn key(&self, key: &str) -> Result<(), StoreFailure> {
        check_use(&self.invocation, Import::Store, "`cx.store()`");
        self.invocation.kept_key(key).map_err(StoreFailure::Refused)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), StoreFailure> {
        self.key(key)?;
        self.invocation.kept_value(value).map_err(StoreFailure::Refused)?;
        let others = self.store.iter().filter(|(k, _)| k.as_str() != key);
        let others = others.map(|(k, v)| (k.as_str(), v.as_str()));
        if !self.invocation.plan().limits().has_room(key, value, others) {
            return Err(StoreFailure::Full);
        }
        self.store.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn log(&mut self, level: Level, message: &str) {
        if (self.log.len() as u64) < self.invocation.plan().limits().log_lines {
            let line = self.invocation.log_line(message);
            self.log.push((level, line));
        }
    }
}

impl Host for Stage {
    fn settings(&self) -> String {
        self.state.borrow().invocation.plan().settings().to_owned()
    }
    fn send(&self, call: Call) -> Result<Reply, Failure> {
        self.state.borrow_mut().send(call)
    }
    fn send_all(&self, calls: Vec<Call>) -> Vec<Result<Reply, Failure>> {
        calls.into_iter().map(|call| self.send(call)).collect()
    }
    fn phone_format(&self, value: &str, style: PhoneStyle) -> Result<String, String> {
        let style = match style {
            PhoneStyle::E164 => ramal_capability::PhoneStyle::E164,
            PhoneStyle::National => ramal_capability::PhoneStyle::National,
            PhoneStyle::Digits => ramal_capability::PhoneStyle::Digits,
            PhoneStyle::Rfc3966 => ramal_capability::PhoneStyle::Rfc3966,
            PhoneStyle::International => ramal_capability::PhoneStyle::International,
        };
        self.text(|invocation| invocation.phone_format(value, style))
    }
    fn phone_variants(&self, value: &str) -> Vec<String> {
        self.text(|invocation| invocation.phone_variants(value))
    }
    fn given_name(&self, value: &str) -> String {
        self.text(|invocation| invocation.given_name(value))
    }
    fn family_name(&self, value: &str) -> String {
        self.text(|invocation| invocation.family_name(value))
    }
    fn lower(&self, value: &str) -> String {
        self.text(|invocation| invocation.lower(value))
    }
    fn same(&self, a: &str, b: &str) -> Result<bool, String> {
        self.text(|invocation| invocation.same(a, b)).map_err(|denial| denial.to_string())
    }
    fn get(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        let state = self.state.borrow();
        state.key(key)?;
        Ok(state.store.get(key).cloned())
    }
    /// A test has no clock: what is kept for some seconds is kept.
    fn set(&self, key: &str, value: &str, _ttl_seconds: Option<u32>) -> Result<(), StoreFailure> {
        self.state.borrow_mut().set(key, value)
    }
    fn delete(&self, key: &str) -> Result<(), StoreFailure> {
        let mut state = self.state.borrow_mut();
        state.key(key)?;
        state.store.remove(key);
        Ok(())
    }
    fn log(&self, level: Level, message: &str) {
        self.state.borrow_mut().log(level, message);
    }
}

impl From<EgressFailure> for Failure {
    fn from(failure: EgressFailure) -> Self {
        match failure {
            EgressFailure::Denied(denial) => Self::Denied(denial.to_string()),
            EgressFailure::Unavailable(text) => Self::Unavailable(text),
            EgressFailure::Timeout => Self::Timeout,
            EgressFailure::TooLarge => Self::TooLarge,
            EgressFailure::RateLimited(seconds) => Self::RateLimited(seconds),
            EgressFailure::AuthExpired => Self::AuthExpired,
        }
    }
}
