//! The command line: every command, flag and help text.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use ramal_capability::{Purpose, TenantId, UserId};
use ramal_numbers::Region;

use crate::channels::ChannelsArgs;
use crate::credential::CredentialCommand;
use crate::simulate::SimulateArgs;
use crate::store::StoreCommand;
use crate::{call, exit};

/// Run CRM plugins that see only what a person granted
#[derive(Debug, Parser)]
#[command(name = "ramal", version, propagate_version = false, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Global {
    /// When to colour the output; `auto` is when it is a terminal and NO_COLOR is not set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Say less: no notes, log errors only
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) quiet: u8,
    /// Say more in the log on standard error; repeat for still more (`RAMAL_LOG` sets it in detail)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build a plugin into one file: cargo, component, manifest
    Build(BuildArgs),
    /// Show what a plugin is and asks for, without running it
    Inspect(InspectArgs),
    /// Draft and check grants: what a person lets a plugin do
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Call one function of a plugin, outside any server, and report what it saw and sent
    Call(CallArgs),
    /// Serve a small CRM with invented customers, to learn and try plugins with
    PracticeCrm(PracticeCrmArgs),
    /// Run the host
    Run(RunArgs),
    /// Look at what channels make of their providers' payloads
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Show every way in to the host: its state, what it collects and where that is kept
    Channels(ChannelsArgs),
    /// Tell a host a made-up day of calls, for demos and load
    Simulate(SimulateArgs),
    /// Store, list and remove the CRMs' secrets
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Look after the database: check, migrate, back up, restore
    #[command(subcommand)]
    Store(StoreCommand),
}

impl Command {
    /// Whether standard output is one JSON document.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Build(args) => args.json,
            Self::Inspect(args) => args.json,
            Self::Call(args) => args.json,
            Self::Channel(ChannelCommand::Try(args)) => args.json,
            Self::Channels(args) => args.json,
            Self::Simulate(args) => args.json,
            Self::Grant(_) | Self::PracticeCrm(_) | Self::Run(_) | Self::Credential(_) | Self::Store(_) => {
                false
            }
        }
    }
    /// Whether it goes on until it is told to stop, so that its log is what people follow.
    pub(crate) fn serves(&self) -> bool {
        matches!(self, Self::PracticeCrm(_) | Self::Run(_))
    }
}

#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// The plugin's folder, with Cargo.toml and plugin.toml
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    // The angle brackets are words of a help text, not HTML.
    #[allow(rustdoc::invalid_html_tags)]
    /// Where to write the plugin [default: <target>/ramal/<id>.wasm]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Refuse to change Cargo.lock: for releases and build servers
    #[arg(long)]
    pub(crate) locked: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The plugin's .wasm file
    pub(crate) file: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// Show what a mapping file makes of one payload; nothing is sent or stored
    Try(TryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TryArgs {
    /// The mapping file
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: PathBuf,
    /// A file with the body of a request, as the provider sends it
    #[arg(long, value_name = "FILE")]
    pub(crate) body: PathBuf,
    /// The request's Content-Type; a multipart form's boundary stands in it
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    pub(crate) content_type: String,
    /// The country of numbers that are written without one
    #[arg(long, value_name = "CODE", default_value = "BR")]
    pub(crate) region: Region,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Write the grant that a plugin asks for, for a person to read and narrow
    Propose(ProposeArgs),
    /// Check that a grant fits a plugin, and say in words what the plugin then may do
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProposeArgs {
    /// The plugin's .wasm file
    pub(crate) file: PathBuf,
    /// Whose data it is about
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: TenantId,
    /// Who approves it; left open if not given, and then the grant is not in force
    #[arg(long, value_name = "WHO")]
    pub(crate) by: Option<String>,
    /// The plugin's settings (TOML or JSON), from which addresses are filled in
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The grant
    pub(crate) grant: PathBuf,
    /// The plugin's .wasm file
    pub(crate) file: PathBuf,
    /// The plugin's settings (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// The plugin's .wasm file
    pub(crate) file: PathBuf,
    /// The function, such as contacts.find-by-phone or only find-by-phone
    pub(crate) export: String,
    /// The grant
    #[arg(long, value_name = "FILE")]
    pub(crate) grant: PathBuf,
    /// The plugin's settings (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The CRM's secrets, in a TOML file that only its owner may read (chmod 600)
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// An argument of the function; may be repeated
    #[arg(short, long = "arg", value_name = "NAME=VALUE")]
    pub(crate) args: Vec<String>,
    /// The person who acts, for purposes that need one
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<UserId>,
    /// What it is for [default: the first purpose of the function that is granted]
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<Purpose>,
    /// The country by whose rules numbers without a country code are read
    #[arg(long, value_name = "COUNTRY", default_value = "BR")]
    pub(crate) region: Region,
    /// Show the values that came back. They stay in the terminal's history: for made-up data only
    #[arg(long)]
    pub(crate) show_values: bool,
    /// Where compiled code is kept [default: ramal/code in the user's cache folder]
    #[arg(long, value_name = "FOLDER", env = "RAMAL_CACHE_DIR", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PracticeCrmArgs {
    /// The address to listen at; of this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7788")]
    pub(crate) listen: SocketAddr,
    /// The key of its API. Other users of this machine can read a command line: a made-up key only
    #[arg(long, value_name = "KEY", default_value = crate::practice_crm::KEY, conflicts_with = "key_file")]
    pub(crate) key: String,
    /// A file that holds the key of its API
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// An address of this machine that is told when a contact changes, such as a host's
    /// http://127.0.0.1:7700/v1/hooks/practice/changes/TENANT
    #[arg(long, value_name = "URL", requires = "hook_secret_file")]
    pub(crate) hook: Option<String>,
    /// A file that holds the secret by which that address knows the practice CRM
    #[arg(long, value_name = "FILE", requires = "hook")]
    pub(crate) hook_secret_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "ramal.toml", conflicts_with = "practice")]
    pub(crate) config: PathBuf,
    /// Serve a practice setup with invented customers: written at the first time, then read like any other
    #[arg(long)]
    pub(crate) practice: bool,
    /// The folder of the practice setup
    #[arg(long, value_name = "FOLDER", default_value = "practice-data", requires = "practice")]
    pub(crate) folder: PathBuf,
    /// Where the practice setup's panel listens, as it is first written [default: 127.0.0.1:7700]
    #[arg(long, value_name = "ADDRESS", requires = "practice")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where its practice CRM listens, as it is first written; of this machine only [default: 127.0.0.1:7788]
    #[arg(long, value_name = "ADDRESS", requires = "practice")]
    pub(crate) crm: Option<SocketAddr>,
    /// The folder with practice.wasm, for the practice setup
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "target/ramal",
        env = "RAMAL_FIXTURES",
        hide_env_values = true
    )]
    pub(crate) plugins: PathBuf,
}

/// The parser, with the texts that come from tables in code.
pub(crate) fn command() -> clap::Command {
    let exits = format!("Exit codes:\n{}", exit::table());
    let arguments = format!(
        "Arguments of the functions (--arg NAME=VALUE):\n{}\n\n\
         Values that came back are shown as dots with their class: a terminal keeps what it showed.\n\
         What is written on a command line can be read by other users of this machine: give invented\n\
         customers here, and never a secret.",
        call::arguments::table()
    );
    Cli::command().after_help(exits).mut_subcommand("call", |call| call.after_help(arguments))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }
}
