//! The router, and running it until told to stop.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::listener::Bounded;
use crate::state::AppState;
use crate::{guard, openapi, panel};

/// How long requests in hand may take at the end.
const LAST_REQUESTS: Duration = Duration::from_secs(10);
/// How often the days of conversations that are over are looked for.
const SWEEP: Duration = Duration::from_secs(60);
/// Silent channels are looked for every so many sweeps.
const LISTEN: u32 = 5;
/// How long look-ups in hand may take at the end: their own deadline and a little.
const LAST_LOOK_UPS: Duration = Duration::from_secs(5);

/// Everything that the server answers.
pub fn router(state: AppState) -> Router {
    let (described, _) = openapi::described().split_for_parts();
    described
        .route("/", get(panel::get_index))
        .route("/panel/{file}", get(panel::get_file))
        .route("/favicon.svg", get(panel::get_file))
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// Serves until `shutdown` is ready, then in order: no new connections, live streams end, requests in hand finish,
/// look-ups in hand finish. What does not finish in time is in the store and taken up at the next start.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stopping = state.clone();
    let signal = async move {
        shutdown.await;
        tracing::info!("shutting down");
        stopping.begin_stop();
    };
    let mut stop = state.stop();
    let sweeper = tokio::spawn(sweep(state.clone()));
    let server = axum::serve(Bounded::new(listener), router(state.clone())).with_graceful_shutdown(signal);
    let out_of_time = async {
        // An error would mean that the sender is gone, which `state` prevents.
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(LAST_REQUESTS).await;
    };
    let served = tokio::select! {
        served = server.into_future() => served,
        () = out_of_time => {
            tracing::warn!("requests were still in hand when the time was up");
            Ok(())
        }
    };
    sweeper.abort();
    if !state.center().shutdown(LAST_LOOK_UPS).await {
        tracing::warn!("look-ups were still in hand when the time was up; the next start takes them up");
    }
    served
}

/// Closes what is over by the clock alone and looks for channels that went quiet, until it is aborted. A sweep that is cut off has stored whole changes only.
async fn sweep(state: AppState) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for sweep in (0..LISTEN).cycle() {
        ticks.tick().await;
        if let Err(error) = state.center().sweep().await {
            tracing::error!(error = %crate::events::chain(&error), "conversations could not be looked through");
        }
        if let Some(inventory) = state.channels().inventory().filter(|_| sweep == 0)
            && let Err(error) = inventory.listen(state.center(), state.metrics(), Timestamp::now()).await
        {
            tracing::error!(error = %crate::events::chain(&error), "silent channels could not be looked for");
        }
    }
}
