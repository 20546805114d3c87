//! How the compile worker locks itself in, before it reads a byte of the plugin.
//!
//! Three layers, each sufficient against something: resource limits against bombs, Landlock against
//! files and the network, seccomp against every system call that a compiler has no reason to make.
//! A worker without seccomp does not compile; Landlock is a second wall where the kernel has it.

use std::{collections::BTreeMap, process};

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};
use serde::{Deserialize, Serialize};

use super::CompileLimits;

/// What was put in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Confinement {
    /// Landlock denies files and the network, as far as this kernel knows how.
    pub(super) landlock: bool,
    /// The system-call filter is in force.
    pub(super) seccomp: bool,
}

/// Which layers to put on. Always both, but for the tests that show what each one does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layers {
    pub(super) landlock: bool,
    pub(super) seccomp: bool,
}

impl Layers {
    pub(super) const ALL: Self = Self { landlock: true, seccomp: true };
}

/// Sets what the process may use. Comes first: the other layers need no memory to speak of.
pub(super) fn limit(limits: &CompileLimits) -> Result<(), String> {
    let same = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    // The soft limit is a signal that names the cause; the hard one, 2 s on, cannot be ignored.
    let cpu =
        Rlimit { current: Some(limits.cpu_seconds), maximum: Some(limits.cpu_seconds.saturating_add(2)) };
    set(Resource::As, same(limits.address_space_bytes))?;
    set(Resource::Cpu, cpu)?;
    set(Resource::Core, same(0))?;
    set(Resource::Fsize, same(0))?;
    // Landlock needs one descriptor; `confine` takes the rest away.
    set(Resource::Nofile, same(16))?;
    // Binds no privileged user; for those, seccomp is the wall.
    set(Resource::Nproc, same(0))
}

fn set(resource: Resource, limit: Rlimit) -> Result<(), String> {
    setrlimit(resource, limit).map_err(|error| format!("setting the limit {resource:?} failed: {error}"))
}

/// Puts on the other layers. Nothing can be opened afterwards.
pub(super) fn confine(layers: Layers) -> Result<Confinement, String> {
    let status = if layers.landlock { landlock() } else { RulesetStatus::NotEnforced };
    if layers.landlock && layers.seccomp {
        set(Resource::Nofile, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    if layers.seccomp {
        seccomp().map_err(|error| format!("seccomp failed: {error}"))?;
    }
    Ok(Confinement { landlock: status != RulesetStatus::NotEnforced, seccomp: layers.seccomp })
}

/// Denies every kind of access that the kernel can deny, and allows none.
fn landlock() -> RulesetStatus {
    // The newest that is known here; older kernels enforce what they know of it.
    let abi = ABI::V7;
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    restricted.map_or(RulesetStatus::NotEnforced, |status| status.ruleset)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Two filters, of which the kernel obeys the stricter one. What a compiler needs is allowed, what
/// only an attacker would try ends the process on the spot, and the rest fails: a C library may try
/// something new after an upgrade, and mostly copes with a refusal.
fn seccomp() -> Result<(), Box<dyn std::error::Error>> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let allow = SeccompFilter::new(allowed()?, refused, SeccompAction::Allow, arch)?;
    let kill = SeccompFilter::new(fatal(), SeccompAction::Allow, SeccompAction::KillProcess, arch)?;
    let (allow, kill): (BpfProgram, BpfProgram) = (allow.try_into()?, kill.try_into()?);
    // This order, since the first one forbids to add another.
    seccompiler::apply_filter(&kill)?;
    seccompiler::apply_filter(&allow)?;
    Ok(())
}

/// What the allocator, the standard library and a clean end need.
fn allowed() -> Result<Rules, seccompiler::BackendError> {
    use SeccompCmpArgLen::{Dword, Qword};
    use SeccompCmpOp::{Eq, MaskedEq};

    let free = [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let mut rules: Rules = free.into_iter().map(|call| (call, Vec::new())).collect();

    // Descriptors that were inherited by mistake must be of no use: only the three are.
    let on = |descriptor: i32| {
        SeccompRule::new(vec![SeccompCondition::new(0, Dword, Eq, u64::from(descriptor.unsigned_abs()))?])
    };
    rules.insert(libc::SYS_read, vec![on(libc::STDIN_FILENO)?]);
    rules.insert(libc::SYS_write, vec![on(libc::STDOUT_FILENO)?, on(libc::STDERR_FILENO)?]);
    rules.insert(libc::SYS_writev, vec![on(libc::STDOUT_FILENO)?, on(libc::STDERR_FILENO)?]);

    // Memory, but of no file and never executable: what breaks in cannot bring its own code.
    let no_code = SeccompCondition::new(2, Qword, MaskedEq(u64::from(libc::PROT_EXEC.unsigned_abs())), 0)?;
    let anonymous = u64::from(libc::MAP_ANONYMOUS.unsigned_abs());
    let no_file = SeccompCondition::new(3, Qword, MaskedEq(anonymous), anonymous)?;
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![no_code.clone()])?]);
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![no_code, no_file])?]);

    // To abort: a signal to itself.
    let itself = SeccompCondition::new(0, Dword, Eq, u64::from(process::id()))?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![itself])?]);
    Ok(rules)
}

/// What no compiler and no C library under one would try.
fn fatal() -> Rules {
    let calls = [
        libc::SYS_execve,
        libc::SYS_execveat,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork,
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_open,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_keyctl,
        libc::SYS_memfd_create,
    ];
    calls.into_iter().map(|call| (call, Vec::new())).collect()
}
