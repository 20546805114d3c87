//! Somebody who follows a page: writes its files, types its commands, compares what comes.
//!
//! The page says `127.0.0.1:7788` and `127.0.0.1:7700`; here those are two free ports, so that pages and other tests
//! run side by side. Cargo is kept off the network: the plugin of a page is built with what the workspace has.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ramal_tests::docs::{Block, Step, blocks, compare, is_like};
use rustix::process::{Pid, Signal, kill_process};

use crate::{page, workspace};

/// How long a program that goes on may take until it prints what the page shows.
const UP: Duration = Duration::from_secs(60);
const TERMINATED: i32 = 15;

/// Follows the page to its end.
pub(crate) fn follow(name: &str) {
    let blocks = blocks(&page(name)).unwrap_or_else(|e| panic!("docs/{name}.md: {e}"));
    let mut reader = Reader::sit_down(name);
    for block in blocks {
        match block {
            Block::File { path, text } => reader.write(&path, &text),
            Block::Console(steps) => steps.iter().for_each(|step| reader.run(step)),
            Block::NotRun(..) => {}
        }
    }
    reader.stop_all();
}

struct Reader {
    page: String,
    folder: PathBuf,
    here: PathBuf,
    ports: [(&'static str, String); 2],
    running: Vec<Running>,
    _alone: File,
}

struct Running {
    line: usize,
    child: Child,
    printed: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a failed step; one that has ended already does not mind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Reader {
    /// An empty folder with the clone beside it. It is the same one each time, since cargo builds a path anew when it
    /// moves, and outside of the workspace, since a reader's is.
    fn sit_down(name: &str) -> Self {
        let mut hash = DefaultHasher::new();
        workspace().hash(&mut hash);
        let all = std::env::temp_dir().join(format!("ramal-docs-{:016x}", hash.finish()));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&all).unwrap();
        let alone = File::create(all.join(format!("{name}.lock"))).unwrap();
        alone.lock().unwrap();
        let folder = all.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("bin")).unwrap();
        symlink(ramal(), folder.join("bin/ramal")).unwrap();
        symlink(workspace(), folder.join("ramal")).unwrap();
        let free = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            listener.local_addr().unwrap().to_string()
        };
        Self {
            page: format!("docs/{name}.md"),
            here: folder.clone(),
            folder,
            ports: [("127.0.0.1:7788", free()), ("127.0.0.1:7700", free())],
            running: Vec::new(),
            _alone: alone,
        }
    }

    fn with_ports(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (written, free)| text.replace(written, free))
    }

    fn write(&self, path: &str, text: &str) {
        let full = self.folder.join(path);
        let folder = full.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::write(&full, self.with_ports(text)).unwrap();
        if full.ends_with("Cargo.toml") {
            fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
            let kept = built().join("docs").join(path.replace('/', "-"));
            fs::create_dir_all(&kept).unwrap();
            symlink(kept, folder.join("target")).unwrap();
        }
    }

    fn run(&mut self, step: &Step) {
        let shown: Vec<String> = step.shown.iter().map(|line| self.with_ports(line)).collect();
        if let Some(to) = step.command.strip_prefix("cd ") {
            self.here = self.here.join(to);
            assert!(self.here.is_dir(), "{}:{}: there is no {to}", self.page, step.line);
        } else if step.background {
            self.start(step, &shown);
        } else {
            self.finish(step, &shown);
        }
    }

    fn finish(&self, step: &Step, shown: &[String]) {
        let begun = Instant::now();
        let output = self.shell(&step.command, "").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        println!("$ {} [{} ms]\n{printed}", step.command, begun.elapsed().as_millis());
        let place = format!("{}:{}: $ {}", self.page, step.line, step.command);
        assert_eq!(output.status.code(), Some(step.exit), "{place}\nended with {}\n{printed}", output.status);
        if let Err(missing) = compare(shown, printed.lines()) {
            panic!("{place}\n{missing}, and it printed\n{printed}");
        }
    }

    /// Starts a program and waits until it has printed what the page shows.
    fn start(&mut self, step: &Step, shown: &[String]) {
        let mut child = self.shell(&step.command, "exec ").spawn().unwrap();
        let (sender, printed) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                // Nobody listens any more at the page's end; the pipe is drained all the same.
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        self.running.push(Running { line: step.line, child, printed });
        let running = self.running.last().unwrap();
        let place = format!("{}:{}: $ {}", self.page, step.line, step.command);
        let (mut all, until) = (String::new(), Instant::now() + UP);
        for line in shown {
            loop {
                match running.printed.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(other) => {
                        all.push_str(&other);
                        all.push('\n');
                        if is_like(line, &other) {
                            break;
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => panic!("{place}\nshows no `{line}` in {UP:?}:\n{all}"),
                    Err(RecvTimeoutError::Disconnected) => panic!("{place}\nended without `{line}`:\n{all}"),
                }
            }
        }
        println!("$ {} &\n{all}", step.command);
    }

    /// Asks everything that still runs to end, as Ctrl-C or a service manager does.
    fn stop_all(&mut self) {
        for mut running in std::mem::take(&mut self.running).into_iter().rev() {
            kill_process(Pid::from_child(&running.child), Signal::TERM).unwrap();
            let status = running.child.wait().unwrap();
            let last: Vec<String> = running.printed.iter().collect();
            assert!(
                status.success() || status.signal() == Some(TERMINATED),
                "{}:{}: ended with {status}\n{}",
                self.page,
                running.line,
                last.join("\n")
            );
        }
    }

    fn shell(&self, command: &str, exec: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &format!("set -euo pipefail\nexec 2>&1\n{exec}{}", self.with_ports(command))])
            .current_dir(&self.here)
            .env("PATH", format!("{}:{path}", self.folder.join("bin").display()))
            .env("XDG_CACHE_HOME", built().join("docs/cache"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            // Built once and run once: neither is worth its time.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        for name in
            ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RAMAL_FIXTURES", "RAMAL_LOG", "RAMAL_CACHE_DIR"]
        {
            shell.env_remove(name);
        }
        if std::env::var_os("RUSTUP_TOOLCHAIN").is_none() {
            shell.env("RUSTUP_TOOLCHAIN", channel_of_the_workspace());
        }
        shell
    }
}

/// Cargo's folder for the host.
fn built() -> PathBuf {
    // <target>/<profile>/deps/<this test>
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_path_buf()
}

/// The binary that the readers type.
fn ramal() -> PathBuf {
    let path = match std::env::var_os("RAMAL_BIN") {
        Some(path) => PathBuf::from(path),
        None => {
            std::env::current_exe().unwrap().ancestors().nth(2).map(|profile| profile.join("ramal")).unwrap()
        }
    };
    assert!(path.is_file(), "{} is not there; build it: cargo build -p ramal-cli", path.display());
    fs::canonicalize(path).unwrap()
}

/// The Rust that the workspace is built with has the target for plugins; a reader's default one was told to.
fn channel_of_the_workspace() -> String {
    let mut text = String::new();
    File::open(workspace().join("rust-toolchain.toml")).unwrap().read_to_string(&mut text).unwrap();
    let table: toml::Table = text.parse().unwrap();
    table["toolchain"]["channel"].as_str().unwrap().to_owned()
}
