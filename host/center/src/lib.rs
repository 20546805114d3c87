//! The domain: calls, their states, and the screen pop.
//!
//! A call event takes one road, whoever sent it:
//!
//! ```text
//! CallEvent ──state──▶ Call ──one transaction──▶ event + call + live event    the number is painted
//!                                    │
//!                                    └─▶ one look-up for each Directory, side by side, one deadline
//!                                            └─▶ card / card-none / card-failed, one live event each
//! ```
//!
//! * The live event is told before any plugin is asked: a slow CRM costs the card, never the number.
//! * Every look-up is a task of its own: one that hangs, fails or panics delays no other.
//! * A plugin that was asked and has not answered is a row in the store: after a crash [`Center::resume`] asks
//!   again while the call is fresh, and says so honestly when it is not. No page waits for ever.
//! * An event that comes twice, or after a later one, changes nothing and is no error; one that contradicts what
//!   is known is an error that names both states.
//!
//! The CRMs are behind [`Directory`]; this crate knows neither wasm nor HTTP.
#![deny(missing_docs)]

mod center;
mod clock;
mod directory;
mod error;
mod event;
mod live;
mod number;
mod observer;
mod pop;
mod running;
mod state;
mod view;

pub use center::{Center, CenterParts, CenterSettings, Directories};
pub use clock::{Clock, SystemClock};
pub use directory::{Card, Deal, Directory, Found, LookUp, LookUpFailure};
pub use error::CenterError;
pub use event::{CallEvent, Caller, EventKind, Handled, Origin};
pub use live::{LiveItem, LiveTail};
pub use observer::{Observer, Silent};
pub use ramal_capability::{DataClass, Direction, Level, Seen};
pub use ramal_numbers::{PhoneNumber, Region};
pub use ramal_store::{
    CallId, CallState, Clear, EndCause, EventId, InteractionId, LiveEvent, LiveId, PluginId, SourceId,
    StoreError, TenantId,
};
pub use view::{
    CallView, CardView, CardsView, DealView, FailureReason, FailureView, FindingView, NumberView, RecentView,
    SeenView, SnapshotView,
};
