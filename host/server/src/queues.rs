//! `GET /v1/queues`: who waits in the exchanges' queues, and who is there to answer.
//!
//! For supervisors and wallboards. A caller's number is not shown here: the call's own view has it, for whoever looks at
//! the call.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ramal_center::{Origin, TenantId};
use ramal_channels::asterisk::ami::{Member, QueueBoard, QueueView, Waiting};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::access::Access;
use crate::problem::Problem;
use crate::state::AppState;

/// The boards of the exchanges that are watched.
#[derive(Default)]
pub struct QueueBoards(Vec<(Origin, watch::Receiver<QueueBoard>)>);

impl QueueBoards {
    /// One more.
    pub fn add(&mut self, origin: Origin, board: watch::Receiver<QueueBoard>) {
        self.0.push((origin, board));
    }

    fn of(&self, tenant: &TenantId) -> Vec<ExchangeQueues> {
        let of_tenant = self.0.iter().filter(|(origin, _)| origin.tenant == *tenant);
        of_tenant.map(|(origin, board)| ExchangeQueues::of(origin, &board.borrow())).collect()
    }
}

/// The queues of all exchanges.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueuesView {
    /// By exchange.
    exchanges: Vec<ExchangeQueues>,
}

/// The queues of one exchange.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExchangeQueues {
    /// The channel's name in ramal.toml.
    channel: String,
    /// `up`, `down` (as it was last seen), or `refused` (the exchange does not let this host in).
    #[schema(example = "up")]
    link: &'static str,
    /// Since when the connection stands like this.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// By name.
    queues: Vec<OneQueue>,
}

/// One queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneQueue {
    /// Its name at the exchange.
    #[schema(example = "support")]
    name: String,
    /// Who waits, the first first.
    waiting: Vec<WaitingView>,
    /// Who answers.
    members: Vec<MemberView>,
}

/// One call that waits.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingView {
    /// The exchange's identifier of the call.
    call: String,
    /// 1 is the next.
    position: u32,
    /// Since when it waits in this queue.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// One member of a queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberView {
    /// The exchange's name for the agent.
    agent: String,
    /// What the device does: `free`, `ringing`, `talking`, `holding`, `busy`, `unavailable` or `unknown`.
    #[schema(example = "free")]
    state: &'static str,
    /// Whether the agent takes no calls for a while.
    paused: bool,
    /// Why.
    pause_reason: Option<String>,
    /// Whether the agent talks with a caller of this queue.
    in_call: bool,
    /// Calls of this queue that the agent took.
    calls_taken: u32,
    /// When the last of them was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_call: Option<Timestamp>,
    /// Since when the agent is logged in, where the exchange tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// The queues as they stand
///
/// Of the exchanges that this host watches: who waits, in the queue's order, and who is there. Callers' numbers are with
/// the calls.
#[utoipa::path(
    get, path = "/v1/queues", tag = "queues", security(("token" = []), ("session" = [])),
    responses(
        (status = 200, description = "As it is now", body = QueuesView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_queues(State(state): State<AppState>, Access(principal): Access) -> Json<QueuesView> {
    Json(QueuesView { exchanges: state.queues().of(&principal.tenant) })
}

impl ExchangeQueues {
    fn of(origin: &Origin, board: &QueueBoard) -> Self {
        Self {
            channel: origin.source.to_string(),
            link: board.link.as_str(),
            since: board.since,
            queues: board.queues.iter().map(|(name, queue)| OneQueue::of(name, queue)).collect(),
        }
    }
}

impl OneQueue {
    fn of(name: &str, queue: &QueueView) -> Self {
        let waiting = (1..).zip(&queue.waiting).map(|(position, waiting)| WaitingView::of(position, waiting));
        Self {
            name: name.to_owned(),
            waiting: waiting.collect(),
            members: queue.members.iter().map(MemberView::of).collect(),
        }
    }
}

impl WaitingView {
    fn of(position: u32, waiting: &Waiting) -> Self {
        Self { call: waiting.call.as_str().to_owned(), position, since: waiting.since }
    }
}

impl MemberView {
    fn of(member: &Member) -> Self {
        Self {
            agent: member.agent.expose().to_owned(),
            state: member.state.as_str(),
            paused: member.paused,
            pause_reason: member.pause_reason.as_ref().map(|reason| reason.expose().to_owned()),
            in_call: member.in_call,
            calls_taken: member.calls_taken,
            last_call: member.last_call,
            since: member.since,
        }
    }
}
