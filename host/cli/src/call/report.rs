//! The report of a call: what came back, what it took, what the plugin saw, what left and to whom.

use std::time::Duration;

use ramal_capability::{Actor, Authority, Direction, Export, Level, Plan};
use ramal_engine::{CallReport, LogLevel};
use ramal_ledger::{Disclosure, Outcome as Sent};
use serde_json::{Value, json};

use super::answer::{self, Node};
use super::lines::word;
use crate::failure::Failure;
use crate::output::{Cell, Column, Page, Terminal, bytes};

/// All that a report is made of.
pub(crate) struct Facts<'a> {
    pub(crate) export: Export,
    pub(crate) who: &'a Authority,
    pub(crate) plan: &'a Plan,
    pub(crate) loading: Duration,
    /// The answer, or the code of the error.
    pub(crate) answer: Result<&'a Node, &'static str>,
    pub(crate) report: &'a CallReport,
    pub(crate) disclosures: &'a [Disclosure],
    pub(crate) said: &'a [(LogLevel, String)],
    pub(crate) show_values: bool,
}

/// For a person.
pub(crate) fn page(facts: &Facts<'_>) -> Page {
    let plan = facts.plan;
    let mut page = Page::new();
    page.title(&format!("{} of {} {}", facts.export, plan.plugin(), plan.version()));
    if let Ok(node) = facts.answer {
        answer::show(&mut page, node, facts.show_values);
    }
    page.section("report").fields(&usage(facts));
    seen(&mut page, facts.report);
    disclosures(&mut page, facts.disclosures);
    if !facts.said.is_empty() {
        let rows: Vec<Vec<Cell>> = facts
            .said
            .iter()
            .map(|(level, text)| {
                let level = match level {
                    LogLevel::Error => Cell::bad(word(*level)),
                    LogLevel::Warn => Cell::careful(word(*level)),
                    LogLevel::Info | LogLevel::Debug => Cell::faint(word(*level)),
                };
                vec![level, text.as_str().into()]
            })
            .collect();
        page.section("what the plugin said").table(&[Column::Left("level"), Column::Left("words")], &rows);
    }
    page
}

