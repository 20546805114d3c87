//! Tells a day: each call in its order, calls side by side, at the pace that is asked for.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use ramal_capability::{Clear, EgressFailure, Origin};
use ramal_egress::{Egress, WebhookAddress, WebhookCall, WebhookClient, WebhookError};
use ramal_ledger::Deny;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::day::Call;
use super::form::{Form, Post};
use super::wait;
use crate::failure::{Failure, Outcome};
use crate::output::Terminal;

/// Calls that are told side by side when there is no pace.
const SIDE_BY_SIDE: usize = 16;
/// Times that one event is sent.
const TRIES: u32 = 6;
/// How long one request may take.
const WHOLE: Duration = Duration::from_secs(30);
/// How often it is said how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How the day goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    AtOnce,
    Times(u32),
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) accepted: u32,
    pub(super) repeated: u32,
    pub(super) refused: u32,
    /// Requests that were sent another time.
    pub(super) again: u32,
    pub(super) last_status: u16,
    pub(super) took: Duration,
}

impl Report {
    pub(super) fn events(&self) -> u32 {
        self.accepted.saturating_add(self.repeated).saturating_add(self.refused)
    }
}

/// Who sends.
pub(super) struct Sender {
    origin: Origin,
    /// When the next event may leave, where there is a limit, and how far apart two are.
    gap: Option<(Mutex<Instant>, Duration)>,
}

impl Sender {
    pub(super) fn new(origin: Origin, rate: Option<u32>) -> Self {
        let gap = rate.filter(|rate| *rate > 0).map(|rate| Duration::from_secs(1) / rate);
        Self { origin, gap: gap.map(|gap| (Mutex::new(Instant::now()), gap)) }
    }

    fn client(&self, form: &dyn Form) -> Result<WebhookClient, WebhookError> {
        // Loopback is no public address: the check of the way out wants it named.
        let private = ["127.0.0.0/8", "::1/128"].iter().filter_map(|range| range.parse().ok()).collect();
        let address = WebhookAddress { origin: self.origin.clone(), target: form.target(), private };
        // Nothing of this is a disclosure; a row would be a defect, and `Deny` says so.
        Egress::builder().ledger(Arc::new(Deny)).webhook(&address, WHOLE)
    }

    /// Tells all of it.
    pub(super) async fn tell<F: Form>(
        &self,
        terminal: &Terminal,
        form: &F,
        calls: &[Call],
        begins: Timestamp,
        pace: Pace,
    ) -> Outcome<Report> {
        let client = self.client(form).map_err(Failure::environment)?;
        let started = Instant::now();
        let (report, said) = (Mutex::new(Report::default()), Mutex::new(started));
        // Side by side there are as many as go on at one time; at once, so many as the host likes.
        let at_one_time = if pace == Pace::AtOnce { SIDE_BY_SIDE } else { calls.len().max(1) };
        let told = stream::iter(calls).for_each_concurrent(at_one_time, |call| {
            let (client, report, said) = (&client, &report, &said);
            async move {
                for (number, (offset, step)) in call.steps.iter().enumerate() {
                    let at = match pace {
                        Pace::AtOnce => begins.saturating_add(*offset),
                        Pace::Times(times) => {
                            let after = offset.checked_div(i32::try_from(times).unwrap_or(i32::MAX));
                            let after = after.unwrap_or(SignedDuration::ZERO);
                            tokio::time::sleep_until(started + wait(after)).await;
                            begins.saturating_add(after)
                        }
                    };
                    let at = at.unwrap_or(begins);
                    self.take_turn().await;
                    let one = send(client, |now| form.step(call, number, *step, at, now)).await;
                    let mut report = report.lock().await;
                    report.count(one);
                    let mut said = said.lock().await;
                    if said.elapsed() >= TELL_EVERY {
                        *said = Instant::now();
                        terminal.progress(&format!(
                            "{} events told, {} refused",
                            report.events(),
                            report.refused
                        ));
                    }
                }
            }
        });
        told.await;
        terminal.progress("");
        let mut report = report.into_inner();
        report.took = started.elapsed();
        Ok(report)
    }

    async fn take_turn(&self) {
        let Some((next, gap)) = &self.gap else { return };
        let turn = {
            let mut next = next.lock().await;
            let turn = (*next).max(Instant::now());
            *next = turn + *gap;
            turn
        };
        tokio::time::sleep_until(turn).await;
    }
}

/// What became of one event.
struct One {
    status: Result<u16, EgressFailure>,
    again: u32,
}

impl Report {
    fn count(&mut self, one: One) {
        let of = match one.status {
            Ok(202) => &mut self.accepted,
            Ok(200) => &mut self.repeated,
            Ok(status) => {
                self.last_status = status;
                &mut self.refused
            }
            Err(_) => &mut self.refused,
        };
        *of = of.saturating_add(1);
        self.again = self.again.saturating_add(one.again);
    }
}

/// Sends one event until it is taken or refused: a host that is busy or starting is asked again, as a provider would.
async fn send(client: &WebhookClient, post: impl Fn(Timestamp) -> Post) -> One {
    let mut again = 0_u32;
    loop {
        let Post { content_type, headers, body } = post(Timestamp::now());
        let body = Clear::from(body.as_str());
        let call = WebhookCall { content_type, headers: &headers, body: &body, disclosure: None };
        let answered = client.post(call).await;
        let passing = match &answered {
            Ok(answer) => answer.status == 503 || answer.status == 429,
            Err(EgressFailure::Unavailable(_) | EgressFailure::Timeout) => true,
            Err(_) => false,
        };
        if !passing || again.saturating_add(1) >= TRIES {
            return One { status: answered.map(|answer| answer.status), again };
        }
        tokio::time::sleep(Duration::from_millis(100) * 2_u32.saturating_pow(again)).await;
        again = again.saturating_add(1);
    }
}
