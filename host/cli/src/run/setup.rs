//! The practice setup: the files of an ordinary host, written once, in plain sight, for a person to read and
//! change. What is there already stays as it is. Keys are random and open invented data only.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ramal_server::Secret;

use crate::failure::{Failure, Outcome};

/// The hook of the practice setup, on this host.
pub(super) const HOOK: &str = "/v1/hooks/practice/changes/practice";

/// Where the panel listens unless somebody says otherwise.
const PANEL: &str = "127.0.0.1:7700";
/// The same for the practice CRM. The plugin's grant and settings name this address.
const CRM: &str = "127.0.0.1:7788";

const GRANT: &str = include_str!("../../../../plugins/practice/grant.toml");
const SETTINGS: &str =
    "# What the plugin `practice` needs to know. It sees these.\nserver = \"http://127.0.0.1:7788\"\n";

/// The practice setup on disk.
pub(super) struct Setup {
    pub(super) config: PathBuf,
    pub(super) grant: PathBuf,
    pub(super) token: String,
    pub(super) crm_key: String,
    pub(super) hook_secret: String,
}

/// Where the practice CRM is to listen: where the settings of an earlier start say that it is, else at `wanted`.
pub(super) fn crm(folder: &Path, wanted: Option<SocketAddr>) -> Outcome<SocketAddr> {
    let settings = folder.join("settings.toml");
    let text = match std::fs::read_to_string(&settings) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return wanted.map_or_else(|| CRM.parse().map_err(Failure::input), Ok);
        }
        Err(error) => {
            return Err(Failure::environment(error).context(format!("cannot read {}", settings.display())));
        }
    };
    let server = text.parse::<toml::Table>().ok().and_then(|table| {
        let server = table.get("server")?.as_str()?.strip_prefix("http://")?;
        server.trim_end_matches('/').parse().ok()
    });
    server.ok_or_else(|| {
        Failure::input(anyhow::Error::msg("its `server` is no address of this machine"))
            .context(format!("cannot tell from {} where the practice CRM listens", settings.display()))
            .hint(format!("write server = \"http://{CRM}\", or remove the folder and start again"))
    })
}

/// Writes what is missing. `plugins` is the folder with `practice.wasm`; the CRM listens at `crm`.
pub(super) fn prepare(
    folder: &Path,
    plugins: &Path,
    panel: Option<SocketAddr>,
    crm: SocketAddr,
) -> Outcome<Setup> {
    let component = plugins.join("practice.wasm");
    let component = component.canonicalize().map_err(|error| {
        Failure::input(error)
            .context(format!("the practice plugin is not at {}", component.display()))
            .hint("`make run` builds it; by hand: ramal build plugins/practice")
    })?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Failure::environment(error).context(format!("cannot make {}", folder.display())))?;
    let token = secret(&folder.join("panel-token"))?;
    let crm_key = secret(&folder.join("practice-crm-key"))?;
    let hook_secret = secret(&folder.join("practice-hook-secret"))?;
    secret(&folder.join("event-secret"))?;
    let credentials = format!(
        "# The practice CRM's key: tenant, plugin, credential. The plugin never sees it.\n\
         [practice.practice.key]\ntoken = \"{crm_key}\"\n\n\
         # By what the host knows the practice CRM when it sends to the plugin's hook.\n\
         [practice.practice.hook]\nsecret = \"{hook_secret}\"\n"
    );
    write_new(&folder.join("credentials.toml"), &credentials, 0o600)?;
    let there = |text: &str| text.replace(CRM, &crm.to_string());
    write_new(&folder.join("settings.toml"), &there(SETTINGS), 0o644)?;
    let grant = folder.join("grant.toml");
    write_new(&grant, &there(GRANT), 0o644)?;
    let config = folder.join("ramal.toml");
    let panel = panel.map_or_else(|| PANEL.to_owned(), |panel| panel.to_string());
    write_new(&config, &configuration(&component, &panel), 0o644)?;
    Ok(Setup { config, grant, token, crm_key, hook_secret })
}

fn configuration(component: &Path, panel: &str) -> String {
    // A TOML literal: no character of a path means anything in it, but the quote itself.
    let component = component.display().to_string().replace('\'', "");
    format!(
        "# A practice host. Everything in it is ordinary, but for `practice`, which lets the page simulate calls.\n\
         listen = \"{panel}\"\n\
         data = \"data\"\n\
         practice = true\n\n\
         [[tenant]]\n\
         id = \"practice\"\n\
         region = \"BR\"\n\n\
         [[tenant.token]]\n\
         id = \"panel\"\n\
         token-file = \"panel-token\"\n\n\
         # Call events from elsewhere: POST /v1/events/calls?source=demo-pbx, signed with this secret.\n\
         [[tenant.source]]\n\
         id = \"demo-pbx\"\n\
         secret-file = \"event-secret\"\n\n\
         [[tenant.plugin]]\n\
         file = '{component}'\n\
         grant = \"grant.toml\"\n\
         settings = \"settings.toml\"\n\
         credentials = \"credentials.toml\"\n"
    )
}

/// The secret in a file, made at the first time.
fn secret(path: &Path) -> Outcome<String> {
    let fresh = Secret::random()
        .ok_or_else(|| Failure::environment(anyhow::Error::msg("the system gave no random bytes")))?;
    write_new(path, &format!("{}\n", fresh.expose()), 0o600)?;
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::environment(error).context(format!("cannot read {}", path.display())))?;
    Ok(text.trim_end().to_owned())
}

/// Writes a file unless it is there.
fn write_new(path: &Path, text: &str, mode: u32) -> Outcome {
    let failed = |error: std::io::Error| {
        Failure::environment(error).context(format!("cannot write {}", path.display()))
    };
    match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(failed),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}
