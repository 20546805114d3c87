//! When to stop serving: Ctrl-C in a terminal, SIGTERM from a service manager.

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Failure, Outcome};

/// Waits for the word to stop. The signals are caught when this returns, not when the future is first polled:
/// one that comes in between would end the process at once, with requests in hand.
pub(crate) fn asked_to() -> Outcome<impl Future<Output = ()> + Send + 'static> {
    let caught =
        |kind| signal(kind).map_err(|error| Failure::environment(error).context("listen for signals"));
    let (mut interrupt, mut terminate) = (caught(SignalKind::interrupt())?, caught(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
