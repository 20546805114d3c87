//! The panel as people use it: a real browser on what `make run` starts. `tests/panel/install.sh` gets what drives the
//! browser and what judges accessibility; `tests/panel/story.mjs` says what is done.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::practice::practice_plugin;

/// The exit status by which the install script says "this machine lacks something".
const LACKING: i32 = 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/panel")
}

/// The peer's folder; `None` after saying on stderr what is skipped and why, which on a build server is an error.
#[expect(clippy::print_stderr, reason = "a skipped test must say so where people look")]
fn install(test: &str) -> Option<PathBuf> {
    let output = Command::new("bash").arg(folder().join("install.sh")).stdin(Stdio::null()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Some(PathBuf::from(stdout.lines().last().unwrap()));
    }
    let lacking = output.status.code() == Some(LACKING) && std::env::var_os("CI").is_none();
    assert!(lacking, "the browser cannot be installed: {stderr}");
    eprintln!("SKIPPED {test}: {}", stderr.lines().last().unwrap_or_default());
    None
}

#[test]
fn a_browser_finds_every_page_whole_and_accessible() {
    const TEST: &str = "a_browser_finds_every_page_whole_and_accessible";
    let Some(peer) = install(TEST) else { return };
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../panel/dist/index.html").is_file() {
        assert!(std::env::var_os("CI").is_none(), "the panel is not built; run `make panel`");
        eprintln!("SKIPPED {TEST}: the panel is not built; run `make panel`");
        return;
    }
    let ran = Command::new("node")
        .arg(folder().join("story.mjs"))
        .env("RAMAL", env!("CARGO_BIN_EXE_ramal"))
        .env("RAMAL_PLUGINS", practice_plugin().parent().unwrap())
        .env("PANEL_PEER", peer)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    assert!(out.contains("no violation"), "{out}");
}
