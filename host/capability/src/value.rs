//! A customer's value in the clear, as a type that nothing prints.

use std::fmt;

use zeroize::Zeroizing;

/// A value in the clear. It has no `Display` and no `Serialize`, its `Debug` shows nothing, and its memory is
/// wiped when it is dropped: who wants the text writes [`Clear::expose`], where a reader sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Clear(Zeroizing<String>);

impl Clear {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }
    /// The text. The caller answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Clear {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<String> for Clear {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
impl fmt::Debug for Clear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<personal>")
    }
}
