//! Words that may stand only in some files: sockets, unsafe code, paths of a machine, hosts of a registry.
//!
//! The standard library opens a socket without any dependency, so that the edges alone do not make one way
//! out.

use rstest::rstest;

use crate::assert_none;
use crate::files::{File, code, project};

/// A word that only the files under these paths may have in their code.
struct Word {
    word: &'static str,
    allowed: &'static [&'static str],
}

const EGRESS: &str = "host/egress/";
/// Tries to connect in order to show that the compile worker's sandbox refuses it.
const PROBE: &str = "host/engine/src/compile/worker/probe.rs";

/// Plays the CRM that sends hooks, to an address of this machine only; nothing of the host's is in its reach.
const PRACTICE_HOOKS: &str = "host/practice-crm/src/hooks.rs";

/// In the code of the host, of the SDK and of the plugins; their tests may talk to themselves.
const SOCKETS: &[Word] = &[
    Word { word: "TcpStream::connect", allowed: &[EGRESS, PROBE, PRACTICE_HOOKS] },
    Word { word: "connect_timeout(", allowed: &[EGRESS] },
    Word { word: "TcpSocket", allowed: &[EGRESS] },
    Word { word: "UdpSocket", allowed: &[EGRESS, PROBE] },
    Word { word: "UnixStream::connect", allowed: &[] },
    Word { word: "lookup_host", allowed: &[EGRESS] },
    Word { word: "to_socket_addrs", allowed: &[EGRESS] },
    Word { word: "reqwest::", allowed: &[] },
    Word { word: "ureq::", allowed: &[] },
    Word { word: "hyper_util::client", allowed: &[EGRESS] },
    Word { word: "hyper::client", allowed: &[EGRESS] },
    // To listen is not to reach out, but a port is a door: the server's, and the practice CRM's.
    Word {
        word: "TcpListener",
        allowed: &[
            EGRESS,
            "host/server/",
            "host/practice-crm/",
            // Looks for a free port for the test database.
            "host/store/src/testing.rs",
            "host/cli/src/practice_crm.rs",
            "host/cli/src/run.rs",
        ],
    },
    Word { word: "UnixListener", allowed: &[] },
];

/// Files with unsafe code, and why.
const UNSAFE: &[(&str, &str)] = &[
    (
        "host/engine/src/cache/trusted.rs",
        "loads machine code from the cache, whose files only the host writes",
    ),
    ("guest-sdk/rust/src/lib.rs", "generated bindings, and the ones that a plugin's macro makes"),
    ("tests/zoo/guest/src/lib.rs", "generated bindings"),
];

/// Files that name a path as of somebody's machine, and why.
const PATHS: &[(&str, &str)] =
    &[("host/pack/src/remap", "explains with an invented one what a build must not keep")];

fn sockets(files: &[File]) -> Vec<String> {
    let mut violations = Vec::new();
    let product = |file: &&File| {
        let inside = ["host/", "guest-sdk/", "plugins/"].iter().any(|folder| file.path.starts_with(folder));
        inside && file.is_rust() && !file.is_test()
    };
    for file in files.iter().filter(product) {
        let code = code(&file.text);
        for word in SOCKETS.iter().filter(|word| code.contains(word.word)) {
            if !word.allowed.iter().any(|path| file.path.starts_with(path)) {
                violations.push(format!("{}: {}", file.path, word.word));
            }
        }
    }
    violations
}

fn unsafe_code(files: &[File]) -> Vec<String> {
    let allows = |file: &&File| {
        let code = code(&file.text);
        // The scanner's own words and what it plants.
        let own = file.path.starts_with("tests/tests/architecture/");
        file.is_rust() && !own && lifts_unsafe(&code)
    };
    let listed = |file: &&File| UNSAFE.iter().any(|(path, _)| file.path == *path);
    files.iter().filter(allows).filter(|file| !listed(file)).map(|file| file.path.clone()).collect()
}

/// Whether a list of lints to allow or expect, alone or inside of a `cfg_attr`, holds `unsafe_code`. To forbid or deny it
/// is fine.
fn lifts_unsafe(code: &str) -> bool {
    ["allow", "expect", "warn"].iter().any(|word| {
        code.match_indices(word).any(|(at, _)| {
            let (before, after) = (&code[..at], code[at + word.len()..].trim_start());
            let whole = !before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            let list = after.strip_prefix('(').and_then(|list| list.split(')').next());
            // A reason is words.
            let lints = list.map(|list| list.split("reason").next().unwrap_or_default());
            whole && lints.is_some_and(|lints| lints.split(',').any(|lint| lint.trim() == "unsafe_code"))
        })
    })
}

/// In pieces, so that this file does not hold them.
fn machines() -> Vec<String> {
    [["/ho", "me/"], ["/Us", "ers/"], ["C:\\Us", "ers\\"], ["/ro", "ot/"], ["/wo", "rk/"], ["../sha", "red/"]]
        .map(|[start, end]| format!("{start}{end}"))
        .into()
}

/// Machines differ in the mirror that they use; a lock file or script that names one breaks on the others.
fn registries() -> Vec<String> {
    [
        ["static.crates", ".io"],
        ["index.crates", ".io"],
        ["registry.npmjs", ".org"],
        ["registry.yarnpkg", ".com"],
        ["pypi", ".org"],
        ["pythonhosted", ".org"],
        ["deb.debian", ".org"],
        ["proxy.golang", ".org"],
    ]
    .map(|[start, end]| format!("{start}{end}"))
    .into()
}

