//! What a script learns from a command: one number, with one meaning, the same for every command.

use std::process::ExitCode;

macro_rules! exits {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $word:literal, $meaning:literal);+ $(;)?) => {
        /// How a command ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Exit {
            $($(#[$doc])* $variant),+
        }

        impl Exit {
            /// Every way to end, by number.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The process's exit code.
            pub(crate) fn code(self) -> u8 {
                match self { $(Self::$variant => $code),+ }
            }
            /// A stable word for JSON.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }
        }
    };
}

exits! {
    /// All went well.
    Done = 0, "done", "done";
    /// The plugin, its build or the CRM failed.
    Failed = 1, "failed", "the plugin, its build or its call failed";
    /// The command line is wrong. The parser of arguments ends with the same number.
    Usage = 2, "usage", "the command line is wrong";
    /// A file that was given is not what it should be.
    Input = 3, "input", "a file is missing or wrong: component, manifest, grant, settings, credentials";
    /// A rule says no.
    Denied = 4, "denied", "denied, by a rule of the host or by the CRM";
    /// This machine lacks something.
    Environment = 5, "environment", "this machine: a missing tool, a port in use, a file that cannot be written";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table for `--help`.
pub(crate) fn table() -> String {
    let lines = Exit::ALL.iter().map(|exit| format!("  {}  {}", exit.code(), exit.meaning()));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_what_scripts_were_told() {
        insta::assert_snapshot!(table(), @r"
        0  done
        1  the plugin, its build or its call failed
        2  the command line is wrong
        3  a file is missing or wrong: component, manifest, grant, settings, credentials
        4  denied, by a rule of the host or by the CRM
        5  this machine: a missing tool, a port in use, a file that cannot be written
        ");
    }
}
