//! From arguments to an exit code.

use std::future::Future;
use std::process::ExitCode;

use clap::FromArgMatches;

use crate::args::{self, ChannelCommand, Cli, Command, GrantCommand};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Terminal;
use crate::{
    build, call, channel, channels, credential, grant, inspect, log, practice_crm, run as serve, simulate,
    store,
};

/// Runs the command of this process.
pub(crate) fn run() -> ExitCode {
    report_panics_without_values();
    // Wrong arguments, `--help` and `--version` end here, with 2 or 0.
    let matches = args::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let terminal = Terminal::new(cli.global.color, cli.command.wants_json(), cli.global.quiet > 0);
    let exit =
        match log::start(&cli.global, cli.command.serves()).and_then(|()| command(&terminal, cli.command)) {
            Ok(()) => Exit::Done,
            Err(failure) => {
                terminal.fail(&failure);
                failure.exit()
            }
        };
    exit.into()
}

fn command(terminal: &Terminal, command: Command) -> Outcome {
    match command {
        Command::Build(args) => build::run(terminal, &args),
        Command::Inspect(args) => inspect::run(terminal, &args),
        Command::Grant(GrantCommand::Propose(args)) => grant::propose::run(terminal, &args),
        Command::Grant(GrantCommand::Check(args)) => grant::check::run(terminal, &args),
        Command::Call(args) => block_on(call::run(terminal, &args))?,
        Command::Channel(ChannelCommand::Try(args)) => channel::run(terminal, &args),
        Command::PracticeCrm(args) => block_on(practice_crm::run(terminal, &args))?,
        Command::Run(args) => block_on(serve::run(terminal, &args))?,
        Command::Channels(args) => block_on(channels::run(terminal, &args))?,
        Command::Simulate(args) => block_on(simulate::run(terminal, &args))?,
        Command::Credential(command) => block_on(credential::run(terminal, &command))?,
        Command::Store(command) => block_on(store::run(terminal, &command))?,
    }
}

/// Runs a command that waits for others.
fn block_on<T>(work: impl Future<Output = T>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::environment(error).context("start the threads that wait for the network")
    })?;
    Ok(runtime.block_on(work))
}

/// A panic is a defect of this program. Its message may quote what was worked on, so only its place is told.
fn report_panics_without_values() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = format!("error: a defect of ramal at {place}\nhint: please report it with this line\n");
        // There is nobody left to tell that this failed.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }));
}
