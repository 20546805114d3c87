//! An error for a person, and the same error for a script.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::clean;
use crate::failure::{Detail, Failure};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// `error:`, the causes, what belongs to it, and a `hint:` for each thing that can be done.
pub(super) fn text(failure: &Failure, colored: bool) -> String {
    let (messages, mut hints) = failure.words();
    let mut out = String::new();
    let label = |style: Style, word: &str| format!("{style}{word}{style:#}");
    let mut messages = messages.iter();
    // Writing to a String cannot fail.
    let _ =
        writeln!(out, "{} {}", label(ERROR, "error:"), lines(messages.next().map_or("", String::as_str), 7));
    for cause in messages {
        let _ = writeln!(out, "  caused by: {}", lines(cause, 13));
    }
    match failure.detail() {
        Detail::None => {}
        Detail::Source(source) => {
            let _ = writeln!(out, "\n{}", source.render(colored));
        }
        Detail::List(problems) => {
            for problem in problems {
                let _ = writeln!(out, "  - {}", lines(problem, 4));
            }
        }
        Detail::Denial { denial, file } => {
            let _ = writeln!(out, "  asked for  {}", clean(&denial.asked));
            let granted = if denial.granted.is_empty() { "nothing" } else { &denial.granted };
            let _ = writeln!(out, "  granted    {}", clean(granted));
            if let Some(fix) = &denial.fix {
                hints.insert(0, format!("to allow it, add to {file}, under {}:\n{}", fix.table, fix.line));
            }
        }
    }
    for hint in hints {
        let _ = writeln!(out, "{} {}", label(HINT, "hint:"), lines(&hint, 6));
    }
    out
}

/// Further lines stand under the first.
fn lines(text: &str, indent: usize) -> String {
    let all: Vec<_> = text.trim_end().split('\n').map(clean).collect();
    all.join(&format!("\n{}", " ".repeat(indent)))
}

/// The document that a script gets instead of a result.
pub(super) fn document(failure: &Failure) -> Value {
    json!({ "error": value(failure) })
}

/// The error alone.
pub(super) fn value(failure: &Failure) -> Value {
    let (messages, hints) = failure.words();
    let mut messages = messages.into_iter();
    let mut error = json!({
        "kind": failure.exit().word(),
        "exit_code": failure.exit().code(),
        "message": messages.next().unwrap_or_default(),
        "causes": messages.collect::<Vec<_>>(),
        "hints": hints,
    });
    let (name, detail) = match failure.detail() {
        Detail::None => return error,
        Detail::List(problems) => ("problems", json!(problems)),
        Detail::Denial { denial, .. } => ("denial", json!(denial)),
        Detail::Source(source) => {
            let finding = |f: &ramal_capability::Finding| json!({ "line": f.line(), "column": f.column(), "message": f.message(), "help": f.help() });
            let findings: Vec<Value> = source.findings().iter().map(finding).collect();
            ("source", json!({ "file": source.file(), "findings": findings }))
        }
    };
    if let Some(object) = error.as_object_mut() {
        object.insert(name.to_owned(), detail);
    }
    error
}

#[cfg(test)]
mod tests {
    use ramal_capability::{Denial, Rule};

    use super::*;
    use crate::exit::Exit;

    fn plain(failure: &Failure) -> String {
        anstream::adapter::strip_str(&text(failure, false)).to_string()
    }

    fn denial() -> Failure {
        let denial = Denial::new(Rule::Purpose, "a call for journal", "screen-pop, search");
        let denial =
            denial.fix("grant.toml", "[grant]", "purposes = [\"screen-pop\", \"search\", \"journal\"]");
        Failure::denied(denial, "acme.toml", "practice.wasm")
    }

    #[test]
    fn an_error_is_followed_by_its_causes_and_by_what_to_do() {
        let error =
            anyhow::Error::msg("it is a core module; run `ramal build`").context("cannot take x.wasm");
        let failure = Failure::input(error).hint("`ramal inspect` shows more");
        insta::assert_snapshot!(plain(&failure), @r"
        error: cannot take x.wasm
          caused by: it is a core module
        hint: run `ramal build`
        hint: `ramal inspect` shows more
        ");
    }

    #[test]
    fn a_denial_says_what_was_asked_what_is_granted_and_the_line_to_add() {
        insta::assert_snapshot!(plain(&denial()), @r#"
        error: denied by the rule `purpose`
          asked for  a call for journal
          granted    screen-pop, search
        hint: to allow it, add to the grant acme.toml, under [grant]:
              purposes = ["screen-pop", "search", "journal"]
        "#);
    }

    #[test]
    fn a_script_gets_the_same_in_parts() {
        insta::assert_json_snapshot!(document(&denial()), @r#"
        {
          "error": {
            "kind": "denied",
            "exit_code": 4,
            "message": "denied by the rule `purpose`",
            "causes": [],
            "hints": [],
            "denial": {
              "rule": "purpose",
              "asked": "a call for journal",
              "granted": "screen-pop, search",
              "fix": {
                "file": "grant.toml",
                "table": "[grant]",
                "line": "purposes = [\"screen-pop\", \"search\", \"journal\"]"
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn an_error_text_cannot_forge_another() {
        let failure = Failure::new(Exit::Failed, anyhow::Error::msg("said \u{1b}[2Ax")).of_plugin();
        assert_eq!(plain(&failure), "error: said \u{fffd}[2Ax\n");
    }
}
