//! Secrets, from the pipe into the encrypted store and never back. Everything is made up.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::support::{Place, Ran, plugin};

const CONFIG: &str = r#"
data = "data"
[[tenant]]
id = "practice"
[[tenant.token]]
id = "desk"
token = "made-up-token-of-thirty-two-characters"
[[tenant.plugin]]
file = "sample.wasm"
grant = "grant.toml"
"#;

/// The sample with two kinds of credentials.
fn place() -> Place {
    let place = Place::new();
    let manifest = plugin::MANIFEST
        .replace("uses = []", "uses = [\"egress\"]")
        .replace(
            "to-plugin = \"sealed\"\nreason = \"to search",
            "from-crm = \"sealed\"\nto-plugin = \"sealed\"\nreason = \"to search",
        )
        .replace(
            "[limits]",
            r#"[[credential]]
id = "key"
kind = "bearer"
label = "Application key"
[[credential]]
id = "account"
kind = "oauth2"
label = "Account"
flow = "authorization-code"
authorize = "https://login.example.com/authorize"
token = "https://login.example.com/token"

[[route]]
id = "one"
purposes = ["screen-pop"]
request = "GET https://crm.example.com/one"
credential = "key"
receive."/name" = "contact.name"
[[route]]
id = "two"
purposes = ["screen-pop"]
request = "GET https://crm.example.com/two"
credential = "account"
receive."/name" = "contact.name"

[limits]"#,
        );
    place.put("sample.wasm", plugin::with(&manifest));
    let grant = plugin::GRANT.replace("routes = []", "routes = [\"one\", \"two\"]").replace(
        "[classes]",
        "[[destination]]\norigin = \"https://crm.example.com\"\n[[destination]]\norigin = \"https://login.example.com\"\n\n[classes]",
    );
    place.put("grant.toml", grant);
    place.put("ramal.toml", CONFIG);
    place
}

/// Runs the command with a text at its standard input.
fn pipe(place: &Place, arguments: &[&str], text: &str) -> Ran {
    let mut child = place
        .ramal(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
}

const KEY: [&str; 5] = ["credential", "set", "practice", "sample", "key"];
const ACCOUNT: [&str; 5] = ["credential", "set", "practice", "sample", "account"];

#[test]
fn a_secret_goes_in_by_the_pipe_and_only_its_name_comes_out() {
    let place = place();
    let set = pipe(&place, &KEY, "canary-key\n");
    assert_eq!((set.code, set.err.as_str()), (0, ""), "{}", set.out);
    insta::assert_snapshot!(set.out, @r"
    stored token for practice/sample/key
      state  valid
    ");
    let fields = "client_id = \"canary-id\"\nclient_secret = \"canary-secret\"\n";
    assert_eq!(pipe(&place, &ACCOUNT, fields).code, 0);
    let list = place.run(&["credential", "list"]);
    assert_eq!((list.code, list.err.as_str()), (0, ""));
    assert!(
        list.out.contains("waits for a person") && list.out.contains("client_id, client_secret"),
        "{}",
        list.out
    );
    let keys = place.path().join("data/credentials.keys");
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    for file in std::fs::read_dir(place.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"canary"));
    }
    for ran in [&set, &list] {
        assert!(!ran.out.contains("canary") && !ran.err.contains("canary"));
    }
}

#[test]
fn one_field_can_be_changed_by_itself_a_new_key_wraps_all_and_what_is_removed_is_gone() {
    let place = place();
    pipe(&place, &ACCOUNT, "client_id = \"c\"\nclient_secret = \"s\"\n");
    place.put_secret("new-secret", "other\n");
    let changed = place.run(&[&ACCOUNT[..], &["--field", "client_secret", "--file", "new-secret"]].concat());
    assert_eq!((changed.code, changed.err.as_str()), (0, ""));
    let rotated = place.run(&["credential", "rotate-key"]);
    assert!(rotated.out.starts_with("wrapped 1 secret with a new key\n"), "{}{}", rotated.out, rotated.err);
    let remove = ["credential", "remove", "practice", "sample", "account"];
    assert_eq!(place.run(&remove).code, 0);
    insta::assert_snapshot!(place.run(&remove).told(), @r"
    exit 3
    --- stderr
    error: nothing is stored for practice/sample/account
    hint: `ramal credential list` shows what is
    ");
    assert!(place.run(&["credential", "list"]).out.contains("missing"));
}

#[test]
fn what_does_not_fit_is_refused_without_repeating_it() {
    let place = place();
    let wrong = [
        (&ACCOUNT[..], "canary\n"),
        (&ACCOUNT[..], "client_id = \"canary\"\n"),
        (&["credential", "set", "practice", "sample", "kee"][..], "canary\n"),
        (&["credential", "set", "practice", "other", "key"][..], "canary\n"),
    ];
    let told: Vec<String> =
        wrong.iter().map(|(arguments, text)| pipe(&place, arguments, text).told()).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    exit 3
    --- stderr
    error: line 1 is no NAME = "..."
    hint: practice/sample/account takes client_id, client_secret

    exit 3
    --- stderr
    error: the field `client_secret` is missing
    hint: practice/sample/account takes client_id, client_secret

    exit 3
    --- stderr
    error: no configured plugin asks for practice/sample/kee
    hint: the plugin `sample` asks for account, key

    exit 3
    --- stderr
    error: no configured plugin asks for practice/other/key
    hint: check tenant and plugin: `ramal credential list` shows what is asked for
    "#);
}
