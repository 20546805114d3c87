//! The practice CRM as a process, and a call that goes all the way to it.
//!
//! The second needs the practice plugin that `make fixtures` builds. Everybody in the CRM is invented.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::Place;
use rustix::process::{Pid, Signal, kill_process};

/// A practice CRM on a port that the system chose. Ends with the test.
struct Crm {
    child: Child,
    origin: String,
}

impl Crm {
    fn start(place: &Place) -> Self {
        let mut command = place.ramal(&["practice-crm", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let page = lines.map(Result::unwrap).find(|line| line.trim_start().starts_with("pages")).unwrap();
        let origin = page.split_whitespace().last().unwrap().trim_end_matches('/').to_owned();
        Self { child, origin }
    }
    fn get(&self, path: &str, key: &str) -> String {
        let mut stream = TcpStream::connect(self.origin.trim_start_matches("http://")).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Crm {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_practice_crm_answers_and_ends_when_told() {
    let place = Place::new();
    let mut crm = Crm::start(&place);
    assert!(crm.get("/api/v1/account", "made-up-practice-key").starts_with("HTTP/1.1 200"));
    assert!(crm.get("/api/v1/account", "another-made-up-key").starts_with("HTTP/1.1 401"));
    kill_process(Pid::from_child(&crm.child), Signal::TERM).unwrap();
    assert_eq!(crm.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_told() {
    let place = Place::new();
    let crm = Crm::start(&place);
    let address = crm.origin.trim_start_matches("http://");
    let ran = place.run(&["practice-crm", "--listen", address]);
    assert_eq!(ran.code, 5);
    assert!(ran.err.starts_with(&format!("error: cannot listen at {address}\n  caused by: ")), "{}", ran.err);
    assert!(ran.err.contains("hint: another program listens there"), "{}", ran.err);
}

/// The plugin that `make fixtures` built.
pub(crate) fn practice_plugin() -> PathBuf {
    let beside =
        || PathBuf::from(env!("CARGO_BIN_EXE_ramal")).parent().unwrap().parent().unwrap().join("ramal");
    let folder = std::env::var_os("RAMAL_FIXTURES").map_or_else(beside, PathBuf::from);
    let file = folder.join("practice.wasm");
    assert!(file.is_file(), "{} is missing; run `make fixtures`", file.display());
    file
}

/// A folder with the plugin, settings and secret for a CRM, and the grant that a person would sign.
fn connected(crm: &Crm) -> Place {
    let place = Place::new();
    place.put("practice.wasm", std::fs::read(practice_plugin()).unwrap());
    place.put("settings.toml", format!("server = \"{}\"\n", crm.origin));
    place.put_secret("credentials.toml", "[practice.practice.key]\ntoken = \"made-up-practice-key\"\n");
    let propose =
        ["grant", "propose", "practice.wasm", "--tenant", "practice", "--by", "ana@example.invalid"];
    let files = ["--settings", "settings.toml", "--out", "grant.toml"];
    let ran = place.run(&[&propose[..], &files].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    place
}

const FILES: [&str; 6] =
    ["--grant", "grant.toml", "--settings", "settings.toml", "--credentials", "credentials.toml"];
/// Invented, and in the practice CRM.
const NUMBER: &str = "phone=+5561987654001";

#[test]
fn a_call_reaches_the_crm_and_the_plugin_reads_nothing() {
    let place_of_crm = Place::new();
    let crm = Crm::start(&place_of_crm);
    let place = connected(&crm);
    let call = [&["call", "practice.wasm", "find-by-phone", "--arg", NUMBER, "--json"], &FILES[..]].concat();
    let (code, document) = place.json(&call);
    assert_eq!(code, 0, "{document}");
    assert_eq!(document["result"][0]["id"], "c-0001");
    assert_eq!(
        document["result"][0]["name"],
        serde_json::json!({ "classes": ["contact.name"], "value": null })
    );
    let seen = document["report"]["seen"].as_array().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(|one| one["level"] != "clear"), "{document}");
    let left = &document["disclosures"][0];
    assert_eq!((&left["route"], &left["status"]), (&"find-by-phone".into(), &200.into()));
    assert_eq!(left["classes"]["contact.phone"], 1);
    assert!(!document.to_string().contains("987654001"), "{document}");

    let shown = place.run(
        &[&["call", "practice.wasm", "find-by-phone", "--arg", NUMBER, "--show-values"], &FILES[..]].concat(),
    );
    assert!(shown.out.contains("Maria Aparecida Nogueira"), "{}{}", shown.out, shown.err);
    assert!(shown.out.contains("what left\n  route"), "{}", shown.out);
}

#[test]
fn a_route_that_was_not_granted_is_denied_with_the_line_to_add() {
    let place_of_crm = Place::new();
    let crm = Crm::start(&place_of_crm);
    let place = connected(&crm);
    let narrowed: String = place
        .read("grant.toml")
        .lines()
        .filter(|line| line.trim() != "\"find-by-phone\",")
        .map(|line| format!("{line}\n"))
        .collect();
    place.put("grant.toml", narrowed);
    let (code, document) = place
        .json(&[&["call", "practice.wasm", "find-by-phone", "--arg", NUMBER, "--json"], &FILES[..]].concat());
    assert_eq!(code, 4, "{document}");
    assert_eq!(document["disclosures"], serde_json::json!([]));
    assert!(document["error"].to_string().contains("find-by-phone"), "{document}");
}

/// What `make run` starts, on ports that the system chose. Ends with the test.
struct Host {
    child: Child,
    /// `127.0.0.1:PORT`.
    address: String,
    token: String,
}

impl Host {
    fn start(place: &Place, ports: &[&str]) -> Self {
        let plugins = practice_plugin().parent().unwrap().display().to_string();
        let arguments = [&["run", "--practice", "--plugins", &plugins], ports].concat();
        let mut command = place.ramal(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line =
            lines.find(|line| line.trim_start().starts_with("panel")).expect("it says where the panel is");
        let url = line.split_whitespace().last().unwrap();
        let (address, token) = url.strip_prefix("http://").unwrap().split_once("/?token=").unwrap();
        Self { child, address: address.to_owned(), token: token.to_owned() }
    }

    /// A request of a browser: the connection, to read the answer from.
    fn send(&self, head: &str, cookie: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let request = format!(
            "{head} HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn ask(&self, head: &str, cookie: &str, body: &str) -> String {
        let mut answer = String::new();
        self.send(head, cookie, body).read_to_string(&mut answer).unwrap();
        answer
    }

    /// Opens the page as the printed address does, simulates a call and gives the card that comes.
    fn card(&self) -> serde_json::Value {
        let opened = self.ask(&format!("GET /?token={}", self.token), "", "");
        assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");
        let cookie = opened.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = cookie.split(';').next().unwrap();
        assert!(self.ask("GET /v1/session", cookie, "").starts_with("HTTP/1.1 200"));
        assert!(self.ask("GET /v1/session", "", "").starts_with("HTTP/1.1 401"));

        let mut live = BufReader::new(self.send("GET /v1/live", cookie, "")).lines().map(Result::unwrap);
        // Its head has come: from now on nothing is missed.
        assert!(live.any(|line| line.is_empty()));
        let rings = self.ask("POST /v1/practice/calls", cookie, r#"{"number": "+5561987654001"}"#);
        assert!(rings.starts_with("HTTP/1.1 202"), "{rings}");
        assert!(live.any(|line| line.starts_with("event: card")));
        let data = live.find_map(|line| line.strip_prefix("data: ").map(str::to_owned)).unwrap();
        serde_json::from_str(&data).unwrap()
    }

    fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_make_run_starts_shows_the_card_of_a_simulated_call() {
    let place = Place::new();
    let host = Host::start(&place, &["--listen", "127.0.0.1:0", "--crm", "127.0.0.1:0"]);
    let card = host.card();
    let [maria] = card["cards"].as_array().unwrap().as_slice() else { panic!("{card}") };
    assert_eq!((&maria["name"], &maria["owner"]), (&"Maria Aparecida Nogueira".into(), &"Bruno Lima".into()));
    assert!(maria["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{maria}");
    // Her only deal is won.
    assert_eq!(maria["deals"], serde_json::json!([]));
    host.stop();

    // The files stay: the next start needs no address, and finds its CRM where the grant says.
    let grant = place.read("practice-data/grant.toml");
    let again = Host::start(&place, &[]);
    assert_eq!(again.card()["cards"][0]["name"], "Maria Aparecida Nogueira");
    again.stop();
    assert_eq!(place.read("practice-data/grant.toml"), grant);
}

#[test]
fn what_a_crm_may_tell_by_itself_is_in_the_document_of_inspect() {
    let place = Place::new();
    place.put("practice.wasm", std::fs::read(practice_plugin()).unwrap());
    let (code, document) = place.json(&["inspect", "practice.wasm", "--json"]);
    assert_eq!(code, 0, "{document}");
    let [hook] = document["hooks"].as_array().unwrap().as_slice() else { panic!("{document}") };
    assert_eq!((&hook["id"], &hook["credential"]), (&"changes".into(), &"hook".into()));
    assert_eq!((&hook["proof"], &document["sync"]), (&"signature".into(), &serde_json::Value::Null));
}
