//! The compile worker: what it compiles, what it refuses, what kills it, and what it cannot do.

#[path = "compile_support/mod.rs"]
mod bombs;

use std::{
    io::Write,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    time::Duration,
};

use ramal_engine::{
    compile::{CompileError, CompileLimits, Compiler, WORKER_ARGUMENT, probe_names},
    precheck::{BadComponent, PrecheckLimits, check},
};
use rstest::rstest;

const WORKER: &str = env!("CARGO_BIN_EXE_ramal-compile-worker");
const MIB: u64 = 1024 * 1024;

fn compiler() -> Compiler {
    Compiler::program(WORKER)
}

/// Small enough that a bomb is over soon, large enough for what is harmless.
fn tight() -> CompileLimits {
    CompileLimits {
        address_space_bytes: 512 * MIB,
        cpu_seconds: 3,
        wall: Duration::from_secs(60),
        ..CompileLimits::default()
    }
}

/// A worker that lets everything through to the compiler.
fn without_prechecks(limits: CompileLimits) -> Compiler {
    // The file size is bounded while reading, which is not a precheck: no bomb here is that large.
    compiler().with_limits(limits).with_arguments(&["--no-precheck"])
}

#[tokio::test]
async fn a_component_becomes_machine_code() {
    let code = compiler().compile(&bombs::harmless()).await.unwrap();
    assert!(code.starts_with(b"\x7fELF"));
}

#[tokio::test]
async fn a_refusal_comes_with_its_hint() {
    let error = compiler().compile(b"\0asm\x01\0\0\0").await.unwrap_err();
    insta::assert_snapshot!(error, @"the plugin was refused: this is a core module, not a component; run `ramal build`, which makes the component from it");
}

#[rstest]
#[case::functions(bombs::functions(200_000), "the functions")]
#[case::straight_line(bombs::straight_line(500_000), "a function's body")]
#[case::blocks(bombs::blocks(100_000), "a function's body")]
#[case::locals_times_loops(bombs::locals_times_loops(10_000, 10_000), "a function's body")]
#[case::locals_alone(bombs::locals_times_loops(10_000, 1_000), "a function's local variables")]
#[case::more_locals_times_loops(bombs::locals_times_loops(20_000, 20_000), "a function's body")]
#[case::as_many_locals_as_allowed(bombs::locals_times_loops(999, 5_000), "the work of one function")]
fn a_bomb_is_refused_before_it_is_compiled(#[case] bomb: Vec<u8>, #[case] expected: &str) {
    let error = check(&bomb, &PrecheckLimits::default()).unwrap_err();
    let BadComponent::TooMuch { what, .. } = error else { panic!("{error}") };
    assert_eq!(what, expected);
}

/// What is just inside of the limits must be compiled within a fraction of what a worker may use:
/// the prechecks and the worker's limits have to fit together.
#[rstest]
#[case::functions(bombs::functions(20_000))]
#[case::straight_line(bombs::straight_line(80_000))]
#[case::blocks(bombs::blocks(10_000))]
#[case::locals_times_loops(bombs::locals_times_loops(900, 700))]
#[tokio::test]
async fn the_worst_that_passes_is_compiled(#[case] component: Vec<u8>) {
    check(&component, &PrecheckLimits::default()).unwrap();
    let limits = CompileLimits { cpu_seconds: 30, ..CompileLimits::default() };
    compiler().with_limits(limits).compile(&component).await.unwrap();
}

/// The second wall: were the prechecks blind, only the worker dies.
#[rstest]
#[case::functions(bombs::functions(200_000))]
#[case::straight_line(bombs::straight_line(2_000_000))]
#[case::blocks(bombs::blocks(100_000))]
#[case::locals_times_loops(bombs::locals_times_loops(10_000, 10_000))]
#[case::more_locals_times_loops(bombs::locals_times_loops(20_000, 20_000))]
#[tokio::test]
async fn a_bomb_that_slips_through_kills_the_worker_only(#[case] bomb: Vec<u8>) {
    let error = without_prechecks(tight()).compile(&bomb).await.unwrap_err();
    assert!(
        matches!(error, CompileError::TooLong { .. } | CompileError::TooMuchMemory { .. }),
        "{error}: {error:?}"
    );
    compiler().compile(&bombs::harmless()).await.expect("the next plugin must not suffer");
}

#[tokio::test]
async fn too_little_memory_is_named() {
    let limits = CompileLimits { address_space_bytes: 256 * MIB, ..CompileLimits::default() };
    let error = without_prechecks(limits).compile(&bombs::straight_line(500_000)).await.unwrap_err();
    insta::assert_snapshot!(error, @"compiling the plugin needed more than 256 MiB and was stopped; simplify its largest functions, or raise the limit");
}

#[tokio::test]
async fn too_much_processor_time_is_named() {
    let limits = CompileLimits { cpu_seconds: 1, ..CompileLimits::default() };
    let bomb = bombs::locals_times_loops(3_000, 10_000);
    let error = without_prechecks(limits).compile(&bomb).await.unwrap_err();
    insta::assert_snapshot!(error, @"compiling the plugin took more than 1 s and was stopped; simplify its largest functions, or raise the limit");
}

#[tokio::test]
async fn a_worker_that_does_nothing_is_ended_by_the_clock() {
    let limits = CompileLimits { wall: Duration::from_millis(300), ..CompileLimits::default() };
    let sleeper = sleeping_program();
    let error = Compiler::program(&*sleeper).with_limits(limits).compile(b"").await.unwrap_err();
    assert!(matches!(error, CompileError::TooLong { .. }), "{error}");
}

