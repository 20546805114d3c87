//! The example for those who build Ramal into a program of their own, run as they would run it: a process with
//! files, against the practice CRM. An example that only compiles may still show a road that leads nowhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use ramal_practice_crm::{ApiKey, BaseUrl, PracticeCrm};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::oneshot;

const KEY: &str = "made-up-practice-key";
const GRANT: &str = include_str!("../../plugins/practice/grant.toml");

/// Cargo's folder of this build, where examples are too.
fn built() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    this.parent().and_then(Path::parent).unwrap().to_path_buf()
}

fn there(path: PathBuf, how: &str) -> PathBuf {
    assert!(path.is_file(), "{} is not there; {how}", path.display());
    path
}

fn practice_plugin() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder =
        std::env::var_os("RAMAL_FIXTURES").map_or_else(|| workspace.join("target/ramal"), PathBuf::from);
    there(folder.join("practice.wasm"), "build it: make fixtures")
}

/// Runs the example for a number, under this grant.
async fn embed(number: &str, grant: impl Fn(&str) -> String) -> (Output, String) {
    let example =
        there(built().join("examples/embed"), "build it: cargo build -p ramal-engine --example embed");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let crm = PracticeCrm::new(ApiKey::new(KEY).unwrap(), BaseUrl::from(address));
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(ramal_practice_crm::serve(listener, crm, async { drop(stopped.await) }));

    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let here = |text: &str| text.replace("127.0.0.1:7788", &address.to_string());
    let output = Command::new(example)
        .arg(practice_plugin())
        .arg(write("grant.toml", &grant(&here(GRANT))))
        .arg(write("settings.json", &here(r#"{"server": "http://127.0.0.1:7788"}"#)))
        .arg(write("credentials.toml", &format!("[practice.practice.key]\ntoken = \"{KEY}\"\n")))
        .arg(dir.path().join("data"))
        .arg(number)
        .output()
        .await
        .unwrap();
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    let ledger = fs::read_to_string(dir.path().join("data/disclosures.jsonl")).unwrap_or_default();
    (output, ledger)
}

#[tokio::test]
async fn an_embedder_gets_the_card_and_what_the_plugin_saw() {
    let (output, ledger) = embed("+5561987654001", str::to_owned).await;
    let (said, wrong) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{wrong}");
    for line in [
        "c-0001  Maria Aparecida Nogueira",
        "  phones  +5561987654001",
        "the plugin saw 1 × contact.phone to-plugin, sealed",
        "the plugin saw 1 × contact.name from-crm, sealed",
    ] {
        assert!(said.lines().any(|said| said == line), "no line `{line}` in\n{said}");
    }
    assert_eq!(ledger.lines().count(), 1, "one request left");
    assert!(
        ledger.contains(r#""classes":{"contact.phone":1}"#) && !ledger.contains("5561987654001"),
        "{ledger}"
    );
}

#[tokio::test]
async fn an_embedder_is_told_what_the_grant_does_not_give() {
    let (output, ledger) = embed("+5561987654001", |grant| grant.replace("\"find-by-phone\", ", "")).await;
    let wrong = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(wrong.contains("the route `find-by-phone`") && !wrong.contains("5561987654001"), "{wrong}");
    assert_eq!(ledger, "", "nothing left");
}