fn usage(facts: &Facts<'_>) -> Vec<(&'static str, Cell)> {
    let (report, rules, limits) = (facts.report, &facts.report.rules, facts.plan.limits());
    let who = match &facts.who.actor {
        Actor::System => "the host itself".to_owned(),
        Actor::User { id, .. } => id.to_string(),
    };
    let purpose = match facts.who.interaction {
        Some(_) => format!("{}, for an interaction made up for this call", facts.who.purpose),
        None => facts.who.purpose.to_string(),
    };
    let mut rows = vec![
        (
            "outcome",
            match facts.answer {
                Ok(_) => Cell::good("ok"),
                Err(code) => Cell::bad(code),
            },
        ),
        ("purpose", purpose.into()),
        ("by", who.into()),
        ("grant", format!("tenant {}, revision {}", facts.plan.tenant(), facts.plan.grant_revision()).into()),
        (
            "time",
            format!(
                "{} of {} ms, and {} to load",
                ms(report.took_us),
                limits.wall_ms,
                ms(micros(facts.loading))
            )
            .into(),
        ),
        ("guest CPU", format!("{} of {} ms", report.cpu_ms, limits.cpu_ms).into()),
        ("memory", format!("{} of {}", bytes(report.memory_bytes), bytes(limits.memory_bytes)).into()),
        ("requests", format!("{} of {}", rules.requests, limits.requests).into()),
        ("bytes out", format!("{} of {}", bytes(rules.bytes_out), bytes(limits.total_out_bytes)).into()),
        ("bytes in", format!("{} of {}", bytes(rules.bytes_in), bytes(limits.total_in_bytes)).into()),
        ("log lines", format!("{} of {}", report.log_lines, limits.log_lines).into()),
    ];
    for (name, number, why) in [
        ("withheld", rules.withheld, "values that repeated a sealed one in a bounded field"),
        ("dropped", rules.misfits, "listed values that were not of their bounded type"),
        ("suspicious", rules.suspicious_ids, "values listed as `id` that look like a document or a number"),
    ] {
        if number > 0 {
            rows.push((name, Cell::careful(format!("{number} {why}"))));
        }
    }
    rows
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds as milliseconds with one place.
fn ms(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

fn seen(page: &mut Page, report: &CallReport) {
    page.section("what the plugin saw");
    if report.rules.seen.is_empty() {
        page.line(Cell::faint("nothing personal"));
        return;
    }
    use Column::{Left, Right};
    let row = |seen: &ramal_capability::Seen| -> Vec<Cell> {
        vec![
            seen.class.as_str().into(),
            match seen.direction {
                Direction::ToPlugin => "from the panel".into(),
                Direction::FromCrm => "from the CRM".into(),
            },
            match seen.level {
                Level::Clear => Cell::careful("clear"),
                Level::Sealed => Cell::good("sealed"),
                level => level.as_str().into(),
            },
            seen.count.to_string().into(),
        ]
    };
    let rows: Vec<Vec<Cell>> = report.rules.seen.iter().map(row).collect();
    page.table(&[Left("class"), Left("from"), Left("level"), Right("values")], &rows);
}

fn disclosures(page: &mut Page, rows: &[Disclosure]) {
    page.section("what left");
    if rows.is_empty() {
        page.line(Cell::faint("nothing"));
        return;
    }
    use Column::{Left, Right};
    let row = |row: &Disclosure| -> Vec<Cell> {
        let classes: Vec<String> = row.classes.iter().map(|(class, n)| format!("{class} × {n}")).collect();
        vec![
            row.by.name().into(),
            format!("{} {}", row.method, row.origin).into(),
            if classes.is_empty() { Cell::faint("nothing personal") } else { classes.join(", ").into() },
            bytes(row.bytes_out).into(),
            row.status.map_or_else(|| Cell::faint("–"), |status| status.to_string().into()),
            match row.outcome {
                Sent::SentAnswered => Cell::good("answered"),
                Sent::SentFailed => Cell::bad("sent, no whole answer"),
                Sent::SentAbandoned => Cell::bad("sent, abandoned"),
            },
        ]
    };
    let rows: Vec<Vec<Cell>> = rows.iter().map(row).collect();
    let columns =
        [Left("route"), Left("to"), Left("classes"), Right("size"), Right("status"), Left("outcome")];
    page.table(&columns, &rows);
}

/// For a script.
pub(crate) fn document(facts: &Facts<'_>, failure: Option<&Failure>) -> Value {
    let said: Vec<Value> =
        facts.said.iter().map(|(level, text)| json!({ "level": word(*level), "text": text })).collect();
    let user = match &facts.who.actor {
        Actor::System => None,
        Actor::User { id, .. } => Some(id),
    };
    json!({
        "export": facts.export.as_str(),
        "plugin": facts.plan.plugin(),
        "version": facts.plan.version(),
        "digest": facts.plan.digest(),
        "tenant": facts.plan.tenant(),
        "grant_revision": facts.plan.grant_revision(),
        "purpose": facts.who.purpose,
        "user": user,
        "interaction": facts.who.interaction,
        "outcome": facts.answer.err().unwrap_or("ok"),
        "error": failure.map(Terminal::value),
        "result": facts.answer.ok().map(|node| answer::document(node, facts.show_values)),
        "load_us": micros(facts.loading),
        "report": facts.report,
        "limits": facts.plan.limits(),
        "disclosures": facts.disclosures,
        "log": said,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none(0, "0.0 ms")]
    #[case::below(99, "0.0 ms")]
    #[case::tenth(1_250, "1.2 ms")]
    #[case::seconds(3_000_000, "3000.0 ms")]
    fn times_are_milliseconds_with_one_place(#[case] us: u64, #[case] expected: &str) {
        assert_eq!(ms(us), expected);
    }
}
