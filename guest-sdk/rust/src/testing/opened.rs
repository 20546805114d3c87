//! What a plugin returned, checked and opened as the host does it.

use ramal_capability::{Denial, Invocation, Place, longest};

use crate::{
    Account, Contact, Dial, Fact, Held, Id, Item, Labelled, Matches, News, Receipt, Ref, Text, User, Users,
};

/// A record that a plugin returns.
pub trait Returned: sealed::Open {}

mod sealed {
    use super::{Denial, Invocation};

    pub trait Open: Sized {
        #[doc(hidden)]
        fn open(self, with: &Invocation) -> Result<Self, Denial>;
    }
}

use sealed::Open;

pub(super) fn open<T: Returned>(value: T, with: &Invocation) -> Result<T, Denial> {
    value.open(with)
}

fn text(with: &Invocation, place: Place, text: Text) -> Result<Text, Denial> {
    Ok(Text(with.show(place, text.as_str())?.value.expose().to_owned()))
}
fn some(with: &Invocation, place: Place, maybe: Option<Text>) -> Result<Option<Text>, Denial> {
    maybe.map(|t| text(with, place, t)).transpose()
}
fn texts(with: &Invocation, place: Place, all: Vec<Text>) -> Result<Vec<Text>, Denial> {
    all.into_iter().map(|t| text(with, place, t)).collect()
}
fn plain(with: &Invocation, what: &'static str, given: String, most: usize) -> Result<String, Denial> {
    with.plain(what, &given, most)?;
    Ok(given)
}
fn plain_some(
    with: &Invocation,
    what: &'static str,
    given: Option<String>,
) -> Result<Option<String>, Denial> {
    given.map(|g| plain(with, what, g, longest::WORD)).transpose()
}
fn id(with: &Invocation, id: Id) -> Result<Id, Denial> {
    with.plain("id", id.as_str(), longest::ID)?;
    Ok(id)
}
fn link(with: &Invocation, url: Option<String>) -> Result<Option<String>, Denial> {
    if let Some(url) = &url {
        with.link(url)?;
    }
    Ok(url)
}

impl Open for Account {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(Self {
            name: plain(with, "account name", self.name, longest::ACCOUNT)?,
            id: self
                .id
                .map(|i| plain(with, "account id", i.to_string(), longest::WORD).map(Id::from))
                .transpose()?,
        })
    }
}
impl Open for Ref {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(Self {
            kind: plain(with, "kind", self.kind, longest::KIND)?,
            id: id(with, self.id)?,
            url: link(with, self.url)?,
        })
    }
}
impl Open for Contact {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        let extra = self.extra.into_iter().map(|Labelled { label, value }| {
            Ok(Labelled {
                label: plain(with, "label", label, longest::LABEL)?,
                value: text(with, Place::ContactExtra, value)?,
            })
        });
        Ok(Self {
            id: id(with, self.id)?,
            name: text(with, Place::ContactName, self.name)?,
            organization: some(with, Place::ContactOrganization, self.organization)?,
            phones: texts(with, Place::ContactPhone, self.phones)?,
            emails: texts(with, Place::ContactEmail, self.emails)?,
            owner: some(with, Place::Owner, self.owner)?,
            url: link(with, self.url)?,
            updated: self.updated,
            extra: extra.collect::<Result<_, _>>()?,
        })
    }
}
impl Open for Item {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(Self {
            kind: plain(with, "kind", self.kind, longest::KIND)?,
            id: id(with, self.id)?,
            title: text(with, Place::ItemTitle, self.title)?,
            stage: plain_some(with, "stage", self.stage)?,
            amount: some(with, Place::ItemAmount, self.amount)?,
            owner: some(with, Place::Owner, self.owner)?,
            url: link(with, self.url)?,
            updated: self.updated,
        })
    }
}
impl Open for User {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(Self {
            id: id(with, self.id)?,
            name: text(with, Place::UserName, self.name)?,
            email: some(with, Place::UserEmail, self.email)?,
            extension: plain_some(with, "extension", self.extension)?,
        })
    }
}
impl Open for Held {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        let fields = self.fields.into_iter().map(|(label, value)| {
            Ok((plain(with, "label", label, longest::LABEL)?, text(with, Place::HeldField, value)?))
        });
        Ok(Self {
            record: self.record.open(with)?,
            what: plain(with, "what", self.what, longest::WHAT)?,
            fields: fields.collect::<Result<_, _>>()?,
        })
    }
}
impl Open for Receipt {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        let kept = self.kept.into_iter().map(|(record, reason)| {
            Ok((record.open(with)?, plain(with, "reason", reason, longest::REASON)?))
        });
        Ok(Self {
            removed: self.removed.open(with)?,
            anonymised: self.anonymised.open(with)?,
            kept: kept.collect::<Result<_, _>>()?,
        })
    }
}
impl Open for Matches {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(Self { items: self.items.open(with)?, next: plain_some(with, "next", self.next)? })
    }
}
impl Open for Users {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(Self { items: self.items.open(with)?, next: plain_some(with, "next", self.next)? })
    }
}
impl Open for Fact {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(match self {
            Self::ContactChanged(contact) => Self::ContactChanged(id(with, contact)?),
            Self::ContactDeleted(contact) => Self::ContactDeleted(id(with, contact)?),
            Self::RecordDeleted(record) => Self::RecordDeleted(record.open(with)?),
            Self::Dial(Dial { agent, number, about }) => Self::Dial(Dial {
                agent: text(with, Place::DialAgent, agent)?,
                number: Text(with.show_sealed(Place::DialNumber, number.as_str())?.value.expose().to_owned()),
                about: about.map(|record| record.open(with)).transpose()?,
            }),
            Self::Other { code, record } => {
                Self::Other { code: plain(with, "code", code, 60)?, record: record.open(with)? }
            }
        })
    }
}
impl Open for News {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        Ok(Self {
            facts: self.facts.open(with)?,
            next: self.next.map(|next| plain(with, "next", next, 500)).transpose()?,
            more: self.more,
        })
    }
}
impl<T: Open> Open for Vec<T> {
    fn open(self, with: &Invocation) -> Result<Self, Denial> {
        self.into_iter().map(|record| record.open(with)).collect()
    }
}

impl<T: Open> Returned for T {}
