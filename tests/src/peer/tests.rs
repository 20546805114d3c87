use super::*;

fn script(dir: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("install.sh");
    std::fs::write(&path, format!("{text}\n")).unwrap();
    path
}

#[tokio::test]
async fn the_last_line_of_the_script_is_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let peer = install(&script(&dir, "echo busy; echo /somewhere/peer")).await.unwrap();
    assert!(matches!(peer, Peer::Ready(path) if path == Path::new("/somewhere/peer")));
}

#[tokio::test]
async fn any_other_failure_of_the_script_is_an_error_with_its_output() {
    let dir = tempfile::tempdir().unwrap();
    let error = install(&script(&dir, "echo boom >&2; exit 1")).await.unwrap_err();
    assert!(error.to_string().contains("boom"), "{error}");
}

#[test]
fn a_missing_peer_skips_on_a_desk_and_fails_on_a_build_server() {
    let reason = || "missing: Python".to_owned();
    assert!(matches!(missing::<()>(reason(), false), Ok(Peer::Missing(text)) if text == reason()));
    assert_eq!(
        missing::<()>(reason(), true).unwrap_err().to_string(),
        "a peer is required where CI is set, but missing: Python"
    );
}

#[tokio::test]
async fn a_server_that_ends_is_an_error_with_its_log_and_not_a_long_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo port taken; exit 7"]);
    let mut server = Server::spawn(command, dir.path().join("log")).unwrap();
    let error = server.ready(Duration::from_secs(60), async || false).await.unwrap_err().to_string();
    assert!(error.contains("exit status: 7") && error.contains("port taken"), "{error}");
}

#[tokio::test]
async fn a_server_does_not_outlive_its_handle() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "exec tail -f /dev/null"]);
    let server = Server::spawn(command, dir.path().join("log")).unwrap();
    let process = PathBuf::from(format!("/proc/{}", server.child.id()));
    assert!(process.exists());
    drop(server);
    assert!(!process.exists());
}
