//! In which language a plugin writes into a CRM what people read there.

use serde::Deserialize;

/// A setting `language` of a plugin: `pt` or `en`.
///
/// ```
/// use ramal_sdk::language::Language;
///
/// assert_eq!(Language::default().say("Chamada recebida", "Call received"), "Chamada recebida");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Portuguese, as in Brazil.
    #[default]
    Pt,
    /// English.
    En,
}

impl Language {
    /// The words of the language.
    pub fn say(self, pt: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Pt => pt,
            Self::En => en,
        }
    }
}
