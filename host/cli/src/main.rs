//! The binary `ramal`: build, inspect, grant and try plugins, and run the host.
//!
//! ```text
//! args      what can be said on the command line, and nothing else      exit     what a script learns
//! app       from arguments to an exit code                              failure  what a person learns
//! output    pages, tables, colour, JSON: the only way to the terminal   log      what an operator learns
//! build, inspect, grant, call, practice_crm, run, simulate, channels, credential, store     one module for each command
//! ```
//!
//! This is where the terminal and the environment are read; the libraries below touch neither.

mod app;
mod args;
mod build;
mod call;
mod channel;
mod channels;
mod component;
mod credential;
mod exit;
mod failure;
mod files;
mod grant;
mod inspect;
mod log;
mod output;
mod practice_crm;
mod run;
mod simulate;
mod stop;
mod store;

fn main() -> std::process::ExitCode {
    // First of all: when this very program was started to compile a plugin, it is that and nothing else.
    ramal_engine::intercept_worker();
    app::run()
}
