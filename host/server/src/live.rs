//! `GET /v1/live`: server-sent events (HTML standard, section 9.2), resumable by event id.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use ramal_center::{LiveId, LiveItem, LiveTail};
use tokio::sync::watch;

use crate::access::Access;
use crate::events::{chain, query_value};
use crate::metrics::Metrics;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// How often a quiet stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon a browser comes back after a broken stream.
const COME_BACK: Duration = Duration::from_secs(1);

/// The places for readers, so that they cannot use up the host.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// One reader's place.
struct Place {
    taken: Arc<AtomicUsize>,
    metrics: Metrics,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    fn take(&self, metrics: &Metrics) -> Result<Place, Problem> {
        let free =
            self.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| (n < self.most).then_some(n + 1));
        if free.is_err() {
            return Err(Problem::new(
                ProblemCode::TooManyReaders,
                format!("{} readers of live events are connected", self.most),
            )
            .hint("close pages that nobody looks at, then try again")
            .retry_after(10));
        }
        metrics.live_subscribers(1);
        Ok(Place { taken: self.taken.clone(), metrics: metrics.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::SeqCst);
        self.metrics.live_subscribers(-1);
    }
}

struct Reader {
    tail: LiveTail,
    stop: watch::Receiver<bool>,
    _place: Place,
}

/// Follow what happens
///
/// Each event has an `id`, a name (`call`, `card`, `card-none`, `card-failed`) and one JSON object as its data:
/// `CallView`, `CardsView`, `CardsView`, `FailureView`. `channel.silent` and `channel.heard` name a channel that is
/// silent for longer than it usually is at this time, and one that is heard again. A client that comes back sends the last id that it saw, in
/// `Last-Event-ID` (browsers do it by themselves) or in `after`, and gets everything since then, once and in order.
/// When that is no longer kept, one event `reset` comes first: load `/v1/calls` again.
#[utoipa::path(
    get, path = "/v1/live", tag = "live", security(("token" = []), ("session" = [])),
    params(
        ("Last-Event-ID" = Option<u64>, Header, description = "The last id that was seen; goes before `after`"),
        ("after" = Option<u64>, Query, description = "The last id that was seen; left out: from now on"),
    ),
    responses(
        (status = 200, description = "An endless stream", content_type = "text/event-stream", body = String),
        (status = 400, description = "The id is no number", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many readers, or shutting down", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_live(
    State(state): State<AppState>,
    Access(principal): Access,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let after = last_seen(&headers, query.as_deref())?;
    let stop = state.stop();
    if *stop.borrow() {
        return Err(Problem::new(ProblemCode::ShuttingDown, "the server is shutting down").retry_after(5));
    }
    let place = state.places().take(state.metrics())?;
    let tail = state.center().live(principal.tenant, after);
    // Something at once, so that the client and every proxy in between see the stream begin.
    let hello = stream::iter([Ok(Event::default().retry(COME_BACK).comment("ramal"))]);
    let events = stream::unfold(Reader { tail, stop, _place: place }, next);
    let stream = futures_util::StreamExt::chain(hello, events);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")))
}

async fn next(mut reader: Reader) -> Option<(Result<Event, Infallible>, Reader)> {
    let item = tokio::select! {
        item = reader.tail.next() => item,
        // The stream ends and the client comes back, to the server that starts again.
        _ = reader.stop.wait_for(|stop| *stop) => return None,
    };
    let event = match item {
        Ok(LiveItem::Event(event)) => {
            Event::default().id(event.id.to_string()).event(event.kind).data(event.body)
        }
        Ok(LiveItem::Reset { last }) => Event::default()
            .id(last.to_string())
            .event("reset")
            .data(format!(r#"{{"last_event_id":{last}}}"#)),
        Err(error) => {
            tracing::error!(error = %chain(&error), "live events could not be read; the stream ends");
            return None;
        }
    };
    Some((Ok(event), reader))
}

fn last_seen(headers: &HeaderMap, query: Option<&str>) -> Result<Option<LiveId>, Problem> {
    let given = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().unwrap_or("?").to_owned()),
        None => query_value(query, "after"),
    };
    given.filter(|text| !text.is_empty()).map(|text| text.parse().map(LiveId)).transpose().map_err(|_| {
        Problem::new(ProblemCode::BadQuery, "the last event id is no whole number")
            .hint("send the `id` of the last event that was seen, or none to begin now")
    })
}
