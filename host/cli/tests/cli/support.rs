//! What the tests share: the binary, and plugins made from WebAssembly text, so that no wasm toolchain is needed.
//! All people, companies and numbers are invented.

pub(crate) mod plugin;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A folder of a test's own, in which `ramal` runs.
pub(crate) struct Place(TempDir);

/// How a command ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
    /// Writes a file and gives its name.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), bytes).unwrap();
    }
    /// Writes a file that only its owner may read.
    pub(crate) fn put_secret(&self, name: &str, text: &str) {
        self.put(name, text);
        fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The binary, with nothing of the developer's environment in it.
    pub(crate) fn ramal(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ramal"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }
    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let done = self.ramal(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: done.status.code().unwrap_or(-1), out: text(done.stdout), err: text(done.stderr) }
    }
    /// Runs it and gives its JSON document.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, serde_json::Value) {
        let ran = self.run(arguments);
        let document = serde_json::from_str(&ran.out);
        (ran.code, document.unwrap_or_else(|error| panic!("{error} in {:?}, {}", ran.out, ran.err)))
    }
}

impl Ran {
    /// All that a person saw, with what differs from build to build taken out.
    pub(crate) fn told(&self) -> String {
        let mut text = format!("exit {}\n", self.code);
        for (name, part) in [("stdout", &self.out), ("stderr", &self.err)] {
            if !part.is_empty() {
                text.push_str(&format!("--- {name}\n{part}"));
            }
        }
        without_times(&without_digests(&text))
    }
}

/// How long a call took is another number each time.
fn without_times(text: &str) -> String {
    let line = |line: &str| {
        if line.starts_with("  time  ") { "  time       [time]".to_owned() } else { line.to_owned() }
    };
    text.lines().map(|one| line(one) + "\n").collect()
}

/// `sha256:` followed by anything but sevens, which is what tests write themselves, depends on the build.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hex = part.chars().take_while(char::is_ascii_hexdigit).count();
        let (digest, rest) = part.split_at(hex);
        let made_up = hex > 0 && digest.bytes().all(|b| b == digest.as_bytes()[0]);
        out.push_str(&format!("sha256:{}{rest}", if made_up { &digest[..8] } else { "[digest]" }));
    }
    out
}
