//! The CRMs' secrets: kept sealed, renewed ahead of time, given to the way out and to nobody else.
//!
//! ```text
//! Keeper     what the host asks: secret, refused, set, remove, state, tend, begin_consent, finish_consent
//!   record   one credential as it is sealed: what the admin entered, tokens, what went wrong
//!   vault    a record as bytes that only a holder of the wrapping key can read (wrap, keyfile)
//!   request  what goes to a token endpoint; assertion: what the client signs; answer: what came back
//! ```
//!
//! Three failures shaped it. A server that rotates refresh tokens takes the second use of one for theft, so two
//! callers, or two nodes, must never renew at once: one flight in a process, one lease among nodes. A rotated token
//! that was used before it was kept is lost with the process, so **a new pair is stored before anybody gets it**,
//! and that a request was sent is stored before it is sent: a crash in between leaves a record that says so. And a
//! consent that was taken back is no fault that a retry could mend: the credential waits for a person, with the
//! deliveries that need it, and says so before a token's last day where that day is known.
#![deny(missing_docs)]

mod answer;
mod assertion;
mod clock;
mod consent;
mod endpoint;
mod error;
mod keeper;
mod keyfile;
mod observer;
mod record;
mod request;
mod state;
mod vault;
mod wrap;

pub use clock::{Clock, SystemClock};
pub use consent::{Callback, ConsentError, ConsentStart};
pub use endpoint::TokenEndpoint;
pub use error::{KeeperError, Trouble};
pub use keeper::{Entered, Keeper, KeeperParts, KeeperSettings, Listed};
pub use keyfile::{KeyFileError, LocalKeyFile};
pub use observer::{Alert, CredentialObserver, LogAlerts};
pub use ramal_store::CredentialKey;
pub use state::{CredentialState, Expiring, Reason};
pub use vault::VaultError;
pub use wrap::{DataKey, KeyWrapper, WrapError, Wrapped};
