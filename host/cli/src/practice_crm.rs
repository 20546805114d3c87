//! `ramal practice-crm`: the small CRM with invented customers, on this machine.

use std::io::ErrorKind;

use ramal_practice_crm::{ApiKey, BaseUrl, HookTarget, PracticeCrm, serve};
use tokio::net::TcpListener;

use crate::args::PracticeCrmArgs;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::output::{Page, Terminal};
use crate::stop;

/// The key when none is given. No secret: it opens invented data on this machine.
pub(crate) const KEY: &str = "made-up-practice-key";

/// The most that a file with a key may have, in bytes.
const MOST_KEY: usize = 4096;

/// Serves until it is told to stop.
pub(crate) async fn run(terminal: &Terminal, args: &PracticeCrmArgs) -> Outcome {
    let key = match &args.key_file {
        Some(path) => {
            let bytes = files::read("key file", path, MOST_KEY)?;
            let text = String::from_utf8_lossy(&bytes);
            ApiKey::new(text.trim_end()).map_err(|error| Failure::input(error).context(files::name(path)))?
        }
        None => ApiKey::new(&args.key).map_err(|error| Failure::usage(error.to_string()))?,
    };
    let hook = match (&args.hook, &args.hook_secret_file) {
        (Some(address), Some(path)) => {
            let secret = files::read("hook secret file", path, MOST_KEY)?;
            let secret = String::from_utf8_lossy(&secret);
            Some(
                HookTarget::new(address, secret.trim_end())
                    .map_err(|error| Failure::usage(error.to_string()))?,
            )
        }
        _ => None,
    };
    if !args.listen.ip().is_loopback() {
        // The library refuses it too; here it is a word on the command line.
        return Err(Failure::usage(format!("{} can be reached from other machines", args.listen))
            .hint("the practice CRM asks for no login; give --listen 127.0.0.1:7788 or [::1]:7788"));
    }
    let stop = stop::asked_to()?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrInUse => {
                "another program listens there; stop it, or choose another port with --listen"
            }
            ErrorKind::PermissionDenied => "choose a port above 1023 with --listen",
            _ => "choose an address of this machine with --listen, such as 127.0.0.1:7788",
        };
        Failure::environment(error).context(format!("cannot listen at {}", args.listen)).hint(hint)
    })?;
    let address = listener.local_addr().map_err(Failure::environment)?;
    let base = BaseUrl::from(address);
    let mut page = Page::new();
    let key_shown = match &args.key_file {
        Some(path) => format!("as in {}", files::name(path)),
        None if args.key == KEY => KEY.to_owned(),
        None => "as given".to_owned(),
    };
    page.title("the practice CRM is up; everybody in it is invented").fields(&[
        ("pages", format!("{base}/").into()),
        ("API", format!("{base}/api/v1").into()),
        ("key", key_shown.into()),
        ("stop", "Ctrl-C".into()),
    ]);
    terminal.show(&page)?;
    let mut crm = PracticeCrm::new(key, base);
    if let Some(target) = hook {
        crm = crm.telling(target);
    }
    serve(listener, crm, stop).await.map_err(Failure::environment)
}
