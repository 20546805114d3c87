//! Whether the kernel could move a page of this process to swap.
//!
//! A swapped-out page escapes the pool's scan for written pages (see
//! [`MemoryReset`](super::MemoryReset)), which would show one caller's data to the next. So the
//! answer errs on the side of "yes": whatever cannot be read or understood counts as swap.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const SWAPS: &str = "/proc/swaps";
const CGROUPS: &str = "/sys/fs/cgroup";
/// A first line and a device fit in; what comes after changes nothing.
const READ: usize = 512;

/// Whether a page of this process could be written to swap, as things stand now.
///
/// `false` only if the machine has no swap device, or if this process's control group or one
/// above it may not use any. Swap can be switched on later: see [`SwapWatch`].
#[must_use]
pub fn swap_possible() -> bool {
    SwapWatch::of_this_machine().swap_possible()
}

/// Asks again and again whether swap has become possible: an engine that scans for written pages must run no guest any
/// more once it has.
///
/// The list of swaps stays open, so that an answer costs one system call: it is asked for before each call of a plugin.
#[derive(Debug)]
pub struct SwapWatch {
    /// `None` when it cannot be opened.
    swaps: Option<File>,
    cgroups: PathBuf,
}

impl SwapWatch {
    /// Watches this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::at(Path::new(SWAPS), Path::new(CGROUPS))
    }

    pub(crate) fn at(swaps: &Path, cgroups: &Path) -> Self {
        Self { swaps: File::open(swaps).ok(), cgroups: cgroups.to_owned() }
    }

    /// Whether a page of this process could be written to swap now.
    #[must_use]
    pub fn swap_possible(&self) -> bool {
        self.has_device() && !swap_forbidden_by_cgroup(&self.cgroups)
    }

    fn has_device(&self) -> bool {
        let mut bytes = [0; READ];
        let read = self.swaps.as_ref().and_then(|file| file.read_at(&mut bytes, 0).ok());
        let text = read.and_then(|length| std::str::from_utf8(bytes.get(..length)?).ok());
        text.is_none_or(has_swap_device)
    }
}

/// `text` is `/proc/swaps`: a heading, then a line for each device or file. An empty text is not
/// what the kernel writes, so it counts as swap.
fn has_swap_device(text: &str) -> bool {
    let mut lines = text.lines();
    let headed = lines.next().is_some_and(|line| line.starts_with("Filename"));
    !headed || lines.any(|line| !line.trim().is_empty())
}

fn swap_forbidden_by_cgroup(root: &Path) -> bool {
    let Ok(text) = fs::read_to_string("/proc/self/cgroup") else { return false };
    let Some(own) = unified_cgroup(&text) else { return false };
    swap_limit_files(root, own)
        .iter()
        .any(|file| fs::read_to_string(file).is_ok_and(|limit| limit_is_zero(&limit)))
}

/// The path of this process in the unified hierarchy: the line `0::/path` of `/proc/self/cgroup`.
/// The older hierarchies count swap together with memory and are not understood here.
fn unified_cgroup(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The limit files that bind a process at `own`: its own and those of each group above.
fn swap_limit_files(root: &Path, own: &str) -> Vec<PathBuf> {
    let relative = Path::new(own.trim_start_matches('/'));
    // A path that leads out of the mount (`/../..`) is seen by a process whose group lies
    // outside of its namespace: nothing can be said about it.
    if relative.components().any(|part| part == std::path::Component::ParentDir) {
        return Vec::new();
    }
    let below = relative.ancestors().map(|dir| root.join(dir).join("memory.swap.max"));
    below.collect()
}

/// `text` is a `memory.swap.max`: a number of bytes, or `max`.
fn limit_is_zero(text: &str) -> bool {
    text.trim() == "0"
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HEADING: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    #[rstest]
    #[case::none("", false)]
    #[case::partition("/dev/sda2                               partition\t8388604\t\t0\t\t-2\n", true)]
    #[case::file("/swap.img                               file\t\t2097148\t\t0\t\t-2\n", true)]
    #[case::compressed_memory("/dev/zram0 partition 1048572 0 100\n", true)]
    fn a_line_under_the_heading_is_swap(#[case] rest: &str, #[case] expected: bool) {
        assert_eq!(has_swap_device(&format!("{HEADING}{rest}")), expected);
    }

    #[test]
    fn swap_that_is_switched_on_later_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (swaps, no_groups) = (folder.path().join("swaps"), folder.path().join("cgroup"));
        fs::write(&swaps, HEADING).unwrap();
        let watch = SwapWatch::at(&swaps, &no_groups);
        assert!(!watch.swap_possible());
        fs::write(&swaps, format!("{HEADING}/swap.img file 2097148 0 -2\n")).unwrap();
        assert!(watch.swap_possible());
        fs::write(&swaps, HEADING).unwrap();
        assert!(!watch.swap_possible());
        assert!(SwapWatch::at(&folder.path().join("none"), &no_groups).swap_possible(), "not known is yes");
    }

    #[rstest]
    #[case::empty("")]
    #[case::no_heading("/dev/sda2 partition 1 0 -2\n")]
    #[case::other("permission denied\n")]
    fn what_is_not_understood_counts_as_swap(#[case] text: &str) {
        assert!(has_swap_device(text));
    }

    #[rstest]
    #[case::unified("0::/system.slice/ramal.service\n", Some("/system.slice/ramal.service"))]
    #[case::root("0::/\n", Some("/"))]
    #[case::hybrid("12:memory:/user\n1:name=systemd:/x\n0::/user.slice\n", Some("/user.slice"))]
    #[case::old_only("4:memory:/docker/abc\n3:cpu:/\n", None)]
    #[case::empty("", None)]
    fn the_unified_group_is_read(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(unified_cgroup(text), expected);
    }

    #[test]
    fn a_limit_of_any_group_above_counts() {
        let files = swap_limit_files(Path::new("/cg"), "/a/b");
        let expected = ["/cg/a/b/memory.swap.max", "/cg/a/memory.swap.max", "/cg/memory.swap.max"];
        assert_eq!(files, expected.map(PathBuf::from));
        assert!(swap_limit_files(Path::new("/cg"), "/../../other").is_empty());
    }

    #[rstest]
    #[case::zero("0\n", true)]
    #[case::unlimited("max\n", false)]
    #[case::some("1048576\n", false)]
    #[case::empty("", false)]
    fn only_a_limit_of_nought_forbids_swap(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(limit_is_zero(text), expected);
    }
}
