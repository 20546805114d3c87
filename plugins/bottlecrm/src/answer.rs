//! BottleCRM's answers, as the routes' `receive` leaves them, and what its refusals mean.
//!
//! A token that is no longer accepted is answered with 403 and not with 401. Taken for a missing right it would never
//! ask an admin for a new token, so the one sentence that says it is received, and everything else that is 403 names
//! the scope that the token lacks.

use ramal_sdk::Params;
use ramal_sdk::prelude::*;

use crate::settings::Settings;

/// Sends a route without a body.
pub(crate) fn ask(cx: &Cx<Settings>, route: &str, params: Params) -> Result<Reply> {
    understood(route, cx.egress().send(route, params)?)
}

/// Sends a route with a body.
pub(crate) fn tell(
    cx: &Cx<Settings>,
    route: &str,
    params: Params,
    body: &(impl Serialize + ?Sized),
) -> Result<Reply> {
    understood(route, cx.egress().post(route, params, body)?)
}

/// What a refusal says; the sentence for a token that is not accepted, or nothing.
#[derive(Deserialize)]
struct Refusal {
    detail: Option<String>,
}

/// The answer, unless it is 403.
pub(crate) fn understood(route: &str, reply: Reply) -> Result<Reply> {
    if reply.status() != 403 {
        return Ok(reply);
    }
    if reply.json_of_any_status::<Refusal>().is_ok_and(|refusal| refusal.detail.is_some()) {
        return Err(Error::AuthExpired);
    }
    Err(Error::Denied(format!(
        "route `{route}`: the token lacks the scope {}, or its member may not do this; make a token with that scope, \
         for a member who is an administrator",
        scope(route)
    )))
}

/// The scopes that a route needs, as BottleCRM's page for tokens names them.
fn scope(route: &str) -> &'static str {
    match route {
        "create" | "update" | "blank-contact" => "contacts:write",
        "try-entries" | "find-entries" | "read-entries" | "subject-entries" => {
            "interactions:read, with that of the record: contacts:read, opportunities:read, cases:read or leads:read"
        }
        "write-entry" | "amend-entry" | "blank-entry" => {
            "interactions:write, with that of the record: contacts:write, opportunities:write or cases:write"
        }
        "users" => "users:read",
        "subject-leads" | "subject-lead" => "leads:read",
        "blank-lead" => "leads:write",
        "subject-invoices" => "invoices:read",
        "try-change" => "contacts:write and interactions:write",
        "delete-comment" | "delete-attachment" | "delete-record" => "contacts:write or leads:write",
        _ => "contacts:read",
    }
}

/// A record's number, if it looks like one: BottleCRM answers any other with a page for people.
pub(crate) fn uuid(id: &Id) -> Result<&str> {
    let text = id.as_str();
    let good = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if text.len() == 36 && text.bytes().enumerate().all(good) { Ok(text) } else { Err(Error::NotFound) }
}

/// A contact in a list, or on its own page.
#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: Id,
    pub(crate) first_name: Option<Text>,
    pub(crate) last_name: Option<Text>,
    organization: Option<Text>,
    email: Option<Text>,
    phone: Option<Text>,
    #[serde(default)]
    assigned_to: Vec<Member>,
    updated_at: Option<String>,
}

/// Somebody of the company, with the fields that a person reads.
#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: Option<Id>,
    pub(crate) user_details: Option<Details>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Details {
    pub(crate) name: Option<Text>,
    pub(crate) email: Option<Text>,
}

impl Person {
    /// The card.
    pub(crate) fn contact(self, settings: &Settings) -> Contact {
        let filled = |text: Option<Text>| text.and_then(Text::non_empty);
        let owner = self.assigned_to.into_iter().find_map(|member| filled(member.user_details?.name));
        Contact {
            url: settings.link(&self.id),
            name: full_name(self.first_name.as_ref(), self.last_name.as_ref()),
            organization: filled(self.organization),
            phones: filled(self.phone).into_iter().collect(),
            emails: filled(self.email).into_iter().collect(),
            owner,
            updated: self.updated_at.as_deref().and_then(Instant::parse),
            id: self.id,
            ..Contact::default()
        }
    }
}

/// Both names as one.
pub(crate) fn full_name(first: Option<&Text>, last: Option<&Text>) -> Text {
    let names: Vec<&str> = [first, last].into_iter().flatten().map(Text::as_str).collect();
    names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ").into()
}

/// The answer of the search for duplicates.
#[derive(Debug, Deserialize)]
pub(crate) struct Hits {
    pub(crate) duplicates: Vec<Hit>,
}

/// One record that looks like what was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Hit {
    pub(crate) id: Id,
    pub(crate) name: Option<Text>,
    pub(crate) email: Option<Text>,
    pub(crate) phone: Option<Text>,
    #[serde(default)]
    pub(crate) matched_on: Vec<MatchedOn>,
}

/// Why BottleCRM thinks so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MatchedOn {
    Email,
    Phone,
    Name,
}

impl Hit {
    pub(crate) fn by(&self, what: MatchedOn) -> bool {
        self.matched_on.contains(&what)
    }

    /// The card, as far as the search tells it.
    pub(crate) fn contact(self, settings: &Settings) -> Contact {
        Contact {
            url: settings.link(&self.id),
            name: self.name.unwrap_or_default(),
            phones: self.phone.and_then(Text::non_empty).into_iter().collect(),
            emails: self.email.and_then(Text::non_empty).into_iter().collect(),
            id: self.id,
            ..Contact::default()
        }
    }
}

/// A deal on a contact's page.
#[derive(Debug, Deserialize)]
pub(crate) struct Deal {
    pub(crate) id: Id,
    pub(crate) name: Option<Text>,
    stage: Option<String>,
    pub(crate) stage_kind: Option<StageKind>,
    amount: Option<Text>,
    currency: Option<String>,
}

/// What a stage means, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StageKind {
    Open,
    Won,
    Lost,
}

impl StageKind {
    /// BottleCRM's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

impl Deal {
    /// The amount with its currency.
    pub(crate) fn amount(&self) -> Option<Text> {
        let amount = self.amount.clone().and_then(Text::non_empty)?;
        Some(match &self.currency {
            Some(currency) => format!("{currency} {amount}").into(),
            None => amount,
        })
    }

    /// The line of the card.
    pub(crate) fn item(self) -> Item {
        Item {
            kind: "deal".into(),
            amount: self.amount(),
            title: self.name.unwrap_or_default(),
            stage: self.stage,
            id: self.id,
            ..Item::default()
        }
    }
}

/// A ticket on a contact's page.
#[derive(Debug, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) id: Id,
    pub(crate) name: Option<Text>,
    pub(crate) status: Option<String>,
    created_at: Option<String>,
}

impl Ticket {
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.status.as_deref(), Some("Closed" | "Rejected" | "Duplicate"))
    }

    /// The line of the card.
    pub(crate) fn item(self) -> Item {
        Item {
            kind: "ticket".into(),
            title: self.name.unwrap_or_default(),
            stage: self.status,
            updated: self.created_at.as_deref().and_then(Instant::parse),
            id: self.id,
            ..Item::default()
        }
    }
}

/// A record of which the number is enough.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: Id,
}
