//! The records of the contract. They mirror `wit/`, with [`Text`](crate::Text) where a seal may stand,
//! [`Id`](crate::Id) for identifiers and defaults for what a CRM does not have.

mod contact;
mod event;
mod journal;
mod privacy;
mod work;

pub use contact::{Account, Contact, ContactDraft, Labelled, Matches, Page, Ref};
pub use event::{Dial, Fact, Hook, News, Occasion};
pub use journal::{Direction, Entry, Outcome};
pub use privacy::{Erasure, Held, Receipt};
pub use work::{Item, User, Users};