fn sleeping_program() -> tempfile::TempPath {
    use std::os::unix::fs::PermissionsExt;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"#!/bin/sh\nexec /bin/sleep 30\n").unwrap();
    file.as_file().set_permissions(PermissionsExt::from_mode(0o700)).unwrap();
    file.into_temp_path()
}

#[tokio::test]
async fn too_much_machine_code_is_not_read() {
    let limits = CompileLimits { output_bytes: 1_000, ..CompileLimits::default() };
    let error = compiler().with_limits(limits).compile(&bombs::harmless()).await.unwrap_err();
    assert!(
        matches!(error, CompileError::TooLarge { limit: 1_000 } | CompileError::Failed { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_worker_is_told_apart_from_a_bad_plugin() {
    let error = Compiler::program("/nonexistent/worker").compile(&bombs::harmless()).await.unwrap_err();
    insta::assert_snapshot!(error, @"no compile worker at /nonexistent/worker: No such file or directory (os error 2); name a program that starts with `ramal_engine::compile::intercept_worker()`");
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_told_apart_from_a_bad_plugin() {
    let error = Compiler::program("/bin/true").compile(&bombs::harmless()).await.unwrap_err();
    insta::assert_snapshot!(error, @"no compile worker at /bin/true: it ended with exit status: 0 and did not answer as a compile worker; name a program that starts with `ramal_engine::compile::intercept_worker()`");
}

/// What one attempt came to, in a worker with the given layers.
#[derive(Debug, PartialEq)]
enum Outcome {
    Succeeded,
    /// The system call failed with this number.
    Refused(i32),
    /// It failed, and a library did not say with which number.
    Failed,
    /// The kernel ended the process with this signal.
    Killed(i32),
}

/// `None` if the kernel lacks a layer that is asked for.
fn attempt(name: &str, landlock: bool, seccomp: bool) -> Option<Outcome> {
    let mut command = Command::new(WORKER);
    command.arg(WORKER_ARGUMENT).arg(serde_json::to_string(&CompileLimits::default()).unwrap());
    command.args(["--attempt", name]);
    if !landlock {
        command.args(["--without", "landlock"]);
    }
    if !seccomp {
        command.args(["--without", "seccomp"]);
    }
    let output = command.env_clear().stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let reports: Vec<serde_json::Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let confined = &reports.first().unwrap_or_else(|| panic!("no report: {text}"))["confined"];
    assert_eq!(confined["seccomp"], seccomp, "{text}");
    if landlock && confined["landlock"] == false {
        eprintln!("this kernel has no Landlock: nothing was tried");
        return None;
    }
    if let Some(signal) = output.status.signal() {
        return Some(Outcome::Killed(signal));
    }
    let finding = &reports.get(1).unwrap_or_else(|| panic!("no finding: {text}"))["probe"];
    assert_eq!(finding["attempt"], name);
    Some(match (finding["errno"].as_i64(), finding["detail"].as_str()) {
        (Some(errno), _) => Outcome::Refused(i32::try_from(errno).unwrap()),
        (None, Some("it succeeded")) => Outcome::Succeeded,
        (None, _) => Outcome::Failed,
    })
}

const EPERM: Outcome = Outcome::Refused(1);
const EACCES: Outcome = Outcome::Refused(13);
const ECONNREFUSED: Outcome = Outcome::Refused(111);
const SIGSYS: Outcome = Outcome::Killed(31);

/// The columns: without any layer (so that the attempt is known to work at all), with Landlock
/// alone, with seccomp alone. Landlock says EACCES; seccomp says EPERM or kills.
#[rstest]
#[case::nothing("nothing", Outcome::Succeeded, Outcome::Succeeded, Outcome::Succeeded)]
#[case::read_file("read-file", Outcome::Succeeded, EACCES, EPERM)]
#[case::write_file("write-file", Outcome::Succeeded, EACCES, EPERM)]
#[case::list_directory("list-directory", Outcome::Succeeded, EACCES, EPERM)]
#[case::connect("connect", ECONNREFUSED, EACCES, SIGSYS)]
// No kernel until now lets Landlock deny datagrams.
#[case::datagram("datagram", Outcome::Succeeded, Outcome::Succeeded, SIGSYS)]
#[case::other_descriptor("other-descriptor", Outcome::Refused(9), Outcome::Refused(9), EPERM)]
#[case::run_own_code("run-own-code", Outcome::Succeeded, Outcome::Succeeded, Outcome::Failed)]
fn each_layer_denies_what_it_is_there_for(
    #[case] name: &str,
    #[case] free: Outcome,
    #[case] landlock: Outcome,
    #[case] seccomp: Outcome,
) {
    assert_eq!(attempt(name, false, false), Some(free));
    if let Some(found) = attempt(name, true, false) {
        assert_eq!(found, landlock);
    }
    assert_eq!(attempt(name, false, true), Some(seccomp));
}

/// Apart from the others: who is not privileged is stopped by the limit on processes already.
#[rstest]
#[case::program("run-program")]
#[case::thread("start-thread")]
fn nothing_is_started(#[case] name: &str) {
    assert_eq!(attempt(name, false, true), Some(SIGSYS));
}

#[test]
fn a_worker_as_it_really_is_can_do_nothing() {
    for name in probe_names() {
        let outcome = attempt(name, true, true).or_else(|| attempt(name, false, true));
        assert_eq!(outcome == Some(Outcome::Succeeded), name == "nothing", "{name}: {outcome:?}");
    }
}
