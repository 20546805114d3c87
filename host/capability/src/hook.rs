//! What comes to a hook: cut down to what the hook lists, once before it is stored and once for the guest.
//!
//! The host stores what it was told before it says so, and what is stored can be read by whoever has the database.
//! So a body loses everything that the manifest does not list, and every class that the grant does not give, before
//! it is written down; sealing comes later, in the call that hears it.

use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::bounded::Bounded;
use crate::class::{DataClass, Direction, Level, LevelTable};
use crate::echo::EchoGuard;
use crate::exchange::EgressFailure;
use crate::invocation::SeenTable;
use crate::manifest::HookDecl;
use crate::pointer::Tree;
use crate::projection::{Projector, deeper_than};
use crate::seal::Vault;
use crate::spec::Receive;
use crate::value::Clear;

/// A hook that is granted, compiled.
#[derive(Debug)]
pub struct Hook {
    decl: Arc<HookDecl>,
    receive: Tree<Receive>,
    most_bytes: u64,
    depth: u64,
    kept: LevelTable,
}

/// What a hook takes of a request. The body holds customers' data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The listed headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// JSON of the listed fields.
    pub body: Clear,
}

/// Why nothing can be taken from a body. Holds none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HookFault {
    /// More bytes than the hook takes.
    #[error("the body has more than the {most} bytes that the hook takes")]
    TooLarge {
        /// The limit.
        most: u64,
    },
    /// Deeper than the grant allows.
    #[error("the body nests deeper than {most} levels")]
    TooDeep {
        /// The limit.
        most: u64,
    },
    /// Not UTF-8, as JSON is (RFC 8259, section 8.1).
    #[error("the body is no UTF-8 from byte {at} on")]
    NotUtf8 {
        /// The first byte that is none, from 0.
        at: usize,
    },
    /// Not JSON.
    #[error("the body is no JSON (line {line}, column {column})")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

impl Hook {
    pub(crate) fn compile(decl: &HookDecl, levels: &LevelTable, answer_bytes: u64, depth: u64) -> Self {
        // Places that come twice are an error of the manifest, found with its line when it is read.
        let mut receive = Tree::default();
        for (pattern, what) in &decl.receive {
            let _ = receive.insert(pattern, what.clone());
        }
        receive.mark(|what| matches!(what, Receive::Switch { .. }));
        let mut kept = LevelTable::default();
        for &class in DataClass::ALL {
            if levels.get(class, Direction::FromCrm) > Level::None {
                kept.set(class, Direction::FromCrm, Level::Clear);
            }
        }
        Self {
            most_bytes: decl.max_bytes.min(answer_bytes),
            decl: Arc::new(decl.clone()),
            receive,
            depth,
            kept,
        }
    }

    /// As the manifest declares it.
    pub fn decl(&self) -> &HookDecl {
        &self.decl
    }
    /// The longest body that it takes, in bytes.
    pub fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// What may be stored of a request whose sender is proved. `headers` with their names in lower case.
    ///
    /// # Errors
    /// When the body is too large, too deep, or no JSON.
    pub fn listed<'h>(
        &self,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
        body: &[u8],
    ) -> Result<Listed, HookFault> {
        if body.len() as u64 > self.most_bytes {
            return Err(HookFault::TooLarge { most: self.most_bytes });
        }
        if deeper_than(body, self.depth) {
            return Err(HookFault::TooDeep { most: self.depth });
        }
        if !self.receive.is_empty() {
            let text = std::str::from_utf8(body);
            let text = text.map_err(|error| HookFault::NotUtf8 { at: error.valid_up_to() })?;
            serde_json::from_str::<IgnoredAny>(text)
                .map_err(|error| HookFault::NotJson { line: error.line(), column: error.column() })?;
        }
        // Nothing is sealed here, so the vault gives no seal and needs no secret.
        let (mut vault, guard, mut seen) =
            (Vault::new([0; 32], 0), EchoGuard::default(), SeenTable::default());
        let projector = Projector::new(&mut vault, &self.kept, &guard, &mut seen);
        let body = self.project(projector, body)?;
        Ok(Listed { headers: self.headers(headers), body: Clear::from(body) })
    }

    pub(crate) fn project(&self, with: Projector<'_>, body: &[u8]) -> Result<String, HookFault> {
        with.project(&self.receive, body, self.depth).map_err(|failure| match failure {
            EgressFailure::TooLarge => HookFault::TooDeep { most: self.depth },
            _ => HookFault::NotJson { line: 1, column: 1 },
        })
    }

    /// The listed headers that fit their type. One that comes twice is left out: programs differ in which they
    /// believe.
    pub(crate) fn headers<'h>(
        &self,
        given: impl IntoIterator<Item = (&'h str, &'h str)>,
    ) -> Vec<(String, String)> {
        let given: Vec<(&str, &str)> = given.into_iter().collect();
        let mut out = Vec::new();
        for (name, bounded) in &self.decl.headers {
            let mut values = given.iter().filter(|(given, _)| given == name).map(|(_, value)| *value);
            if let (Some(value), None) = (values.next(), values.next())
                && fits(bounded, value)
            {
                out.push((name.clone(), value.to_owned()));
            }
        }
        out
    }
}

/// Headers are text, so numbers and truth values are read from text too.
fn fits(bounded: &Bounded, value: &str) -> bool {
    match bounded {
        Bounded::Int { .. } => value.parse::<i64>().is_ok_and(|number| bounded.fits_int(number)),
        Bounded::Bool => matches!(value, "true" | "false"),
        Bounded::Empty => value.is_empty(),
        _ => bounded.fits_text(value),
    }
}

#[cfg(test)]
mod tests;
