//! The domain: calls and conversations, their history, the screen pop, and what the CRMs are to be told.
//!
//! A call event takes one road, whoever sent it:
//!
//! ```text
//! CallEvent ──state──▶ events ──one transaction──▶ events + row + live event + deliveries
//!                                    │                        the number is painted
//!                                    └─▶ one look-up for each Directory, side by side, one deadline
//!                                            └─▶ card / card-none / card-failed, one live event each
//! ```
//!
//! Messages ([`Center::record_message`]) and the changes that people make ([`Center::set_disposition`] and its
//! neighbours) take the same road without the look-ups.
//!
//! * The live event is told before any plugin is asked: a slow CRM costs the card, never the number.
//! * Every look-up is a task of its own: one that hangs, fails or panics delays no other. One question at a time is
//!   one request to the CRM, and its answer is kept for a short while (`lookup`).
//! * A dialplan that asks whose customer calls ([`Center::route`]) is answered in time, whatever the CRMs do.
//! * A plugin that was asked and has not answered is a row in the store: after a crash [`Center::resume`] asks
//!   again while the call is fresh, and says so honestly when it is not. No page waits for ever.
//! * An event that comes twice, or after a later one, changes nothing and is no error; one that contradicts what
//!   is known is an error that names both states.
//! * What the CRMs and webhooks are to be told is decided by pure functions (`journal`, `webhook`) and stored with the
//!   events that it follows from: a crash between the two cannot be.
//!
//! * A call that its provider forgot is ended by a rule that the history names (`reaper`).
//! * What CRMs tell by themselves ([`Hearing`]) is stored before it is heard, and told once.
//!
//! What happened leaves for other systems as a vCon ([`Center::vcon`]), made of the history alone.
//!
//! The CRMs are behind [`Directory`] and [`CrmEvents`]; this crate knows neither wasm nor HTTP.
#![deny(missing_docs)]

mod backfill;
mod call;
mod center;
mod clock;
mod conversation;
mod directory;
mod error;
mod event;
mod hearing;
mod journal;
mod live;
mod lookup;
mod number;
mod observer;
mod outgoing;
mod pop;
mod reaper;
mod request;
mod route;
mod running;
mod state;
mod text;
mod vcon;
mod view;
mod webhook;

pub use backfill::Backfilled;
pub use center::{Center, CenterParts, CenterSettings, Directories, Journals, LookUpRules};
pub use clock::{Clock, SystemClock};
pub use directory::{Card, Deal, Directory, Found, LookUp, LookUpFailure};
pub use error::CenterError;
pub use event::{
    CallEvent, Caller, EventKind, Handled, MessageEvent, MessageStatusEvent, Origin, RecordingStep, Request,
};
pub use hearing::{
    ContactCopies, CrmEvents, CrmFact, CrmNews, CrmOccasion, Hearing, HearingBell, HearingParts, Setback,
};
pub use journal::{DoNotLog, JournalReach, JournalRules, Keeper};
pub use live::{LiveItem, LiveTail};
pub use lookup::{Agent, Ambiguity, Candidate, CrmPerson, Forget, Remember, Standing};
pub use observer::{Observer, Silent};
pub use outgoing::{Draft, Queued};
pub use ramal_capability::{DataClass, Direction, Level, Seen};
pub use ramal_numbers::{PhoneNumber, Region};
pub use ramal_store::{
    Actor, Attachment, CallId, Cause, Channel, Clear, ContactIdentity, ContactKind, CrmLink, EndCause,
    EventId, EventRecord, Filter, Interaction, InteractionDirection, InteractionEvent, InteractionId,
    InteractionState, LiveEvent, LiveId, Message, MessageId, MessageStatus, Namespace, Page, PageCursor,
    PluginId, Recording, RecordingId, Snapshot, SourceId, StoreError, TenantId, UserId,
};
pub use reaper::Reaping;
pub use route::{RouteDecision, RouteOwner, RouteReason, RouteView};
pub use vcon::{Vcon, VconIssuer};
pub use view::{
    CallView, CardView, CardsView, ConversationView, DealView, FailureReason, FailureView, FindingView,
    MessageView, NumberView, RecentView, SeenView, SnapshotView,
};
pub use webhook::{UnknownEvent, WebhookEvent, WebhookRules, Webhooks};
