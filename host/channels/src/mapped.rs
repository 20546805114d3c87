//! Any provider: a file says where in its requests things stand, and how it proves itself.
//!
//! There are more small providers than anybody will write adapters for, and what they send is the same few facts in
//! other places and words. So the file is data that is checked when the host starts ([`Mapping`]), with every mistake at
//! its line, and reading is a pure function of it: what a payload becomes can be looked at with `ramal channel try`
//! before anything is connected.

mod at;
mod body;
mod file;
mod place;
mod proof;
mod rule;

use ramal_center::{Clear, Region};

use crate::{Incoming, Reading, Refusal, Webhook};

pub use file::Mapping;

/// A record of one call has some kilobytes; one with its transcript may have many.
const MOST_BYTES: usize = 1024 * 1024;

/// A provider that a mapping file describes.
#[derive(Debug)]
pub struct Mapped {
    mapping: Mapping,
    secrets: Vec<Clear>,
    region: Region,
}

impl Mapped {
    /// The adapter. `secrets` are the present one and the one before, while the provider changes over; numbers without
    /// a country are of this region, if the file names none.
    pub fn new(mapping: Mapping, secrets: Vec<Clear>, region: Region) -> Self {
        Self { mapping, secrets, region }
    }
}

impl Webhook for Mapped {
    fn most_bytes(&self) -> usize {
        MOST_BYTES
    }

    fn prove(&self, incoming: &Incoming<'_>) -> Result<(), Refusal> {
        self.mapping.proof.check(incoming, &self.secrets)
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Reading, Refusal> {
        let kind = incoming.header("content-type").unwrap_or_default();
        self.mapping.read(kind, incoming.body, self.region, incoming.now)
    }
}

#[cfg(test)]
mod tests;
