//! What kinds of personal facts there are, and how much of one a grant gives.
//!
//! The classes are one list in code: a name that is not on it is an error when a manifest or a grant is
//! loaded, so a typing mistake cannot become a rule that never matches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What kind of fact a value is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[repr(u8)]
        pub enum DataClass {
            $($(#[$doc])* $variant),+
        }

        impl DataClass {
            /// Every class, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in manifests, grants and seals.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

classes! {
    /// A person's name.
    ContactName = "contact.name",
    /// The company that a person belongs to, or the name of a company.
    ContactOrganization = "contact.organization",
    /// A telephone number or messaging id.
    ContactPhone = "contact.phone",
    /// An e-mail address.
    ContactEmail = "contact.email",
    /// CPF, CNPJ or any other number that a state gave.
    ContactDocument = "contact.document",
    /// Where somebody lives or receives.
    ContactAddress = "contact.address",
    /// A date of birth.
    ContactBirth = "contact.birth",
    /// What somebody wrote about the contact.
    ContactNote = "contact.note",
    /// When, how long, which direction, which agent.
    InteractionMeta = "interaction.meta",
    /// What was said or written: messages, transcripts, the agent's notes.
    InteractionText = "interaction.text",
    /// A link that opens a recording after login and permission.
    RecordingLink = "recording.link",
    /// The sound itself.
    RecordingAudio = "recording.audio",
    /// Titles and amounts of deals and tickets.
    WorkItem = "work.item",
    /// Names and addresses of the company's own people.
    Agent = "agent",
    /// LGPD art. 5 II: origin, belief, opinion, union, health, sexual life, genetic or biometric data. Never
    /// covered by another class's grant.
    Sensitive = "sensitive",
}

/// A name that is no data class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no data class{}", .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
pub struct UnknownClass {
    /// What was given.
    pub given: String,
    /// The class that looks most like it.
    pub near: Option<DataClass>,
}

impl FromStr for DataClass {
    type Err = UnknownClass;
    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text).ok_or_else(|| UnknownClass {
            given: text.chars().take(64).collect(),
            near: crate::source::nearest(text, Self::ALL.iter().map(|c| c.as_str()))
                .and_then(|near| near.parse().ok()),
        })
    }
}
impl fmt::Display for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl TryFrom<String> for DataClass {
    type Error = UnknownClass;
    fn try_from(text: String) -> Result<Self, UnknownClass> {
        text.parse()
    }
}
impl From<DataClass> for String {
    fn from(class: DataClass) -> Self {
        class.as_str().to_owned()
    }
}

/// A set of classes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ClassSet(u32);

impl ClassSet {
    /// No class.
    pub const EMPTY: Self = Self(0);
    /// Every class.
    pub fn all() -> Self {
        DataClass::ALL.iter().copied().collect()
    }
    /// Adds a class.
    pub fn insert(&mut self, class: DataClass) {
        self.0 |= 1 << (class as u8);
    }
    /// Whether the class is in the set.
    pub fn contains(self, class: DataClass) -> bool {
        self.0 & (1 << (class as u8)) != 0
    }
    /// Whether the set holds nothing.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// The classes, in the order of [`DataClass::ALL`].
    pub fn iter(self) -> impl Iterator<Item = DataClass> {
        DataClass::ALL.iter().copied().filter(move |c| self.contains(*c))
    }
}
impl FromIterator<DataClass> for ClassSet {
    fn from_iter<I: IntoIterator<Item = DataClass>>(classes: I) -> Self {
        let mut set = Self::EMPTY;
        for class in classes {
            set.insert(class);
        }
        set
    }
}
impl fmt::Display for ClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, class) in self.iter().enumerate() {
            write!(f, "{}{class}", if i == 0 { "" } else { "|" })?;
        }
        Ok(())
    }
}
impl fmt::Debug for ClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How much of a value somebody gets. The order is the order of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing, not even that there is one.
    #[default]
    None,
    /// That there is a value.
    Exists,
    /// A shape with most of it hidden, such as `+55 11 •••••-••21`.
    Masked,
    /// A seal: to pass on, not to read.
    Sealed,
    /// The value.
    Clear,
}

impl Level {
    /// The word in manifests and grants.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exists => "exists",
            Self::Masked => "masked",
            Self::Sealed => "sealed",
            Self::Clear => "clear",
        }
    }
}
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which way a value goes. What goes to the CRM follows from the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the panel to the plugin.
    ToPlugin,
    /// From the CRM's answer to the plugin.
    FromCrm,
}
impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToPlugin => "to-plugin",
            Self::FromCrm => "from-crm",
        })
    }
}

/// A level for each class and direction; what is not named is `none`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LevelTable {
    levels: [[Level; 2]; DataClass::ALL.len()],
}

impl LevelTable {
    /// The level of one class in one direction.
    pub fn get(&self, class: DataClass, direction: Direction) -> Level {
        self.levels
            .get(class as usize)
            .and_then(|both| both.get(direction as usize))
            .copied()
            .unwrap_or_default()
    }
    /// Sets one level.
    pub fn set(&mut self, class: DataClass, direction: Direction, level: Level) {
        if let Some(slot) =
            self.levels.get_mut(class as usize).and_then(|both| both.get_mut(direction as usize))
        {
            *slot = level;
        }
    }
    /// For each class and direction the smaller level of the two tables.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let mut met = Self::default();
        for &class in DataClass::ALL {
            for direction in [Direction::ToPlugin, Direction::FromCrm] {
                met.set(class, direction, self.get(class, direction).min(other.get(class, direction)));
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_name_parses_back() {
        for &class in DataClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(class));
        }
    }

    #[test]
    fn a_mistyped_class_is_an_error_that_names_the_near_one() {
        let error = "contact.phon".parse::<DataClass>().unwrap_err();
        assert_eq!(error.to_string(), "`contact.phon` is no data class; did you mean `contact.phone`?");
    }

    #[test]
    fn levels_are_ordered_by_power() {
        assert!(Level::None < Level::Exists && Level::Exists < Level::Masked);
        assert!(Level::Masked < Level::Sealed && Level::Sealed < Level::Clear);
    }

    #[test]
    fn the_meet_of_two_tables_never_exceeds_either() {
        let (mut a, mut b) = (LevelTable::default(), LevelTable::default());
        a.set(DataClass::ContactPhone, Direction::ToPlugin, Level::Clear);
        b.set(DataClass::ContactPhone, Direction::ToPlugin, Level::Sealed);
        b.set(DataClass::ContactName, Direction::FromCrm, Level::Clear);
        let met = a.meet(&b);
        assert_eq!(met.get(DataClass::ContactPhone, Direction::ToPlugin), Level::Sealed);
        assert_eq!(met.get(DataClass::ContactName, Direction::FromCrm), Level::None);
    }
}
