//! A made-up day: who calls when, and what becomes of it. Pure: a seed is a day.

use jiff::SignedDuration;

use super::Offset;
use super::chance::Chance;

/// From eight in the morning to eight in the evening.
pub(super) const LENGTH: SignedDuration = SignedDuration::from_hours(12);

/// Invented.
const AGENTS: [&str; 5] = ["Ana Prado", "Bruna Lins", "Caio Reis", "Davi Couto", "Elisa Moura"];
const QUEUES: [&str; 3] = ["sales", "support", "billing"];
/// The company's lines, invented.
const LINES: [&str; 2] = ["+551131110001", "+551131110002"];

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The exchange's name for it.
    pub(super) id: String,
    /// Who calls; `None` when the number was withheld.
    pub(super) from: Option<String>,
    pub(super) to: &'static str,
    pub(super) queue: &'static str,
    /// What happens, in order; it rings first.
    pub(super) steps: Vec<(Offset, Step)>,
}

/// Something that happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Rings,
    Answered { agent: &'static str },
    Ended { cause: &'static str },
}

/// The calls of a day. Most of `customers` call more than once.
pub(super) fn calls(seed: u64, number: u32, customers: &[String]) -> Vec<Call> {
    let mut chance = Chance::new(seed);
    (1..=number).map(|at| call(seed, at, customers, &mut chance)).collect()
}

fn call(seed: u64, number: u32, customers: &[String], chance: &mut Chance) -> Call {
    let from = match chance.between(1, 100) {
        1..=5 => None,
        // Somebody whom no CRM knows: numbers that nobody has.
        6..=20 => Some(format!("+551198{:03}0{:03}", chance.between(0, 999), chance.between(0, 999))),
        _ => chance.one(customers).cloned(),
    };
    let seconds = |number: u32| SignedDuration::from_secs(number.into());
    // The last hour is left for the talks to end in.
    let rings = seconds(chance.between(0, 11 * 3600));
    let rang = rings + seconds(chance.between(3, 25));
    let mut steps = vec![(rings, Step::Rings)];
    if chance.percent(72) {
        let agent = chance.one(&AGENTS).copied().unwrap_or_default();
        steps.push((rang, Step::Answered { agent }));
        let cause = if chance.percent(98) { "completed" } else { "failed" };
        steps.push((rang + seconds(chance.between(20, 720)), Step::Ended { cause }));
    } else {
        let cause =
            chance.one(&["missed", "missed", "abandoned", "abandoned", "busy", "rejected", "voicemail"]);
        steps.push((rang, Step::Ended { cause: cause.copied().unwrap_or("missed") }));
    }
    Call {
        id: format!("sim-{seed}-{number}"),
        from,
        to: chance.one(&LINES).copied().unwrap_or_default(),
        queue: chance.one(&QUEUES).copied().unwrap_or_default(),
        steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customers() -> Vec<String> {
        vec!["+5561987654001".to_owned(), "+5561987654002".to_owned()]
    }

    #[test]
    fn a_seed_is_a_day() {
        let day = calls(7, 50, &customers());
        assert_eq!(day, calls(7, 50, &customers()));
        assert_ne!(day, calls(8, 50, &customers()));
        assert_eq!(day[..10], calls(7, 10, &customers()), "more calls leave the first ones as they are");
    }

    #[test]
    fn every_call_rings_goes_on_in_order_and_ends_within_the_day() {
        let day = calls(3, 2000, &customers());
        for call in &day {
            assert_eq!(call.steps[0].1, Step::Rings);
            assert!(call.steps.is_sorted_by_key(|(at, _)| *at), "{call:?}");
            let (last, end) = *call.steps.last().unwrap();
            assert!(matches!(end, Step::Ended { .. }) && last <= LENGTH, "{call:?}");
        }
        let ids: std::collections::BTreeSet<&str> = day.iter().map(|call| call.id.as_str()).collect();
        assert_eq!(ids.len(), day.len());
        // Everything that can happen does.
        let answered = day.iter().filter(|call| call.steps.len() == 3).count();
        assert!((1300..1600).contains(&answered), "{answered}");
        assert!(day.iter().any(|call| call.from.is_none()));
        assert!(day.iter().any(|call| call.from.as_ref().is_some_and(|from| from.starts_with("+551198"))));
    }
}
