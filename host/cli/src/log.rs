//! The log, on standard error. Standard output belongs to the command's result.
//!
//! The library that reads telephone numbers traces every number that it reads, in the clear and through another
//! logging interface. So that interface is not connected at all, and the library's name is shut out besides: no
//! setting of `RAMAL_LOG` opens it.

use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;

use crate::args::{Color, Global};
use crate::failure::{Failure, Outcome};
use crate::output;

const VARIABLE: &str = "RAMAL_LOG";
/// Writes personal values.
const SILENT: &str = "rlibphonenumber";

/// Starts it. `follows` says that the command serves, and its log is what people look at.
pub(crate) fn start(global: &Global, follows: bool) -> Outcome {
    let filter = match std::env::var(VARIABLE) {
        Ok(directives) if !directives.is_empty() => {
            EnvFilter::builder().parse(&directives).map_err(|error| {
                Failure::usage(format!("the variable {VARIABLE} is no log filter: {error}"))
                    .hint(format!("write levels and targets, such as {VARIABLE}=info,ramal_egress=debug"))
            })?
        }
        _ => EnvFilter::builder().parse_lossy(directives(global, follows)),
    };
    let colored = match global.color {
        Color::Auto => output::is_colored(&std::io::stderr(), Color::Auto),
        Color::Always => true,
        Color::Never => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colored);
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(|metadata| !metadata.target().starts_with(SILENT)))
        .with(lines);
    // Not `init()`: that would connect the other logging interface too.
    tracing::subscriber::set_global_default(subscriber).map_err(Failure::environment)
}

/// The libraries of others speak up only when something is wrong. The way out says a little more: what a CRM
/// refused is not told to the plugin, and whoever tries a plugin needs to know it.
fn directives(global: &Global, follows: bool) -> String {
    let base: i16 = if follows { 2 } else { 0 };
    let level = match base + i16::from(global.verbose) - if global.quiet > 0 { 9 } else { 0 } {
        ..=0 => "error",
        1 => "warn",
        2 => "info",
        3 => "debug",
        _ => "trace",
    };
    let others = if global.verbose > 1 { "warn" } else { "error" };
    let way_out = if level == "error" && global.quiet == 0 { "warn" } else { level };
    format!("{others},ramal={level},ramal_egress={way_out},{SILENT}=off")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_command_says_what_is_wrong(
        0,
        0,
        false,
        "error,ramal=error,ramal_egress=warn,rlibphonenumber=off"
    )]
    #[case::a_server_says_what_happens(0, 0, true, "error,ramal=info,ramal_egress=info,rlibphonenumber=off")]
    #[case::more(0, 1, false, "error,ramal=warn,ramal_egress=warn,rlibphonenumber=off")]
    #[case::much_more(0, 3, true, "warn,ramal=trace,ramal_egress=trace,rlibphonenumber=off")]
    #[case::less(1, 0, true, "error,ramal=error,ramal_egress=error,rlibphonenumber=off")]
    fn flags_choose_the_level(
        #[case] quiet: u8,
        #[case] verbose: u8,
        #[case] follows: bool,
        #[case] expected: &str,
    ) {
        assert_eq!(directives(&Global { color: Color::Never, quiet, verbose }, follows), expected);
    }
}
