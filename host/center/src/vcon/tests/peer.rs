//! Documents before judges that are not ours: the draft's JSON schema, and the Python library `vcon`.
//! `tests/vcon/install.sh` gets both.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;

use super::{any_history, document};

/// The exit status by which the install script says "this machine lacks something".
const LACKING: i32 = 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vcon")
}

/// The judges' folder; `None` after saying on stderr what is skipped and why, which on a build server is an error.
fn install(test: &str) -> Option<PathBuf> {
    let output = Command::new("bash").arg(folder().join("install.sh")).stdin(Stdio::null()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Some(PathBuf::from(stdout.lines().last().unwrap()));
    }
    let reason = stderr.lines().last().unwrap_or_default();
    // As `tests/peers/install.sh` says: this one may be out of reach of a build server too.
    assert!(output.status.code() == Some(LACKING), "the checkers of vCons cannot be installed: {stderr}");
    eprintln!("SKIPPED {test}: {reason}");
    None
}

/// The library, reading a line for each document. It ends with this value.
struct Library {
    process: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Library {
    fn start(peer: &Path) -> Self {
        let mut process = Command::new(peer.join("venv/bin/python"))
            .arg(folder().join("check.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { ask: process.stdin.take(), process, answers }
    }

    /// What it finds wrong.
    fn judge(&mut self, document: &Value) -> Vec<String> {
        writeln!(self.ask.as_mut().unwrap(), "{document}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: the library said {answer:?}"))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // At the end of its input it ends.
        self.ask = None;
        let _ = self.process.wait();
    }
}

#[test]
fn every_history_makes_a_document_that_the_schema_and_the_library_accept() {
    let Some(peer) = install("documents before the draft's schema and the library vcon") else { return };
    let schema = std::fs::read(peer.join("vcon_json_schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let schema = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft7)
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let library = std::cell::RefCell::new(Library::start(&peer));
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    runner
        .run(&any_history(), |events| {
            let made = document(&events);
            let schema: Vec<String> = schema.iter_errors(&made).map(|error| error.to_string()).collect();
            let mut library = library.borrow_mut().judge(&made);
            // It knows the types of an earlier draft; the schema knows this one too.
            library.retain(|fault| !fault.ends_with("has an invalid type: recording-set"));
            if schema.is_empty() && library.is_empty() {
                return Ok(());
            }
            Err(TestCaseError::fail(format!("schema: {schema:?}\nlibrary: {library:?}\n{made:#}")))
        })
        .unwrap();

    // Judges that accept everything would prove nothing.
    let mut planted = document(&super::history(&[(0, super::call(super::InteractionDirection::Inbound))]));
    planted["dialog"] = serde_json::json!([{ "type": "talk", "start": "yesterday", "parties": [9] }]);
    assert!(!schema.is_valid(&planted));
    assert!(!library.borrow_mut().judge(&planted).is_empty());
}
