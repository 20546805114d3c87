//! `ramal credential`: the CRMs' secrets in the host's encrypted store. A host that is running takes up what was
//! entered within seconds.
//!
//! A secret comes by standard input or from a file, never as an argument: a command line can be read by every user
//! of the machine and stays in the shell's history. What is stored is never shown again, only its names.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ramal_capability::{Clear, CredentialId, PluginId, TenantId};
use ramal_credentials::{CredentialKey, CredentialState, Entered, KeeperError, Listed};
use ramal_server::{AskedCredential, CredentialDesk, ServerConfig};
use serde::Deserialize;

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::output::{Cell, Column, Page, Terminal, count};

/// The most that a secret may have, in bytes.
const MOST: usize = 256 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialCommand {
    /// Store a secret, read from standard input or a file
    ///
    /// The text is TOML: one line NAME = "..." for each field that `ramal credential list` names. With --field, or where
    /// the credential has only one field, it is the field's text itself.
    Set(SetArgs),
    /// Show what is stored and what is missing, without any secret
    List(ListArgs),
    /// Remove a secret, and the tokens that were given for it
    Remove(RemoveArgs),
    /// Make a new key and wrap every stored secret with it
    RotateKey(ConfigArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "ramal.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// The tenant in the configuration
    pub(crate) tenant: TenantId,
    /// The plugin's id
    pub(crate) plugin: PluginId,
    /// The credential's id in the plugin's manifest
    pub(crate) credential: CredentialId,
}

impl Whose {
    fn key(&self) -> CredentialKey {
        CredentialKey {
            tenant: self.tenant.clone(),
            plugin: self.plugin.clone(),
            credential: self.credential.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// Read the secret from a file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The text is this one field; the others stay as they are
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Option<String>,
    /// The day on which it ends, if that is known: you are told a week before
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: Option<Date>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Of this tenant only
    pub(crate) tenant: Option<TenantId>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    pub(crate) whose: Whose,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Runs one of the commands.
pub(crate) async fn run(terminal: &Terminal, command: &CredentialCommand) -> Outcome {
    let config = match command {
        CredentialCommand::Set(args) => &args.config,
        CredentialCommand::List(args) => &args.config,
        CredentialCommand::Remove(args) => &args.config,
        CredentialCommand::RotateKey(args) => args,
    };
    let config = ServerConfig::load(&config.config).map_err(Failure::input)?;
    let desk = CredentialDesk::open(&config).await.map_err(Failure::environment)?;
    let done = match command {
        CredentialCommand::Set(args) => set(terminal, &desk, args).await,
        CredentialCommand::List(args) => list(terminal, &config, &desk, args).await,
        CredentialCommand::Remove(args) => remove(terminal, &desk, args).await,
        CredentialCommand::RotateKey(_) => rotate(terminal, &config, &desk).await,
    };
    desk.close().await;
    done
}

async fn set(terminal: &Terminal, desk: &CredentialDesk, args: &SetArgs) -> Outcome {
    let key = args.whose.key();
    let asked = find(desk, &key)?;
    let text = read(args)?;
    let fields = fields(asked, args.field.as_deref(), text)?;
    let until = args.until.map(|day| end_of(day, &key)).transpose()?;
    let names: Vec<String> = fields.keys().cloned().collect();
    let entered = Entered { fields, until, keep_others: args.field.is_some() };
    desk.keeper.set(&key, entered).await.map_err(failed)?;
    let state = desk.keeper.state(&key).await.map_err(failed)?;
    let mut page = Page::new();
    page.title(&format!("stored {} for {key}", names.join(", "))).fields(&[("state", cell(&Ok(state)))]);
    terminal.show(&page)
}

async fn list(terminal: &Terminal, config: &ServerConfig, desk: &CredentialDesk, args: &ListArgs) -> Outcome {
    let mut page = Page::new();
    let tenants = config.tenants.iter().map(|tenant| &tenant.id);
    let mut shown = 0;
    for tenant in tenants.filter(|tenant| args.tenant.as_ref().is_none_or(|only| only == *tenant)) {
        let rows: Vec<Vec<Cell>> = desk
            .keeper
            .list(tenant)
            .await
            .map_err(failed)?
            .iter()
            .map(|listed| row(listed, desk.asked.iter().find(|asked| asked.key == listed.key)))
            .collect();
        shown += rows.len();
        use Column::Left;
        let columns = [Left("plugin"), Left("credential"), Left("kind"), Left("takes"), Left("state")];
        page.section(&format!("tenant {tenant}"));
        match rows.is_empty() {
            true => page.line(Cell::faint("nothing is stored, and no plugin asks for anything")),
            false => page.table(&columns, &rows),
        };
    }
    if let Some(only) = args.tenant.as_ref().filter(|only| !config.tenants.iter().any(|t| t.id == **only)) {
        let error = anyhow::Error::msg(format!("the configuration has no tenant `{only}`"));
        return Err(Failure::new(Exit::Usage, error).hint("check its name"));
    }
    for unread in &desk.unread {
        page.line(Cell::careful(format!("a plugin could not be read: {unread}")));
    }
    let told = terminal.show(&page);
    tracing::debug!(shown, "listed");
    told
}

async fn remove(terminal: &Terminal, desk: &CredentialDesk, args: &RemoveArgs) -> Outcome {
    let key = args.whose.key();
    if !desk.keeper.remove(&key).await.map_err(failed)? {
        return Err(Failure::new(Exit::Input, anyhow::Error::msg(format!("nothing is stored for {key}")))
            .hint("`ramal credential list` shows what is"));
    }
    let mut page = Page::new();
    page.title(&format!("removed what was stored for {key}"))
        .line(Cell::careful("the CRM was not told: take the access back there too"));
    terminal.show(&page)
}

async fn rotate(terminal: &Terminal, config: &ServerConfig, desk: &CredentialDesk) -> Outcome {
    let tenants: Vec<TenantId> = config.tenants.iter().map(|tenant| tenant.id.clone()).collect();
    let done = desk.keeper.rotate_key(&tenants).await.map_err(failed)?;
    let mut page = Page::new();
    page.title(&format!("wrapped {} with a new key", count(done as u64, "secret", "secrets"))).line(
        Cell::careful("the older keys stay in the key file, for backups of the database that need them"),
    );
    terminal.show(&page)
}

// === What is entered ===

fn find<'a>(desk: &'a CredentialDesk, key: &CredentialKey) -> Outcome<&'a AskedCredential> {
    if let Some(asked) = desk.asked.iter().find(|asked| asked.key == *key) {
        return Ok(asked);
    }
    let of_plugin =
        |asked: &&AskedCredential| asked.key.tenant == key.tenant && asked.key.plugin == key.plugin;
    let known: Vec<&str> =
        desk.asked.iter().filter(of_plugin).map(|asked| asked.key.credential.as_str()).collect();
    let error = anyhow::Error::msg(format!("no configured plugin asks for {key}"));
    let failure = Failure::new(Exit::Input, error).list(desk.unread.clone());
    Err(match known.is_empty() {
        true => failure.hint("check tenant and plugin: `ramal credential list` shows what is asked for"),
        false => failure.hint(format!("the plugin `{}` asks for {}", key.plugin, known.join(", "))),
    })
}

fn read(args: &SetArgs) -> Outcome<Clear> {
    let bytes = match &args.file {
        Some(path) => files::read("secret", path, MOST)?,
        None => {
            let input = std::io::stdin();
            if input.is_terminal() {
                return Err(Failure::usage("a terminal would show the secret while it is typed")
                    .hint("pipe it in, or name a file with --file"));
            }
            let mut bytes = Vec::with_capacity(MOST + 1);
            let read = input.lock().take(MOST as u64 + 1).read_to_end(&mut bytes);
            read.map_err(|error| Failure::input(error).context("cannot read the secret"))?;
            bytes
        }
    };
    if bytes.len() > MOST {
        return Err(
            Failure::input(anyhow::Error::msg("the secret is too large")).hint("check what was piped in")
        );
    }
    String::from_utf8(bytes)
        .map(Clear::from)
        .map_err(|_| Failure::input(anyhow::Error::msg("the secret is no text in UTF-8")))
}

/// A secret's text on its way from the input.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text(String);

/// The fields that were entered, all of them known to the credential. Errors tell names and places, never a text.
fn fields(asked: &AskedCredential, field: Option<&str>, text: Clear) -> Outcome<BTreeMap<String, Clear>> {
    let wrong = |what: String| Failure::input(anyhow::Error::msg(what)).hint(takes(asked));
    let single = match asked.fields.as_slice() {
        [one] if asked.optional.is_empty() => Some(one.as_str()),
        _ => None,
    };
    let entered = match field.or(single) {
        Some(name) => {
            // The line break that editors and `echo` add belongs to no secret.
            let text = text.expose();
            let text = text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
            BTreeMap::from([(name.to_owned(), Clear::from(text))])
        }
        None => {
            // The parser's own message quotes the line: only the place is told.
            let table: BTreeMap<String, Text> = toml::from_str(text.expose()).map_err(|error| {
                let before =
                    error.span().and_then(|span| text.expose().get(..span.start)).unwrap_or_default();
                wrong(format!("line {} is no NAME = \"...\"", before.matches('\n').count() + 1))
            })?;
            table.into_iter().map(|(name, text)| (name, Clear::from(text.0))).collect()
        }
    };
    if let Some(name) =
        entered.keys().find(|name| !asked.fields.contains(name) && !asked.optional.contains(name))
    {
        return Err(wrong(format!("the credential has no field `{name}`")));
    }
    if let Some(name) = entered.iter().find(|(_, text)| text.expose().is_empty()).map(|(name, _)| name) {
        return Err(wrong(format!("the field `{name}` is empty")));
    }
    let missing = |name: &&String| field.is_none() && !entered.contains_key(*name);
    if let Some(name) = asked.fields.iter().find(missing) {
        return Err(wrong(format!("the field `{name}` is missing")));
    }
    Ok(entered)
}

fn takes(asked: &AskedCredential) -> String {
    let optional = match asked.optional.is_empty() {
        true => String::new(),
        false => format!(", and optionally {}", asked.optional.join(", ")),
    };
    format!("{} takes {}{optional}", asked.key, asked.fields.join(", "))
}

/// The last moment of a day, in UTC.
fn end_of(day: Date, key: &CredentialKey) -> Outcome<Timestamp> {
    let end = day.tomorrow().ok().and_then(|next| next.to_zoned_datetime(TimeZone::UTC).ok());
    end.map(|zoned| zoned.timestamp())
        .ok_or_else(|| Failure::usage(format!("the day on which {key} ends is beyond all dates")))
}

// === What is shown ===

fn row(listed: &Listed, asked: Option<&AskedCredential>) -> Vec<Cell> {
    let takes = match asked {
        Some(asked) => asked.fields.join(", "),
        None => listed.fields.join(", "),
    };
    vec![
        listed.key.plugin.as_str().into(),
        listed.key.credential.as_str().into(),
        asked.map_or(Cell::faint("not used"), |asked| asked.kind.into()),
        takes.into(),
        cell(&listed.state),
    ]
}

fn cell(state: &Result<CredentialState, String>) -> Cell {
    match state {
        Ok(state @ CredentialState::Valid { .. }) => Cell::good(state.to_string()),
        Ok(state @ (CredentialState::Refreshing { .. } | CredentialState::ExpiresSoon { .. })) => {
            Cell::careful(state.to_string())
        }
        Ok(state) => Cell::bad(state.to_string()),
        Err(error) => Cell::bad(error.as_str()),
    }
}

fn failed(error: KeeperError) -> Failure {
    let exit = match &error {
        KeeperError::Field | KeeperError::Missing(_) | KeeperError::NotDeclared(_) => Exit::Input,
        KeeperError::Conflict(_) => Exit::Failed,
        _ => Exit::Environment,
    };
    Failure::new(exit, error)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn asked(fields: &[&str], optional: &[&str]) -> AskedCredential {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        AskedCredential {
            key: CredentialKey {
                tenant: "acme".parse().unwrap(),
                plugin: "crm".parse().unwrap(),
                credential: "api".parse().unwrap(),
            },
            label: "Access".to_owned(),
            kind: "bearer",
            fields: owned(fields),
            optional: owned(optional),
        }
    }

    fn entered(
        fields_of: &[&str],
        optional: &[&str],
        field: Option<&str>,
        text: &str,
    ) -> Result<Vec<(String, String)>, Vec<String>> {
        match fields(&asked(fields_of, optional), field, Clear::from(text)) {
            Ok(all) => Ok(all.into_iter().map(|(name, text)| (name, text.expose().to_owned())).collect()),
            Err(failure) => Err(failure.words().0),
        }
    }

    // Invented secrets.
    #[rstest]
    #[case::one_field(&["token"], &[], None, "t0ken\n", &[("token", "t0ken")])]
    #[case::windows(&["token"], &[], None, "t0ken\r\n", &[("token", "t0ken")])]
    #[case::spaces_stay(&["token"], &[], None, " t \n\n", &[("token", " t \n")])]
    #[case::table(
        &["user", "password"], &[], None, "user = \"ana\"\npassword = \"p = 1\"\n",
        &[("password", "p = 1"), ("user", "ana")]
    )]
    #[case::one_of_several(&["user", "password"], &[], Some("password"), "p\n", &[("password", "p")])]
    #[case::optional(
        &["client_id", "private_key"], &["key_id"], None,
        "client_id = \"c\"\nkey_id = \"k\"\nprivate_key = \"\"\"\n-----BEGIN\nx\"\"\"",
        &[("client_id", "c"), ("key_id", "k"), ("private_key", "-----BEGIN\nx")]
    )]
    fn what_is_piped_in_is_read(
        #[case] fields: &[&str],
        #[case] optional: &[&str],
        #[case] field: Option<&str>,
        #[case] text: &str,
        #[case] expected: &[(&str, &str)],
    ) {
        let read = entered(fields, optional, field, text).unwrap();
        let read: Vec<(&str, &str)> =
            read.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(read, expected);
    }

    #[rstest]
    #[case::empty(&["token"], None, "\n", "the field `token` is empty")]
    #[case::no_table(&["user", "password"], None, "canary\n", "line 1 is no NAME = \"...\"")]
    #[case::number(&["user", "password"], None, "user = \"a\"\npassword = 71\n", "line 2 is no NAME = \"...\"")]
    #[case::missing(&["user", "password"], None, "user = \"canary\"", "the field `password` is missing")]
    #[case::unknown(&["user", "password"], None, "token = \"canary\"", "the credential has no field `token`")]
    #[case::unknown_field(&["user", "password"], Some("token"), "canary", "the credential has no field `token`")]
    fn what_is_wrong_is_told_without_the_secret(
        #[case] fields: &[&str],
        #[case] field: Option<&str>,
        #[case] text: &str,
        #[case] words: &str,
    ) {
        assert_eq!(entered(fields, &[], field, text).unwrap_err(), [words]);
    }
}
