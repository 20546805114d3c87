//! Serving on a socket of this machine.

use std::io;
use std::net::SocketAddr;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::PracticeCrm;

/// Why the practice CRM is not served, or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Other machines could reach the listener.
    #[error(
        "serve the practice CRM on {address}: other machines could reach it, and its pages ask for no login; \
         bind it to 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// What the listener is bound to.
        address: SocketAddr,
    },
    /// The socket failed.
    #[error("serve the practice CRM: the listening socket failed; start it again")]
    Io(#[source] io::Error),
}

/// Serves the API and the pages until `shutdown` completes, then lets the requests under way finish.
///
/// # Errors
/// [`ServeError::NotLoopback`] before anything is accepted, if the listener is not bound to loopback.
pub async fn serve(
    listener: TcpListener,
    crm: PracticeCrm,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Io)?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback { address });
    }
    tracing::info!(%address, "practice CRM is up");
    // Answers are small and whole; waiting to fill a packet would only add to the screen pop's time.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "set TCP_NODELAY on a connection");
        }
    });
    axum::serve(listener, crm.router()).with_graceful_shutdown(shutdown).await.map_err(ServeError::Io)
}
