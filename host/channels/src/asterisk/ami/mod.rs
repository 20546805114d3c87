//! The queues of an Asterisk exchange, watched over its manager interface (AMI), and never touched.
//!
//! A company that has its queues in the exchange keeps them there: this reader makes of what the exchange tells the
//! center's own events (a call waits, an agent took it, the caller gave up) and a board of who waits and who is there.
//! It can say five things to the exchange and no more (`Action`), all of them questions; so a host that is broken into
//! can listen to the queues, and neither dial nor hang up through this door.
//!
//! ```text
//! bytes ─▶ Decoder ─▶ Message ─▶ Event ─┬▶ Calls (pure) ─▶ CallEvents ─▶ center
//!                                       └▶ QueueBoard ───▶ GET /v1/queues
//! connected again ─▶ CoreShowChannels, QueueStatus ─▶ Census ─▶ both are set right
//! ```
//!
//! AMI repeats nothing: what happened while the connection was down is found out by asking what there is now, and calls
//! that are gone are ended.

mod action;
mod board;
mod calls;
mod census;
mod event;
mod link;
mod message;

pub use board::{Member, MemberState, QueueBoard, QueueLink, QueueView, Waiting};
pub use link::{BadLogin, Queues, QueuesParts, QueuesSettings};
pub use message::{BadStream, Decoder, Message};
