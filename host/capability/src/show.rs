//! What a plugin returned, opened for a person: each seal at a place that its class may stand at.

use std::fmt;

use crate::class::{ClassSet, DataClass};
use crate::denial::{Denial, Rule};
use crate::seal::{Part, Vault};
use crate::value::Clear;

/// A field of a returned record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `contact.name`
    ContactName,
    /// `contact.organization`
    ContactOrganization,
    /// `contact.phones`
    ContactPhone,
    /// `contact.emails`
    ContactEmail,
    /// `contact.owner`, `item.owner`
    Owner,
    /// `contact.extra`
    ContactExtra,
    /// `item.title`
    ItemTitle,
    /// `item.amount`
    ItemAmount,
    /// `user.name`
    UserName,
    /// `user.email`
    UserEmail,
    /// `dial.agent`
    DialAgent,
    /// `dial.number`
    DialNumber,
    /// `held.fields`: what a CRM holds on a subject, for the subject.
    HeldField,
}

impl Place {
    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContactName => "contact.name",
            Self::ContactOrganization => "contact.organization",
            Self::ContactPhone => "contact.phones",
            Self::ContactEmail => "contact.emails",
            Self::Owner => "owner",
            Self::ContactExtra => "contact.extra",
            Self::ItemTitle => "item.title",
            Self::ItemAmount => "item.amount",
            Self::UserName => "user.name",
            Self::UserEmail => "user.email",
            Self::DialAgent => "dial.agent",
            Self::DialNumber => "dial.number",
            Self::HeldField => "held.fields",
        }
    }

    /// The classes whose seals may stand there.
    pub fn classes(self) -> ClassSet {
        use DataClass as C;
        match self {
            Self::ContactName | Self::ContactOrganization => {
                [C::ContactName, C::ContactOrganization].into_iter().collect()
            }
            Self::ContactPhone | Self::DialNumber => [C::ContactPhone].into_iter().collect(),
            Self::ContactEmail => [C::ContactEmail].into_iter().collect(),
            Self::Owner | Self::UserName | Self::UserEmail | Self::DialAgent => {
                [C::Agent].into_iter().collect()
            }
            Self::ItemTitle | Self::ItemAmount => [C::WorkItem].into_iter().collect(),
            Self::ContactExtra => DataClass::ALL
                .iter()
                .copied()
                .filter(|c| !matches!(c, C::RecordingAudio | C::RecordingLink | C::Sensitive))
                .collect(),
            Self::HeldField => ClassSet::all(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A returned text in the clear, for the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The text.
    pub value: Clear,
    /// The classes of the seals that were in it.
    pub classes: ClassSet,
}

pub(crate) fn show(vault: &Vault, place: Place, text: &str) -> Result<Shown, Denial> {
    let allowed = place.classes();
    if let Some(held) = vault.exactly(text).filter(|held| allowed.contains(held.class)) {
        return Ok(Shown { value: held.value.clone(), classes: [held.class].into_iter().collect() });
    }
    let (mut value, mut classes, mut wrong) = (String::with_capacity(text.len()), ClassSet::EMPTY, None);
    vault
        .parts(text, |part| match part {
            Part::Words(words) => value.push_str(words),
            Part::Seal(held) => {
                if !allowed.contains(held.class) {
                    wrong = Some(held.class);
                }
                classes.insert(held.class);
                value.push_str(held.value.expose());
            }
        })
        .map_err(|_| {
            Denial::new(
                Rule::SealUnknown,
                format!("a seal in the returned {place} that is none of this call"),
                "seals open only in the call that made them",
            )
        })?;
    let value = Clear::from(value);
    match wrong {
        None => Ok(Shown { value, classes }),
        Some(class) => Err(Denial::new(
            Rule::ResultPlace,
            format!("a seal of {class} in the returned {place}"),
            format!("{allowed} may stand there"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_shown_only_where_its_class_may_stand() {
        let mut vault = Vault::new([1; 32], 10);
        let phone = vault.seal(DataClass::ContactPhone, "+5511900000021".into()).unwrap();
        let shown = show(&vault, Place::ContactPhone, &phone).unwrap();
        assert_eq!(shown.value.expose(), "+5511900000021");
        let denial = show(&vault, Place::ContactName, &format!("x {phone}")).unwrap_err();
        assert_eq!(denial.rule, Rule::ResultPlace);
        assert_eq!(
            denial.to_string(),
            "denied (result-place): asked for a seal of contact.phone in the returned contact.name; granted: \
             contact.name|contact.organization may stand there"
        );
    }

    #[test]
    fn the_plugins_own_words_are_shown_as_they_are() {
        let vault = Vault::new([1; 32], 10);
        let shown = show(&vault, Place::ContactName, "Unknown caller").unwrap();
        assert_eq!(shown.value.expose(), "Unknown caller");
        assert!(shown.classes.is_empty());
    }
}
