//! `ramal run`: the host. With `--practice` it first writes a practice setup (an ordinary configuration, an
//! ordinary grant, made-up keys) and serves the practice CRM beside it; the road is the same.

mod setup;

use std::io::ErrorKind;
use std::path::Path;

use ramal_center::{PhoneNumber, Region};
use ramal_practice_crm::{ApiKey, BaseUrl, HookTarget, PracticeCrm};
use ramal_server::{ComposeError, Composed, ServerConfig, compose};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Page, Terminal};
use crate::stop;

/// Serves until it is told to stop.
pub(crate) async fn run(terminal: &Terminal, args: &RunArgs) -> Outcome {
    let stop = stop::asked_to()?;
    let (stopping, stopped) = watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        stopping.send_replace(true);
    });
    let mut page = Page::new();
    if !args.practice {
        let config = ServerConfig::load(&args.config).map_err(Failure::input)?;
        let (listener, composed) = open(&config, &args.config, Vec::new()).await?;
        page.title("ramal is up")
            .fields(&[("panel", origin(&config, &listener)?.into()), ("stop", "Ctrl-C".into())]);
        terminal.show(&page)?;
        return serve(composed, listener, stopped).await;
    }

    let crm = setup::crm(&args.folder, args.crm)?;
    let crm_listener = listen(crm, &args.folder.join("settings.toml")).await?;
    let crm = crm_listener.local_addr().map_err(Failure::environment)?;
    let setup = setup::prepare(&args.folder, &args.plugins, args.listen, crm)?;
    let config = ServerConfig::load(&setup.config).map_err(Failure::input)?;
    let base = BaseUrl::from(crm);
    let key = ApiKey::new(&setup.crm_key).map_err(Failure::input)?;
    let crm = PracticeCrm::new(key, base.clone());
    let numbers = crm.numbers().iter().filter_map(|n| PhoneNumber::parse(n, Region::BR).ok()).collect();
    let (listener, composed) = open(&config, &setup.config, numbers).await?;
    let address = origin(&config, &listener)?;
    page.title("ramal is up, with a practice CRM in which everybody is invented").fields(&[
        ("panel", format!("{address}/?token={}", setup.token).into()),
        ("practice CRM", format!("{base}/").into()),
        ("grant", setup.grant.display().to_string().into()),
        ("disclosures", config.data.join("disclosures.jsonl").display().to_string().into()),
        ("stop", "Ctrl-C".into()),
    ]);
    terminal.show(&page)?;
    let hook = format!("http://{}{}", listener.local_addr().map_err(Failure::environment)?, setup::HOOK);
    // One that listens beyond this machine is reached by another address: then nothing is told.
    let crm = match HookTarget::new(&hook, &setup.hook_secret) {
        Ok(target) => crm.telling(target),
        Err(error) => {
            tracing::warn!(%error, "the practice CRM tells nothing");
            crm
        }
    };
    let crm = tokio::spawn(ramal_practice_crm::serve(crm_listener, crm, until(stopped.clone())));
    serve(composed, listener, stopped).await?;
    crm.await.map_err(Failure::environment)?.map_err(Failure::environment)
}

async fn open(
    config: &ServerConfig,
    file: &Path,
    numbers: Vec<PhoneNumber>,
) -> Outcome<(TcpListener, Composed)> {
    let listener = listen(config.listen, file).await?;
    let composed = compose(config, None, numbers).await.map_err(failed)?;
    let resumed = composed.resume().await.map_err(Failure::environment)?;
    if resumed > 0 {
        tracing::info!(resumed, "took up the look-ups of calls that were ringing");
    }
    Ok((listener, composed))
}

async fn serve(composed: Composed, listener: TcpListener, stopped: watch::Receiver<bool>) -> Outcome {
    let served = ramal_server::serve(listener, composed.state.clone(), until(stopped)).await;
    let closed = composed.close().await;
    served.map_err(Failure::environment)?;
    closed.map_err(Failure::environment)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, and then there is nothing left to wait for.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn listen(address: impl Into<std::net::SocketAddr>, file: &Path) -> Outcome<TcpListener> {
    let address = address.into();
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrInUse => {
                format!("another program listens there: stop it, or change the port in {}", file.display())
            }
            ErrorKind::PermissionDenied => format!("choose a port above 1023 in {}", file.display()),
            _ => format!("choose an address of this machine in {}", file.display()),
        };
        Failure::environment(error).context(format!("cannot listen at {address}")).hint(hint)
    })
}

/// How a person on this machine reaches the panel.
fn origin(config: &ServerConfig, listener: &TcpListener) -> Outcome<String> {
    match &config.public_url {
        Some(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        None => Ok(format!("http://{}", listener.local_addr().map_err(Failure::environment)?)),
    }
}

fn failed(error: ComposeError) -> Failure {
    let exit = match &error {
        ComposeError::Io { .. }
        | ComposeError::Open { .. }
        | ComposeError::Store(_)
        | ComposeError::Ledger(_)
        | ComposeError::Roots(_)
        | ComposeError::KeyFile(_)
        | ComposeError::Runtime(_) => Exit::Environment,
        _ => Exit::Input,
    };
    Failure::new(exit, error)
}
