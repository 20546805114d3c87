//! How long a plugin's own words in what it returns may be, in characters. They are no customer's values and reach people
//! as they are, so each is as short as its use allows. For [`Invocation::plain`](crate::Invocation::plain), in the host
//! and in a plugin's own tests.

/// An identifier of a record.
pub const ID: usize = 100;
/// What kind of record it is.
pub const KIND: usize = 100;
/// The name of the account that a connection works as.
pub const ACCOUNT: usize = 100;
/// The label of a field.
pub const LABEL: usize = 60;
/// What a held record is, for its subject.
pub const WHAT: usize = 200;
/// Why something was kept at an erasure.
pub const REASON: usize = 300;
/// Any other word: a stage, an extension, a cursor.
pub const WORD: usize = 200;
