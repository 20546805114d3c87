//! Odoo's records, as the routes' `receive` leaves them.
//!
//! A reference is a list of a number and a name, `[7, "Maria"]`, or `false`; only the name of what is nobody's
//! personal secret of another record is listed, so that a list begins with a gap: `[null, "…"]`.

use ramal_sdk::prelude::*;

use crate::reply::Nothing;
use crate::settings::Settings;
use crate::{LEAD, PARTNER};

/// A reference: the name of what it refers to. Absent where Odoo says `false`.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<Option<Text>>")]
pub(crate) struct Named(Option<Text>);

impl From<Vec<Option<Text>>> for Named {
    fn from(list: Vec<Option<Text>>) -> Self {
        Self(list.into_iter().nth(1).flatten())
    }
}

/// The same of what is never sealed, such as a currency.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<Option<Id>>")]
struct Code(Option<Id>);

impl From<Vec<Option<Id>>> for Code {
    fn from(list: Vec<Option<Id>>) -> Self {
        Self(list.into_iter().nth(1).flatten())
    }
}

/// A moment, in UTC, as `2026-11-23 17:40:00`.
fn instant(text: Option<String>) -> Option<Instant> {
    Instant::parse(&text?)
}

/// A `res.partner`.
#[derive(Debug, Deserialize)]
pub(crate) struct Partner {
    pub(crate) id: Id,
    name: Option<Text>,
    display_name: Option<Text>,
    phone: Option<Text>,
    email: Option<Text>,
    parent_id: Option<Named>,
    company_name: Option<Text>,
    user_id: Option<Named>,
    write_date: Option<String>,
    #[serde(rename = "phone_mobile_search")]
    nothing: Option<Text>,
}

/// The fields of a card.
pub(crate) const CARD: [&str; 9] = [
    "name",
    "display_name",
    "phone",
    "email",
    "parent_id",
    "company_name",
    "user_id",
    "write_date",
    "phone_mobile_search",
];

impl Partner {
    /// The card.
    pub(crate) fn contact(self, cx: &Cx<Settings>) -> Contact {
        let nothing = Nothing::seen_in(self.nothing);
        let some = |value| nothing.filter(cx, value);
        // An address of a contact may have no name of its own; the one to show begins with that of the contact.
        let name = some(self.name).or(self.display_name).unwrap_or_default();
        let parent = self.parent_id.and_then(|parent| parent.0);
        Contact {
            url: cx.settings().link(PARTNER, &self.id),
            updated: instant(self.write_date),
            id: self.id,
            name,
            organization: parent.or_else(|| some(self.company_name)),
            phones: some(self.phone).into_iter().collect(),
            emails: some(self.email).into_iter().collect(),
            owner: self.user_id.and_then(|user| user.0),
            ..Contact::default()
        }
    }
}

/// Whether Odoo counts something as a lead or already as an opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Lead,
    Opportunity,
}

/// A `crm.lead`.
#[derive(Debug, Deserialize)]
pub(crate) struct Lead {
    id: Id,
    name: Option<Text>,
    #[serde(rename = "type")]
    kind: Option<Stage>,
    stage_id: Option<Named>,
    expected_revenue: Option<Text>,
    company_currency: Option<Code>,
    user_id: Option<Named>,
    write_date: Option<String>,
}

impl Lead {
    /// The line of the card. The stage is one of the company's own words, several of them perhaps: it stands in the
    /// title, where what the company wrote may stand.
    pub(crate) fn item(self, cx: &Cx<Settings>) -> Item {
        let name = self.name.and_then(Text::non_empty).unwrap_or_else(|| format!("#{}", self.id).into());
        let title = match self.stage_id.and_then(|stage| stage.0) {
            Some(stage) => format!("{name} · {stage}").into(),
            None => name,
        };
        let currency = self.company_currency.and_then(|currency| currency.0);
        let amount = self.expected_revenue.map(|amount| match currency {
            Some(currency) => format!("{currency} {amount}").into(),
            None => amount,
        });
        Item {
            kind: "deal".into(),
            title,
            stage: self.kind.map(|kind| match kind {
                Stage::Lead => "lead".to_owned(),
                Stage::Opportunity => "opportunity".to_owned(),
            }),
            amount,
            owner: self.user_id.and_then(|user| user.0),
            url: cx.settings().link(LEAD, &self.id),
            updated: instant(self.write_date),
            id: self.id,
        }
    }
}

/// A record of which the number is enough.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: Id,
}

/// A `res.users`.
#[derive(Debug, Deserialize)]
pub(crate) struct OdooUser {
    id: Id,
    name: Option<Text>,
    email: Option<Text>,
    #[serde(rename = "phone_mobile_search")]
    nothing: Option<Text>,
}

impl OdooUser {
    /// One of the company's people.
    pub(crate) fn user(self, cx: &Cx<Settings>) -> User {
        let email = Nothing::seen_in(self.nothing).filter(cx, self.email);
        User { id: self.id, name: self.name.unwrap_or_default(), email, extension: None }
    }
}

/// Whose key it is.
#[derive(Debug, Deserialize)]
pub(crate) struct Context {
    pub(crate) uid: Id,
}
