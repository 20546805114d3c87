//! The rights of the data subject (LGPD art. 18), carried to the CRM.

use crate::{Ref, Text};

/// How a subject is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Delete what can be deleted, make anonymous what must stay.
    Erase,
    /// Keep the records, remove who they are about.
    Anonymise,
}

/// One thing that the CRM holds on the subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Where it is held.
    pub record: Ref,
    /// What it is, in words for the subject.
    pub what: String,
    /// Its fields by name.
    pub fields: Vec<(String, Text)>,
}

/// What was done, record by record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Records that are gone.
    pub removed: Vec<Ref>,
    /// Records that stay and no longer say who they are about.
    pub anonymised: Vec<Ref>,
    /// Records that stay as they are, and the reason.
    pub kept: Vec<(Ref, String)>,
}
