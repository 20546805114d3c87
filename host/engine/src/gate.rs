//! Who may come in now: calls at once and per minute, distinct data subjects, and the rest that a plugin gets
//! after it was stopped too often. Counts only; what a call may do is decided by the rules.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ramal_capability::{Denial, Limits, Rule, Subject};
use tokio::time::Instant;

use crate::error::CallError;

const STOPS: usize = 3;
const STOPS_WITHIN: Duration = Duration::from_secs(5 * 60);
const REST: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
pub(crate) struct Gate {
    inside: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    in_flight: u64,
    minute: Option<(Instant, u64)>,
    hour: Option<(Instant, HashSet<Subject>)>,
    day: Option<(Instant, HashSet<Subject>)>,
    stops: VecDeque<Instant>,
    resting_until: Option<Instant>,
    suspended: Option<&'static str>,
}

/// A place inside; leaving gives it back.
pub(crate) struct Pass(Arc<Gate>);

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.0.inside.lock();
        counts.in_flight = counts.in_flight.saturating_sub(1);
    }
}

impl Gate {
    /// Lets one call in, or says why not.
    pub(crate) fn enter(
        self: &Arc<Self>,
        limits: &Limits,
        subject: Option<&Subject>,
    ) -> Result<Pass, CallError> {
        let now = Instant::now();
        let mut counts = self.inside.lock();
        if let Some(why) = counts.suspended {
            return Err(Denial::new(Rule::Suspended, "a call of a suspended plugin", why).into());
        }
        if let Some(until) = counts.resting_until {
            if now < until {
                return Err(CallError::Quarantined { stops: STOPS, seconds: (until - now).as_secs().max(1) });
            }
            counts.resting_until = None;
            counts.stops.clear();
        }
        if counts.in_flight >= limits.calls_in_flight {
            return Err(CallError::Busy("the grant's calls-in-flight are used up"));
        }
        let minute = window(&mut counts.minute, now, Duration::from_secs(60));
        if *minute >= limits.calls_per_minute {
            return Err(CallError::Busy("the grant's calls-per-minute are used up"));
        }
        *minute += 1;
        if let Some(subject) = subject {
            let over = |seen: &mut HashSet<Subject>, most: u64| {
                if !seen.contains(subject) {
                    seen.insert(subject.clone());
                }
                seen.len() as u64 > most
            };
            let hour = over(window(&mut counts.hour, now, HOUR), limits.subjects_per_hour);
            let day = over(window(&mut counts.day, now, DAY), limits.subjects_per_day);
            if hour || day {
                // Looking up a whole customer base one by one is what a copy looks like: stop, and let a
                // person decide.
                counts.suspended = Some(
                    "it asked for more distinct people than its grant allows; a person has to resume it (`POST \
                     /v1/plugins/{plugin}/resume`)",
                );
                let (limit, most) = if hour {
                    ("subjects_per_hour", limits.subjects_per_hour)
                } else {
                    ("subjects_per_day", limits.subjects_per_day)
                };
                return Err(Denial::new(
                    Rule::Subjects,
                    "data of one more person",
                    "the number of people in the grant is used up",
                )
                .raise(limit, most, most.saturating_add(1))
                .into());
            }
        }
        counts.in_flight += 1;
        Ok(Pass(Arc::clone(self)))
    }

    /// Notes that the guest was stopped; answers whether it now rests.
    pub(crate) fn stopped(&self) -> bool {
        let now = Instant::now();
        let mut counts = self.inside.lock();
        counts.stops.retain(|at| now - *at < STOPS_WITHIN);
        counts.stops.push_back(now);
        if counts.stops.len() >= STOPS {
            counts.resting_until = Some(now + REST);
            return true;
        }
        false
    }

    /// Ends a rest or a suspension, by a person's decision.
    pub(crate) fn resume(&self) {
        let mut counts = self.inside.lock();
        counts.resting_until = None;
        counts.suspended = None;
        counts.stops.clear();
        counts.hour = None;
        counts.day = None;
    }

    /// Whether calls are refused until it rested or a person decides.
    pub(crate) fn is_closed(&self) -> bool {
        let counts = self.inside.lock();
        counts.suspended.is_some() || counts.resting_until.is_some_and(|until| Instant::now() < until)
    }
}

/// The count of the window that `now` lies in.
fn window<T: Default>(slot: &mut Option<(Instant, T)>, now: Instant, length: Duration) -> &mut T {
    if slot.as_ref().is_some_and(|(since, _)| now - *since >= length) {
        *slot = None;
    }
    &mut slot.get_or_insert_with(|| (now, T::default())).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use ramal_capability::Limits;

    fn limits() -> Limits {
        Limits {
            calls_in_flight: 2,
            calls_per_minute: 5,
            subjects_per_hour: 2,
            subjects_per_day: 3,
            ..Limits::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_at_once_are_limited_and_leaving_makes_room() {
        let gate = Arc::new(Gate::default());
        let first = gate.enter(&limits(), None).unwrap();
        let _second = gate.enter(&limits(), None).unwrap();
        assert_eq!(gate.enter(&limits(), None).err().unwrap().code(), "busy");
        drop(first);
        assert!(gate.enter(&limits(), None).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_per_minute_are_limited() {
        let gate = Arc::new(Gate::default());
        for _ in 0..5 {
            drop(gate.enter(&limits(), None).unwrap());
        }
        assert_eq!(gate.enter(&limits(), None).err().unwrap().code(), "busy");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(gate.enter(&limits(), None).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_people_suspend_until_a_person_decides() {
        let gate = Arc::new(Gate::default());
        for who in ["a", "a", "b"] {
            drop(gate.enter(&limits(), Some(&Subject(who.into()))).unwrap());
        }
        let Err(CallError::Denied(denial)) = gate.enter(&limits(), Some(&Subject("c".into()))) else {
            panic!()
        };
        assert_eq!(denial.rule, Rule::Subjects);
        tokio::time::advance(DAY).await;
        let Err(CallError::Denied(denial)) = gate.enter(&limits(), None) else { panic!() };
        assert_eq!(denial.rule, Rule::Suspended);
        gate.resume();
        assert!(gate.enter(&limits(), Some(&Subject("c".into()))).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn three_stops_in_five_minutes_bring_rest() {
        let gate = Arc::new(Gate::default());
        assert!(!gate.stopped());
        assert!(!gate.stopped());
        tokio::time::advance(STOPS_WITHIN).await;
        assert!(!gate.stopped(), "older stops are forgotten");
        assert!(!gate.stopped());
        assert!(gate.stopped());
        assert!(matches!(gate.enter(&limits(), None), Err(CallError::Quarantined { .. })));
        assert!(gate.is_closed());
        tokio::time::advance(REST).await;
        assert!(gate.enter(&limits(), None).is_ok());
    }
}
