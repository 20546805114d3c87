//! Why a call gave no result, for the person who tries the plugin: whose turn it is, and what to change.

use ramal_capability::Rule;
use ramal_engine::{CallError, Plugin, PluginError, Stop};

use crate::exit::Exit;
use crate::failure::Failure;

/// The failure of the command. `grant` and `file` are what the user calls the grant and the component.
pub(crate) fn failure(error: CallError, plugin: &Plugin, grant: &str, file: &str) -> Failure {
    match error {
        CallError::Denied(denial) => {
            let rule = denial.rule;
            let of_class = denial.fix.as_ref().is_some_and(|fix| fix.table == "[classes]");
            let failure = Failure::denied(denial, grant, file);
            match rule {
                Rule::User => failure.hint("say who acts: --user NAME"),
                Rule::Purpose if !of_class => {
                    failure.hint("if the call is for something else, say so: --purpose PURPOSE")
                }
                _ => failure,
            }
        }
        CallError::Plugin(error) => answered(error),
        CallError::Stopped { stop, .. } => {
            let hint = stopped(stop, plugin);
            Failure::new(Exit::Failed, error).of_plugin().hint(hint)
        }
        error @ CallError::ResultTooLarge(_) => Failure::new(Exit::Failed, error)
            .hint("raise `result-bytes` in [limits] of the grant, or ask for less"),
        error @ CallError::Missing(_) => Failure::new(Exit::Input, error),
        error @ CallError::Host(_) => Failure::environment(error),
        error => Failure::new(Exit::Failed, error),
    }
}

fn answered(error: PluginError) -> Failure {
    let exit = if matches!(error, PluginError::Denied(_)) { Exit::Denied } else { Exit::Failed };
    let hint = match &error {
        PluginError::Unsupported => {
            Some("its manifest lists the function and its code does not: tell its author")
        }
        PluginError::AuthExpired => Some("check the secret in the file of --credentials"),
        PluginError::Denied(_) => {
            Some("a rule of the host names the line to add; otherwise the CRM itself refused")
        }
        _ => None,
    };
    let failure = Failure::new(exit, error).of_plugin().context("the plugin answered with an error");
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn stopped(stop: Stop, plugin: &Plugin) -> String {
    let plan = plugin.plan();
    let limits = plan.limits();
    let limit = |name: &str, value: u64, unit: &str| {
        format!("the limit is {value} {unit}: `{name}` in [limits] of the grant")
    };
    match stop {
        Stop::CpuTime => limit("cpu-ms", limits.cpu_ms, "ms"),
        Stop::WallTime => limit("wall-ms", limits.wall_ms, "ms"),
        Stop::Memory => limit("memory-bytes", limits.memory_bytes, "bytes"),
        Stop::HostcallBytes => limit("hostcall-bytes", limits.hostcall_bytes, "bytes"),
        Stop::Stack | Stop::Panic | Stop::Fault | Stop::Contract => {
            "this is a defect of the plugin; its author needs the report and the plugin's log lines"
                .to_owned()
        }
    }
}
