//! What a guest may import: thin calls into the rules and the way out. No rule lives here.

use std::time::Duration;

use ramal_capability::{EgressCall, EgressFailure, PhoneStyle, Reply, Rule};

use crate::bindings::ramal::crm::{egress, log, settings, store, text, types};
use crate::guest_log::{GuestLine, LogLevel};
use crate::kv::KeepError;
use crate::state::CallState;

impl types::Host for CallState {}

impl egress::Host for CallState {
    async fn send(&mut self, call: egress::Call) -> Result<egress::Reply, egress::Failure> {
        let shared = self.shared.clone();
        let answer = shared.egress.send(&mut self.invocation, &asked(call), self.deadline).await;
        answered(answer)
    }

    async fn send_all(&mut self, calls: Vec<egress::Call>) -> Vec<Result<egress::Reply, egress::Failure>> {
        let shared = self.shared.clone();
        let calls = calls.into_iter().map(asked).collect();
        let answers = shared.egress.send_all(&mut self.invocation, calls, self.deadline).await;
        answers.into_iter().map(answered).collect()
    }
}

fn asked(call: egress::Call) -> EgressCall {
    EgressCall { route: call.route, params: call.params, body: call.body }
}

fn answered(answer: Result<Reply, EgressFailure>) -> Result<egress::Reply, egress::Failure> {
    match answer {
        Ok(Reply { status, body }) => Ok(egress::Reply { status, body }),
        Err(failure) => Err(match failure {
            // Which addresses a name has inside the company is the operator's to know, not the guest's.
            EgressFailure::Denied(denial) if denial.rule == Rule::Address => egress::Failure::Denied(
                "denied (address): the grant does not name the destination's address".to_owned(),
            ),
            // Nothing that the plugin did, and it passes: a plugin that heard `denied` would give its work up.
            EgressFailure::Denied(denial) if denial.rule == Rule::Ledger => egress::Failure::Unavailable(
                "the host cannot record what leaves at the moment, so nothing leaves: try again later"
                    .to_owned(),
            ),
            EgressFailure::Denied(denial) => egress::Failure::Denied(denial.to_string()),
            EgressFailure::Unavailable(why) => egress::Failure::Unavailable(why),
            EgressFailure::Timeout => egress::Failure::Timeout,
            EgressFailure::TooLarge => egress::Failure::TooLarge,
            EgressFailure::RateLimited(seconds) => egress::Failure::RateLimited(seconds),
            EgressFailure::AuthExpired => egress::Failure::AuthExpired,
        }),
    }
}

impl text::Host for CallState {
    fn phone_format(&mut self, value: String, style: text::PhoneStyle) -> Result<String, String> {
        let style = match style {
            text::PhoneStyle::E164 => PhoneStyle::E164,
            text::PhoneStyle::National => PhoneStyle::National,
            text::PhoneStyle::Digits => PhoneStyle::Digits,
            text::PhoneStyle::Rfc3966 => PhoneStyle::Rfc3966,
            text::PhoneStyle::International => PhoneStyle::International,
        };
        self.invocation.phone_format(&value, style)
    }
    fn phone_variants(&mut self, value: String) -> Vec<String> {
        self.invocation.phone_variants(&value)
    }
    fn given_name(&mut self, value: String) -> String {
        self.invocation.given_name(&value)
    }
    fn family_name(&mut self, value: String) -> String {
        self.invocation.family_name(&value)
    }
    fn lower(&mut self, value: String) -> String {
        self.invocation.lower(&value)
    }
    fn same(&mut self, a: String, b: String) -> Result<bool, String> {
        self.invocation.same(&a, &b).map_err(|denial| denial.to_string())
    }
}

impl settings::Host for CallState {
    fn all(&mut self) -> String {
        self.invocation.plan().settings().to_owned()
    }
}

impl store::Host for CallState {
    async fn get(&mut self, key: String) -> Result<Option<String>, store::Failure> {
        self.invocation.kept_key(&key).map_err(store::Failure::Refused)?;
        let plan = self.invocation.plan();
        self.shared.store.get(plan.tenant(), plan.plugin(), &key).await.map_err(kept)
    }

    async fn set(&mut self, key: String, value: String, ttl: Option<u32>) -> Result<(), store::Failure> {
        self.invocation.kept_key(&key).map_err(store::Failure::Refused)?;
        let plan = self.invocation.plan();
        self.invocation.kept_value(&value).map_err(store::Failure::Refused)?;
        let ttl = ttl.map(|seconds| Duration::from_secs(seconds.into()));
        self.shared
            .store
            .set(plan.tenant(), plan.plugin(), &key, &value, ttl, plan.limits())
            .await
            .map_err(kept)
    }

    async fn delete(&mut self, key: String) -> Result<(), store::Failure> {
        self.invocation.kept_key(&key).map_err(store::Failure::Refused)?;
        let plan = self.invocation.plan();
        self.shared.store.delete(plan.tenant(), plan.plugin(), &key).await.map_err(kept)
    }
}

fn kept(error: KeepError) -> store::Failure {
    match error {
        KeepError::Full => store::Failure::Full,
        KeepError::Unavailable => store::Failure::Unavailable,
    }
}

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, message: String) {
        let limits = self.invocation.plan().limits();
        self.log_lines += 1;
        if self.log_lines > limits.log_lines {
            // The last line that is written says that more were not.
            if self.log_lines == limits.log_lines + 1 {
                self.line(
                    LogLevel::Warn,
                    "more lines than the grant allows; the rest of this call is not logged",
                );
            }
            return;
        }
        let text = self.invocation.log_line(&message);
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.line(level, &text);
        if level == LogLevel::Error {
            self.last_error = Some(text);
        }
    }
}

impl CallState {
    fn line(&self, level: LogLevel, text: &str) {
        let plan = self.invocation.plan();
        self.shared.log.line(GuestLine {
            tenant: plan.tenant(),
            plugin: plan.plugin(),
            version: plan.version(),
            level,
            text,
        });
    }
}
