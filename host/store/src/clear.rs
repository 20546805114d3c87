//! Customers' values in what the database keeps. [`Clear`] has no `Serialize`, so that no log or answer takes one by
//! accident; who keeps one names this module at the field: `#[serde(with = "clear")]`.

use serde::{Deserialize, Deserializer, Serializer};

use crate::Clear;

pub(crate) fn serialize<S: Serializer>(value: &Clear, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(value.expose())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Clear, D::Error> {
    String::deserialize(from).map(Clear::new)
}

/// The same for a value that may be absent.
pub(crate) mod option {
    use super::{Clear, Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Option<Clear>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.serialize_some(value.expose()),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Clear>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Clear::new))
    }
}