fn named(files: &[File], words: &[String], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        if allowed.iter().any(|(path, _)| file.path.starts_with(path)) {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|word| starts_path(line, word)) {
                violations.push(format!("{}:{}: {word}", file.path, number + 1));
            }
        }
    }
    violations
}

/// Whether the word stands in the line and is no later part of a longer path or address.
fn starts_path(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with('/') || !before.is_some_and(|c| c.is_alphanumeric() || "}_-.*~".contains(c))
    })
}

#[test]
fn only_egress_opens_connections_and_only_servers_listen() {
    assert_none("code that opens a socket; only ramal-egress reaches out", &sockets(&project()));
}

#[test]
fn unsafe_code_is_allowed_in_the_listed_files_only() {
    assert_none("unsafe code outside of the list", &unsafe_code(&project()));
}

#[test]
fn every_listed_file_is_there() {
    let files = project();
    let allowed = SOCKETS.iter().flat_map(|word| word.allowed).copied();
    let all = allowed.chain(UNSAFE.iter().chain(PATHS).map(|(path, _)| *path));
    for path in all {
        assert!(files.iter().any(|file| file.path.starts_with(path)), "{path} is gone: remove the exception");
    }
}

#[test]
fn no_file_names_a_path_of_a_developers_machine() {
    assert_none("a path that exists on one machine only", &named(&project(), &machines(), PATHS));
}

#[test]
fn no_file_names_a_host_of_a_package_registry() {
    assert_none("a registry's host; let the client choose it", &named(&project(), &registries(), &[]));
}

// === sabotage ===

#[rstest]
#[case::std_socket("host/center/src/x.rs", "let s = std::net::TcpStream::connect(a)?;", true)]
#[case::datagram("plugins/practice/src/x.rs", "use std::net::UdpSocket;", true)]
#[case::client("host/server/src/x.rs", "hyper_util::client::legacy::Client::builder(x)", true)]
#[case::name_lookup("host/engine/src/x.rs", "tokio::net::lookup_host(h).await", true)]
#[case::listener("host/engine/src/x.rs", "TcpListener::bind(a)", true)]
#[case::after_the_tests("host/center/src/x.rs", "#[cfg(test)]\nmod tests {\n}\nureq::get(u);", true)]
#[case::listener_of_the_server("host/server/src/x.rs", "TcpListener::bind(a)", false)]
#[case::way_out("host/egress/src/x.rs", "TcpStream::connect(a)", false)]
#[case::comment("host/center/src/x.rs", "// never TcpStream::connect", false)]
#[case::unit_test("host/center/src/x.rs", "#[cfg(test)]\nmod tests {\n    TcpStream::connect(a);\n}", false)]
#[case::integration_test("host/center/tests/x.rs", "TcpStream::connect(a)", false)]
fn a_planted_socket_is_caught(#[case] path: &str, #[case] text: &str, #[case] caught: bool) {
    assert_eq!(!sockets(&[File::new(path, text)]).is_empty(), caught);
}

#[rstest]
#[case::file("#![allow(unsafe_code)]")]
#[case::item("#[allow(unsafe_code)]\nfn a() {}")]
#[case::expectation("#[expect(unsafe_code, reason = \"x\")]")]
#[case::in_a_list("#[allow(dead_code, unsafe_code)]")]
#[case::over_several_lines("#![allow(\n    clippy::all,\n    unsafe_code,\n)]")]
#[case::under_a_condition("#![cfg_attr(not(test), allow(missing_docs, unsafe_code))]")]
#[case::only_a_warning("#[warn(unsafe_code)]")]
#[case::with_room("#[allow (unsafe_code)]")]
fn planted_unsafe_code_is_caught(#[case] text: &str) {
    assert_eq!(unsafe_code(&[File::new("host/store/src/x.rs", text)]), ["host/store/src/x.rs"]);
    assert_eq!(unsafe_code(&[File::new(UNSAFE[0].0, text)]), [] as [&str; 0]);
}

#[rstest]
#[case::denied("#![deny(unsafe_code)]")]
#[case::forbidden("#![forbid(missing_docs, unsafe_code)]")]
#[case::another("#[allow(dead_code)]\nfn unsafe_code() {}")]
#[case::a_name("fn disallow(unsafe_code: bool) {}")]
fn code_that_lifts_nothing_is_not_caught(#[case] text: &str) {
    assert_eq!(unsafe_code(&[File::new("host/store/src/x.rs", text)]), [] as [&str; 0]);
}

#[test]
fn a_planted_path_or_registry_is_caught_and_a_longer_path_is_not() {
    for word in machines().iter().chain(&registries()) {
        let planted = [File::new("docs/x.md", &format!("fine\nsee {word}ana/x"))];
        let caught = [named(&planted, &machines(), &[]), named(&planted, &registries(), &[])].concat();
        assert_eq!(caught, [format!("docs/x.md:2: {word}")]);
    }
    let longer = format!("https://crm.example{}1 and target{}", machines()[4], machines()[0]);
    assert_eq!(named(&[File::new("x", &longer)], &machines(), &[]), [] as [&str; 0]);
}
