//! Telephony in: what exchanges and providers say becomes the center's own words.
//!
//! One module for each provider. Those that post to us are a [`Webhook`]: prove the sender over the raw bytes, then
//! read, purely; [`take`] hands what was read to the center, which stores it before anything is answered. Those that
//! we connect to run as tasks of their own and end in the same [`Heard`].
//!
//! ```text
//! provider ──bytes──▶ Webhook::prove ──▶ Webhook::read ──▶ [Heard] ──▶ take ──▶ center
//! exchange ──socket─▶ tracker ───────────────────────────▶ [Heard] ──▶ take ──▶ center
//! ```
//!
//! * The adapters hold their own tokens; plugins never see a provider.
//! * What a provider says twice, late or out of order is harmless: the center decides by the provider's own
//!   identifiers. What cannot be placed is counted with a reason ([`Setback`]), never an error that the provider would
//!   repeat for days.
//! * A number, a name or a text never stands in an error, a log or a metric.
#![deny(missing_docs)]

pub mod asterisk;
mod board;
mod control;
mod files;
mod gammu;
mod heard;
mod mapped;
mod party;
mod recordings;
mod send;
mod silence;
mod text;
mod twilio;
mod webhook;
pub mod whatsapp;
mod window;

pub use asterisk::{Asterisk, AsteriskControl, AsteriskParts, AsteriskSettings, LinePlan, LinkState, Pace};
pub use board::{ChannelBoard, Link, Standing};
pub use control::{CallControl, ControlError, Dial, Order, RecordOrder, Transfer, TransferTo};
pub use files::{FileFetcher, FileFolder};
pub use gammu::{Gammu, GammuError, GammuFolders, GammuSender};
pub use heard::{ChannelTally, Heard, Setback, Taken, take};
pub use mapped::{Mapped, Mapping};
pub use recordings::{FolderStore, Kept, RecordingStore, Sound};
pub use send::{
    MediaKind, MediaPlace, MessageSender, OUR_REFERENCE, Outgoing, OutgoingContent, OutgoingMedia,
    OutgoingTemplate, SendError,
};
pub use silence::{LOOK_BACK, Rhythm, Silence, silence};
pub use twilio::{SharedKey, TWILIO_API, Twilio, TwilioKeys, TwilioSender};
pub use webhook::{Incoming, PassedOver, Reading, Refusal, Reply, Webhook};
pub use whatsapp::{
    GRAPH_API, GRAPH_FILES, GRAPH_VERSION, MediaError, MediaFile, WhatsApp, WhatsAppKeys, WhatsAppMedia,
    WhatsAppNumber, WhatsAppSender,
};
pub use window::{Window, window};
