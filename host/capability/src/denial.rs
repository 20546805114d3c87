//! A refusal that teaches: which rule, what was asked, what is granted, and the line that would allow it.
//!
//! A denial is a value, never a trap, and comes before any effect. It holds names of classes, routes and
//! places only; a customer's value has no way into it, because it is built from static words and from names
//! that the manifest and the grant declare.

use std::fmt;

use serde::Serialize;

use crate::limits::Limits;

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $code:literal),+ $(,)?) => {
        /// Which rule said no. The codes are stable: operators search for them, tests assert them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[serde(into = "&'static str")]
        pub enum Rule {
            $($(#[$doc])* $variant),+
        }
        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

rules! {
    /// The grant was revoked, or has expired.
    GrantEnded = "grant-ended",
    /// The purpose is not granted, or not asked for by the manifest.
    Purpose = "purpose",
    /// A value without which the call means nothing, of a class that the grant does not hand in.
    Class = "class",
    /// The call needs a live interaction and there is none.
    Interaction = "interaction",
    /// The call needs an acting user and there is none.
    User = "user",
    /// The export is not in the manifest's `provides`.
    NotProvided = "not-provided",
    /// No such route in the manifest.
    UnknownRoute = "unknown-route",
    /// The route exists and is not granted.
    Route = "route",
    /// The route does not serve the purpose of this call.
    RoutePurpose = "route-purpose",
    /// No such hook in the manifest.
    UnknownHook = "unknown-hook",
    /// The hook exists and is not granted.
    Hook = "hook",
    /// A parameter is missing, unknown or given twice.
    Params = "params",
    /// A body where the route has none, or none where it needs one, or one that is no JSON.
    Body = "body",
    /// A value at a place of the body that the route does not list.
    BodyPlace = "body-place",
    /// A seal at a place where its class may not stand.
    SealMisplaced = "seal-misplaced",
    /// A text that looks like a seal and is none of this invocation: made up, altered, or kept from earlier.
    SealUnknown = "seal-unknown",
    /// A value at a bounded place that does not fit its type, or a seal there.
    Bounded = "bounded",
    /// A value that cannot be written in its place, such as a line break in a header.
    Unencodable = "unencodable",
    /// A seal compared with clear text, or too many comparisons.
    Compare = "compare",
    /// More requests, bytes, or depth than the grant allows.
    Quota = "quota",
    /// Too many distinct data subjects.
    Subjects = "subjects",
    /// The destination's address is not public and the grant names no range that holds it.
    Address = "address",
    /// A seal or a text in a returned record that may not stand there.
    ResultPlace = "result-place",
    /// The plugin is suspended or quarantined.
    Suspended = "suspended",
    /// The ledger of disclosures cannot be written, so nothing may leave.
    Ledger = "ledger",
}

impl From<Rule> for &'static str {
    fn from(rule: Rule) -> Self {
        rule.code()
    }
}

/// What to change so that the same request is allowed next time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// `grant.toml` or `plugin.toml`.
    pub file: &'static str,
    /// The table that the line belongs to, such as `[classes]`.
    pub table: String,
    /// The line, whole. It takes the place of the one of that name, if there is one.
    pub line: String,
}

/// The line of a list that has one word more.
pub(crate) fn one_more<'w>(key: &str, have: impl Iterator<Item = &'w str>, more: &'w str) -> String {
    let words: Vec<String> = have.chain([more]).map(|word| format!("\"{word}\"")).collect();
    format!("{key} = [{}]", words.join(", "))
}

/// A refusal. Nothing has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Denial {
    /// Which rule.
    pub rule: Rule,
    /// What was asked, in names.
    pub asked: String,
    /// What is granted, in names.
    pub granted: String,
    /// What would allow it, if a line can.
    pub fix: Option<Fix>,
}

impl Denial {
    /// A refusal without a line that would lift it.
    pub fn new(rule: Rule, asked: impl Into<String>, granted: impl Into<String>) -> Self {
        Self { rule, asked: asked.into(), granted: granted.into(), fix: None }
    }
    /// Adds the line that would allow it.
    #[must_use]
    pub fn fix(mut self, file: &'static str, table: impl Into<String>, line: impl Into<String>) -> Self {
        self.fix = Some(Fix { file, table: table.into(), line: line.into() });
        self
    }
    /// Adds the line that raises a limit of the grant, if the ceiling has room for what is needed.
    #[must_use]
    pub fn raise(self, limit: &str, now: u64, needed: u64) -> Self {
        match Limits::raised(limit, now, needed) {
            Some(line) => self.fix("grant.toml", "[limits]", line),
            None => self,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied ({}): asked for {}; granted: {}", self.rule.code(), self.asked, self.granted)?;
        if let Some(fix) = &self.fix {
            write!(f, "; to allow it, add to {} under {}: {}", fix.file, fix.table, fix.line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
