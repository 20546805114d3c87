//! `ramal grant`: the file in which a person says what a plugin may do.
//!
//! The program drafts and checks; it never approves. A proposal without a name in `approved-by` is not in force
//! anywhere.

pub(crate) mod check;
pub(crate) mod propose;
