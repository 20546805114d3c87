//! Every limit of a call, in one struct. A manifest may ask for more than the default up to the ceiling, a
//! grant decides. A limit without a reader would be a lie to the admin, so the list below is also what the
//! tests walk: each limit has a test that exceeds it.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident : $default:expr, $ceiling:expr, $unit:literal);+ $(;)?) => {
        /// What one plugin under one grant may use.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Limits {
            $($(#[$doc])* pub $name: u64),+
        }
        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default),+ }
            }
        }

        /// Wishes for limits, as a manifest or a grant states them: what is absent is the default.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct LimitWishes {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<u64>),+
        }

        /// The name of a limit, for lists and tests.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct LimitName {
            /// The field's name; files write it in kebab case.
            pub name: &'static str,
            /// The value when nothing is said.
            pub default: u64,
            /// The most that a grant may give.
            pub ceiling: u64,
            /// What is counted.
            pub unit: &'static str,
        }

        impl Limits {
            /// Every limit.
            pub const ALL: &'static [LimitName] = &[
                $(LimitName { name: stringify!($name), default: $default, ceiling: $ceiling, unit: $unit }),+
            ];

            /// The line of a grant that raises a limit to what is needed, doubled so that the next call does not ask
            /// again; `None` where the ceiling is lower.
            pub fn raised(name: &str, now: u64, needed: u64) -> Option<String> {
                let limit = Self::ALL.iter().find(|limit| limit.name == name)?;
                let most = now.saturating_mul(2).max(needed).min(limit.ceiling);
                (most >= needed && most > now).then(|| format!("{} = {most}", name.replace('_', "-")))
            }

            /// What holds when the manifest asks and the grant decides: the grant's word, else the manifest's
            /// wish, else the default; never above the ceiling.
            pub fn resolve(asked: &LimitWishes, granted: &LimitWishes) -> Self {
                Self { $($name: granted.$name.or(asked.$name.map(|a| a.min($default))).unwrap_or($default).min($ceiling)),+ }
            }
        }
    };
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

limits! {
    /// Linear memory of one call, summed over all memories.
    memory_bytes: 32 * MIB, 64 * MIB, "bytes";
    /// Elements of one call's tables, summed.
    table_elements: 20_000, 20_000, "elements";
    /// Core instances of one call. No component may have more than these: see the engine's check of a file.
    instances: 3, 3, "instances";
    /// Handles of resources that the guest itself defines, at once. Each takes memory of the host.
    resource_handles: 1_024, 10_000, "handles";
    /// Bytes that one host call may copy out of the guest.
    hostcall_bytes: MIB, 8 * MIB, "bytes";
    /// Time that the guest itself may compute in one call.
    cpu_ms: 250, 5_000, "ms";
    /// Time from start to end of one call, waits included.
    wall_ms: 10_000, 60_000, "ms";
    /// Requests in one call.
    requests: 16, 200, "requests";
    /// Requests of one call under way at once.
    parallel_requests: 4, 16, "requests";
    /// Time for one request.
    request_ms: 5_000, 30_000, "ms";
    /// Bytes of one request's body and address.
    request_bytes: 256 * KIB, 4 * MIB, "bytes";
    /// Bytes of one answer's body.
    answer_bytes: MIB, 8 * MIB, "bytes";
    /// Nesting of one answer or body.
    json_depth: 32, 64, "levels";
    /// Bytes that all requests of one call may send.
    total_out_bytes: MIB, 16 * MIB, "bytes";
    /// Bytes that all answers of one call may bring.
    total_in_bytes: 4 * MIB, 32 * MIB, "bytes";
    /// Bytes of what one call returns.
    result_bytes: MIB, 4 * MIB, "bytes";
    /// Comparisons of two seals in one call.
    comparisons: 64, 1_000, "comparisons";
    /// Seals in one call.
    seals: 20_000, 200_000, "seals";
    /// Calls under way at once.
    calls_in_flight: 16, 256, "calls";
    /// Calls in one minute.
    calls_per_minute: 1_200, 100_000, "calls";
    /// Distinct data subjects in one hour; more looks like copying a customer base.
    subjects_per_hour: 2_000, 100_000, "subjects";
    /// Distinct data subjects in one day.
    subjects_per_day: 10_000, 1_000_000, "subjects";
    /// Log lines in one call.
    log_lines: 50, 1_000, "lines";
    /// Characters of one log line; more are cut.
    log_line_chars: 500, 4_000, "characters";
    /// Entries of the key-value store.
    store_entries: 1_000, 100_000, "entries";
    /// Bytes of the key-value store, keys and values.
    store_bytes: MIB, 64 * MIB, "bytes";
    /// Bytes of one stored value.
    store_value_bytes: 64 * KIB, MIB, "bytes";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_alone_cannot_raise_a_limit() {
        let asked = LimitWishes { requests: Some(100), ..LimitWishes::default() };
        assert_eq!(Limits::resolve(&asked, &LimitWishes::default()).requests, 16);
        assert_eq!(Limits::resolve(&asked, &asked).requests, 100);
    }

    #[test]
    fn a_manifest_that_wants_less_gets_less() {
        let asked = LimitWishes { requests: Some(2), ..LimitWishes::default() };
        assert_eq!(Limits::resolve(&asked, &LimitWishes::default()).requests, 2);
    }

    #[test]
    fn no_grant_passes_the_ceiling() {
        let granted = LimitWishes { memory_bytes: Some(u64::MAX), ..LimitWishes::default() };
        assert_eq!(Limits::resolve(&LimitWishes::default(), &granted).memory_bytes, 64 * MIB);
    }

    #[test]
    fn a_limit_is_raised_as_far_as_is_needed_and_never_past_the_ceiling() {
        assert_eq!(Limits::raised("requests", 16, 17).as_deref(), Some("requests = 32"));
        assert_eq!(Limits::raised("request_bytes", 1_000, 5_000).as_deref(), Some("request-bytes = 5000"));
        assert_eq!(Limits::raised("requests", 150, 151).as_deref(), Some("requests = 200"));
        assert_eq!(Limits::raised("requests", 200, 201), None);
        assert_eq!(Limits::raised("request_bytes", 1_000, 5 * MIB), None);
    }

    #[test]
    fn defaults_stay_below_ceilings() {
        for limit in Limits::ALL {
            assert!(limit.default <= limit.ceiling, "{}", limit.name);
        }
    }
}
