//! Tryton's answers, as the routes' `receive` leaves them.
//!
//! Tryton's JSON is typed: a moment is an object with a year and so on, an amount an object with its digits as
//! text. A nested record stands under `contact_mechanisms` after a GET or PUT and under `contact_mechanisms.`
//! after a `search_read`; one type reads both.

use ramal_sdk::prelude::*;
use serde_json::{Value, json};

use crate::settings::Settings;
use crate::{OPPORTUNITY, PARTY};

/// A moment or a day; in UTC, by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    year: u32,
    month: u32,
    day: u32,
    #[serde(default)]
    hour: u32,
    #[serde(default)]
    minute: u32,
    #[serde(default)]
    second: u32,
    /// Only where two changes must be told apart.
    #[serde(default)]
    microsecond: u32,
}

impl Moment {
    /// Before anything that a CRM holds.
    pub(crate) const START: Self =
        Self { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, microsecond: 0 };

    /// As Tryton reads it in a domain.
    pub(crate) fn typed(self) -> Value {
        let Self { year, month, day, hour, minute, second, microsecond } = self;
        json!({"__class__": "datetime", "year": year, "month": month, "day": day, "hour": hour, "minute": minute,
            "second": second, "microsecond": microsecond})
    }

    /// On the host's scale; `None` for a day that no calendar has.
    pub(crate) fn instant(self) -> Option<Instant> {
        let Self { year, month, day, hour, minute, second, microsecond: _ } = self;
        Instant::parse(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
    }
}

/// When a record was last changed. Tryton leaves `write_date` null until the first change.
fn updated(written: Option<Moment>, created: Option<Moment>) -> Option<Instant> {
    written.or(created)?.instant()
}

/// A `party.party` of which only the times matter.
#[derive(Debug, Deserialize)]
pub(crate) struct Changed {
    pub(crate) id: Id,
    pub(crate) create_date: Option<Moment>,
    pub(crate) write_date: Option<Moment>,
}

/// A record of which only the number matters.
#[derive(Debug, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) id: Id,
}

/// A `party.party`.
#[derive(Debug, Deserialize)]
pub(crate) struct Party {
    pub(crate) id: Id,
    pub(crate) name: Option<Text>,
    pub(crate) code: Option<String>,
    #[serde(default, alias = "contact_mechanisms.")]
    pub(crate) contact_mechanisms: Vec<Mechanism>,
    #[serde(default, rename = "addresses.")]
    pub(crate) addresses: Vec<Address>,
    #[serde(default, rename = "identifiers.")]
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) create_date: Option<Moment>,
    write_date: Option<Moment>,
}

/// A `party.contact_mechanism`: a number, an address of e-mail or the like.
#[derive(Debug, Deserialize)]
pub(crate) struct Mechanism {
    pub(crate) id: Id,
    /// Absent for a type that `receive` does not list.
    #[serde(rename = "type", default)]
    pub(crate) kind: Kind,
    pub(crate) value: Option<Text>,
    pub(crate) name: Option<Text>,
    pub(crate) comment: Option<Text>,
}

/// What a mechanism is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Phone,
    Mobile,
    Fax,
    Email,
    Website,
    Sip,
    /// Skype, IRC, Jabber, what Tryton calls other, and what a module adds.
    #[default]
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Address {
    pub(crate) full_address: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Identifier {
    pub(crate) id: Id,
    pub(crate) code: Option<Text>,
}

impl Party {
    /// The card.
    pub(crate) fn contact(self, settings: &Settings) -> Contact {
        let mut contact = Contact {
            url: settings.link(PARTY, &self.id),
            updated: updated(self.write_date, self.create_date),
            id: self.id,
            name: self.name.unwrap_or_default(),
            ..Contact::default()
        };
        for mechanism in self.contact_mechanisms {
            let Some(value) = mechanism.value.and_then(Text::non_empty) else { continue };
            match mechanism.kind {
                Kind::Email => contact.emails.push(value),
                // A number that Tryton refused as a telephone number is kept as other.
                Kind::Phone | Kind::Mobile | Kind::Sip | Kind::Other => contact.phones.push(value),
                Kind::Fax | Kind::Website => {}
            }
        }
        contact
    }
}

/// A typed amount.
#[derive(Debug, Deserialize)]
pub(crate) struct Decimal {
    decimal: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Currency {
    code: Option<Id>,
}

#[derive(Debug, Deserialize)]
struct Employee {
    rec_name: Option<Text>,
}

/// A `sale.opportunity`.
#[derive(Debug, Deserialize)]
pub(crate) struct Opportunity {
    pub(crate) id: Id,
    pub(crate) number: Option<Text>,
    pub(crate) state: Option<State>,
    pub(crate) description: Option<Text>,
    pub(crate) comment: Option<Text>,
    pub(crate) lost_reason: Option<Text>,
    pub(crate) contact: Option<Id>,
    amount: Option<Decimal>,
    #[serde(rename = "currency.")]
    currency: Option<Currency>,
    #[serde(rename = "employee.")]
    employee: Option<Employee>,
    create_date: Option<Moment>,
    write_date: Option<Moment>,
}

/// Where an opportunity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Lead,
    Opportunity,
    Converted,
    Won,
    Lost,
    Cancelled,
}

impl State {
    /// Tryton's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Opportunity => "opportunity",
            Self::Converted => "converted",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Opportunity {
    /// The amount with its currency.
    pub(crate) fn amount(&self) -> Option<Text> {
        let amount = self.amount.as_ref()?.decimal.as_ref()?;
        let currency = self.currency.as_ref().and_then(|currency| currency.code.as_ref());
        Some(match currency {
            Some(code) => format!("{code} {amount}").into(),
            None => amount.clone(),
        })
    }

    /// What it is called: Tryton asks for no description.
    pub(crate) fn title(&self) -> Text {
        match (&self.description, &self.number) {
            (Some(description), _) if !description.is_empty() => description.clone(),
            (_, Some(number)) => format!("#{number}").into(),
            _ => format!("#{}", self.id).into(),
        }
    }

    /// The line of the card.
    pub(crate) fn item(self, settings: &Settings) -> Item {
        Item {
            kind: "deal".into(),
            title: self.title(),
            stage: self.state.map(|state| state.as_str().to_owned()),
            amount: self.amount(),
            owner: self.employee.and_then(|employee| employee.rec_name),
            url: settings.link(OPPORTUNITY, &self.id),
            updated: updated(self.write_date, self.create_date),
            id: self.id,
        }
    }
}

/// A record of which the number is enough.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: Id,
}

/// A `res.user`.
#[derive(Debug, Deserialize)]
pub(crate) struct TrytonUser {
    id: Id,
    name: Option<Text>,
    login: Option<Text>,
    email: Option<Text>,
}

impl From<TrytonUser> for User {
    fn from(user: TrytonUser) -> Self {
        let TrytonUser { id, name, login, email } = user;
        // The administrator of a fresh database has a login and no name.
        let name = name.and_then(Text::non_empty).or(login).unwrap_or_default();
        Self { id, name, email: email.and_then(Text::non_empty), extension: None }
    }
}

/// The context in which the key's user works.
#[derive(Debug, Deserialize)]
pub(crate) struct Preferences {
    #[serde(default)]
    pub(crate) companies: Vec<Id>,
}
