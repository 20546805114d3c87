//! Whether a CRM is worth trying: closed, open, or half open with one probe.
//!
//! When half of the last calls failed, more of them help nobody: they burn the retries of what waits and keep a CRM
//! down that tries to come up. Then the queue rests, and one single call finds out whether it is over.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::decision::later;

/// Results that are looked at.
const WINDOW: usize = 20;
/// Fewer say nothing.
const FEWEST: usize = 5;
/// The first rest; each that follows without a success between is twice as long.
const FIRST_REST: Duration = Duration::from_secs(15);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

/// What a call says of the CRM's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answered, whatever it answered.
    Healthy,
    /// It did not answer, or not as itself.
    Failing,
    /// The call did not come so far, or says nothing of health.
    Unknown,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Free,
    /// It may, and is the only one: everybody waits for what it says.
    Probe,
    /// Not before this moment.
    Refused(Timestamp),
}

/// One CRM's circuit.
#[derive(Debug, Clone, Default)]
pub struct Circuit {
    /// The last results, true for a failure. Empty while the circuit is open.
    last: VecDeque<bool>,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Timestamp,
    rest: Duration,
    probing: bool,
}

impl Circuit {
    /// Asks for one call. Who is let through as a probe must [`Circuit::report`].
    pub fn admit(&mut self, now: Timestamp) -> Admission {
        let Some(open) = &mut self.open else { return Admission::Free };
        // A clock that was set back must not leave a longer rest behind than there is.
        open.until = open.until.min(later(now, open.rest));
        if open.until > now {
            return Admission::Refused(open.until);
        }
        if open.probing {
            // The probe will say when it is over; this is when to ask in case that it does not.
            return Admission::Refused(later(now, FIRST_REST));
        }
        open.probing = true;
        Admission::Probe
    }

    /// Says what came of a call that was let through.
    pub fn report(&mut self, probe: bool, verdict: Verdict, now: Timestamp) {
        match (&mut self.open, probe) {
            (Some(open), true) => match verdict {
                Verdict::Healthy => self.open = None,
                Verdict::Failing => {
                    let rest = open.rest.saturating_mul(2).min(LONGEST_REST);
                    self.open = Some(Open { until: later(now, rest), rest, probing: false });
                }
                Verdict::Unknown => open.probing = false,
            },
            // It began before the circuit opened: old news.
            (Some(_), false) => {}
            (None, _) => self.count(verdict, now),
        }
    }

    /// Whether calls are refused at the moment but for a probe.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn count(&mut self, verdict: Verdict, now: Timestamp) {
        match verdict {
            Verdict::Unknown => return,
            Verdict::Healthy => self.last.push_back(false),
            Verdict::Failing => self.last.push_back(true),
        }
        if self.last.len() > WINDOW {
            self.last.pop_front();
        }
        let failures = self.last.iter().filter(|failed| **failed).count();
        if self.last.len() >= FEWEST && failures * 2 >= self.last.len() {
            self.last.clear();
            self.open = Some(Open { until: later(now, FIRST_REST), rest: FIRST_REST, probing: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use rstest::rstest;

    fn at(seconds: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_secs(seconds)
    }
    fn after(results: &str) -> Circuit {
        let mut circuit = Circuit::default();
        for result in results.chars() {
            let verdict = match result {
                'x' => Verdict::Failing,
                '.' => Verdict::Healthy,
                _ => Verdict::Unknown,
            };
            circuit.report(false, verdict, at(0));
        }
        circuit
    }

    #[rstest]
    #[case::nothing_yet("", false)]
    #[case::too_few_to_say("xxxx", false)]
    #[case::all_of_the_fewest("xxxxx", true)]
    #[case::half_of_few("..x.xx", true)]
    #[case::under_half("....x.x.xx", false)]
    #[case::half_of_twenty("..........xxxxxxxxxx", true)]
    #[case::nine_of_twenty("...........xxxxxxxxx", false)]
    #[case::what_is_long_ago_does_not_count("....................xxxxxxxxx", false)]
    #[case::what_says_nothing_does_not_count("x?x?x?x", false)]
    fn half_of_the_last_twenty_open_it(#[case] results: &str, #[case] open: bool) {
        assert_eq!(after(results).is_open(), open);
    }

    #[test]
    fn after_a_rest_one_single_probe_decides() {
        let mut circuit = after("xxxxx");
        assert_eq!(circuit.admit(at(14)), Admission::Refused(at(15)));
        assert_eq!(circuit.admit(at(15)), Admission::Probe);
        assert!(matches!(circuit.admit(at(15)), Admission::Refused(_)));
        circuit.report(true, Verdict::Healthy, at(16));
        assert_eq!(circuit.admit(at(16)), Admission::Free);
    }

    #[test]
    fn each_probe_that_fails_doubles_the_rest_up_to_five_minutes() {
        let mut circuit = after("xxxxx");
        let mut now = 15;
        for rest in [30, 60, 120, 240, 300, 300] {
            assert_eq!(circuit.admit(at(now)), Admission::Probe);
            circuit.report(true, Verdict::Failing, at(now));
            assert_eq!(circuit.admit(at(now)), Admission::Refused(at(now + rest)));
            now += rest;
        }
    }

    #[test]
    fn a_probe_that_never_came_to_the_crm_leaves_its_place_to_another() {
        let mut circuit = after("xxxxx");
        assert_eq!(circuit.admit(at(15)), Admission::Probe);
        circuit.report(true, Verdict::Unknown, at(15));
        assert_eq!(circuit.admit(at(15)), Admission::Probe);
    }

    #[test]
    fn a_call_from_before_says_nothing_once_it_is_open() {
        let mut circuit = after("xxxxx");
        circuit.report(false, Verdict::Healthy, at(1));
        circuit.report(false, Verdict::Failing, at(1));
        assert_eq!(circuit.admit(at(2)), Admission::Refused(at(15)));
    }

    #[test]
    fn once_closed_it_begins_anew() {
        let mut circuit = after("xxxxx");
        circuit.admit(at(15));
        circuit.report(true, Verdict::Healthy, at(15));
        for _ in 0..4 {
            circuit.report(false, Verdict::Failing, at(16));
        }
        assert!(!circuit.is_open());
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_no_longer_rest() {
        let mut circuit = after("xxxxx");
        assert_eq!(circuit.admit(at(-86_400)), Admission::Refused(at(-86_385)));
    }
}
