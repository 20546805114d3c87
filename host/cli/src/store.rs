//! `ramal store`: what an operator does with the database.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ramal_server::{ServerConfig, open_store};
use ramal_store::{Checked, MaintenanceError, Mismatch, SqliteStore, Store};

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Cell, Page, Terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Check the database: its pages, its walls between tenants, and each row against its history
    Check(CheckArgs),
    /// Bring the database's schema up to date, as `ramal run` does at its start
    Migrate(StoreArgs),
    /// Write a copy of one moment to a file, while ramal may be running
    Backup(CopyArgs),
    /// Put a backup in the database's place, while ramal is stopped; what was there is kept beside it
    Restore(CopyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "ramal.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Make anew, from its events, whatever is not what they make; make a backup first
    #[arg(long)]
    pub(crate) rebuild: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The backup
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Runs one of the commands.
pub(crate) async fn run(terminal: &Terminal, command: &StoreCommand) -> Outcome {
    match command {
        StoreCommand::Check(args) => check(terminal, &load(&args.store)?, args.rebuild).await,
        StoreCommand::Migrate(args) => migrate(terminal, &load(args)?).await,
        StoreCommand::Backup(args) => backup(terminal, &load(&args.store)?, &args.file).await,
        StoreCommand::Restore(args) => restore(terminal, &load(&args.store)?, &args.file).await,
    }
}

fn load(args: &StoreArgs) -> Outcome<ServerConfig> {
    ServerConfig::load(&args.config).map_err(Failure::input)
}

/// The database of the configuration, which has to be there.
pub(crate) async fn open(config: &ServerConfig) -> Outcome<std::sync::Arc<dyn Store>> {
    // To look at a database must not make one.
    if config.postgres.is_none() && !config.database().exists() {
        let text = format!("there is no database at {}", config.database().display());
        return Err(Failure::environment(anyhow::Error::msg(text))
            .hint("`ramal run` makes it; check `data` in the configuration"));
    }
    open_store(config).await.map_err(Failure::environment)
}

async fn check(terminal: &Terminal, config: &ServerConfig, rebuild: bool) -> Outcome {
    let store = open(config).await?;
    let faults = store.faults().await.map_err(Failure::environment)?;
    let mut checked = Checked::default();
    let mut page = Page::new();
    page.title("the database");
    for tenant in store.tenants().await.map_err(Failure::environment)? {
        let mut of_tenant = store.check(&tenant).await.map_err(Failure::environment)?;
        if rebuild && !of_tenant.is_sound() {
            let broken: BTreeSet<_> = of_tenant.mismatches.iter().map(Mismatch::interaction).collect();
            let mut rebuilt = 0_usize;
            for interaction in broken {
                let done = store.rebuild(&tenant, interaction).await.map_err(Failure::environment)?;
                rebuilt = rebuilt.saturating_add(usize::from(done));
            }
            page.fields(&[(tenant.as_str(), Cell::careful(format!("{rebuilt} interactions made anew")))]);
            of_tenant = store.check(&tenant).await.map_err(Failure::environment)?;
        }
        let told = format!("{} interactions, {} events", of_tenant.interactions, of_tenant.events);
        let cell = if of_tenant.is_sound() { Cell::good(told) } else { Cell::bad(told) };
        page.fields(&[(tenant.as_str(), cell)]);
        checked = checked.and(of_tenant);
    }
    store.close().await.map_err(Failure::environment)?;
    let problems: Vec<String> = faults.into_iter().chain(checked.mismatches.iter().map(in_words)).collect();
    if problems.is_empty() {
        page.line(Cell::good("sound: every row is what its events make"));
        return terminal.show(&page);
    }
    terminal.show(&page)?;
    Err(Failure::new(Exit::Failed, anyhow::Error::msg("the database is not sound")).list(problems).hint(
        "keep a copy of it; `--rebuild` makes rows anew from their events; else restore the latest backup",
    ))
}

fn in_words(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::History { interaction, error } => format!("interaction {interaction}: {error}"),
        Mismatch::Row { interaction } => {
            format!("interaction {interaction}: its row is not what its events make")
        }
        Mismatch::Columns { interaction } => {
            format!("interaction {interaction}: it is searched by something that its events do not make")
        }
        Mismatch::Unreadable { interaction } => {
            format!("interaction {interaction}: what is stored of it cannot be read")
        }
        Mismatch::Messages { interaction } => {
            format!("interaction {interaction}: its messages are not what its events make")
        }
        Mismatch::Timeline { interaction } => {
            format!("interaction {interaction}: it does not stand on its customer's timeline")
        }
    }
}

async fn migrate(terminal: &Terminal, config: &ServerConfig) -> Outcome {
    let store = open_store(config).await.map_err(Failure::environment)?;
    store.close().await.map_err(Failure::environment)?;
    let mut page = Page::new();
    page.line(Cell::good("the schema is up to date"));
    terminal.show(&page)
}

async fn backup(terminal: &Terminal, config: &ServerConfig, to: &Path) -> Outcome {
    only_sqlite(config, "pg_dump --format custom")?;
    if !config.database().exists() {
        open(config).await?;
    }
    SqliteStore::backup(&config.database(), to).await.map_err(failed)?;
    let mut page = Page::new();
    page.line(Cell::good(format!("wrote {}", to.display())))
        .line(Cell::careful("it holds customers' data: keep it as safe as the database"));
    terminal.show(&page)
}

async fn restore(terminal: &Terminal, config: &ServerConfig, from: &Path) -> Outcome {
    only_sqlite(config, "pg_restore --no-owner --role RAMALS_ROLE")?;
    let old = SqliteStore::restore(from, &config.database()).await.map_err(failed)?;
    let mut page = Page::new();
    page.line(Cell::good(format!("{} is in place", config.database().display())));
    if let Some(old) = old {
        page.line(format!("what was there is kept in {}", old.display()));
    }
    terminal.show(&page)
}

fn only_sqlite(config: &ServerConfig, instead: &str) -> Outcome {
    if config.postgres.is_none() {
        return Ok(());
    }
    let text = "the database is a PostgreSQL server, which has tools of its own for copies";
    Err(Failure::new(Exit::Usage, anyhow::Error::msg(text)).hint(format!(
        "use `{instead}` as a superuser or a role with BYPASSRLS: ramal's own role sees one tenant at a time"
    )))
}

fn failed(error: MaintenanceError) -> Failure {
    let exit = match &error {
        MaintenanceError::Exists { .. } | MaintenanceError::Unsound { .. } => Exit::Input,
        MaintenanceError::InUse { .. } | MaintenanceError::Io { .. } | MaintenanceError::Store(_) => {
            Exit::Environment
        }
    };
    Failure::new(exit, error)
}
