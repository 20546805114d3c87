//! Who took part: the customer, the company's line, each agent, each further number. A party is listed once, whatever
//! it did, and stands where it first came up.

use ramal_store::{Clear, ContactKind, Interaction, InteractionDirection};
use uuid::Uuid;

use super::VconIssuer;
use super::document::{Party, PartyIndex};

/// By what a party is told from the others.
#[derive(PartialEq, Eq)]
enum Key {
    Customer,
    Company,
    Agent(String),
    Queue(String),
    Number(String),
}

/// The parties of one interaction.
pub(super) struct Parties<'a> {
    of: &'a Interaction,
    issuer: &'a VconIssuer,
    keys: Vec<Key>,
    list: Vec<Party>,
}

impl<'a> Parties<'a> {
    /// The two sides, whoever began it first.
    pub(super) fn of(of: &'a Interaction, issuer: &'a VconIssuer) -> Self {
        let mut parties = Self { of, issuer, keys: Vec::new(), list: Vec::new() };
        if of.direction == InteractionDirection::Outbound {
            parties.company();
        }
        parties.customer();
        parties.company();
        parties
    }

    pub(super) fn into_list(self) -> Vec<Party> {
        self.list
    }

    /// The other side; in a talk between colleagues who called.
    pub(super) fn customer(&mut self) -> PartyIndex {
        self.index(Key::Customer, |parties| {
            let (of, phone) = (parties.of, parties.phone_of_customer());
            let email = of.contacts.iter().find(|c| c.kind == ContactKind::Email);
            let mailto = email.map(|c| c.value().expose().to_owned());
            let tel = phone.and_then(|number| parties.tel(number));
            // By these words the draft says that somebody is not known.
            let unknown = tel.is_none() && mailto.is_none();
            Party { tel, mailto, name: unknown.then(|| "anonymous".to_owned()), ..Party::default() }
        })
    }

    /// The company by its line: who speaks for it when no agent is named.
    pub(super) fn company(&mut self) -> PartyIndex {
        self.index(Key::Company, |parties| {
            let tel = parties.line().and_then(|line| parties.tel(line));
            Party { tel, kind: Some("organization"), ..Party::default() }
        })
    }

    /// An agent by the exchange's name; the company when it is not told.
    pub(super) fn agent(&mut self, name: Option<&Clear>) -> PartyIndex {
        let Some(name) = name.map(Clear::expose).filter(|name| !name.is_empty()) else {
            return self.company();
        };
        self.index(Key::Agent(name.to_owned()), |parties| {
            let sip = name.starts_with("sip:").then(|| name.to_owned());
            let named = sip.is_none();
            Party {
                sip,
                name: named.then(|| name.to_owned()),
                validation: named.then_some("none"),
                uuid: Some(parties.static_id(name)),
                kind: Some("person"),
                ..Party::default()
            }
        })
    }

    /// A queue that a call was handed to.
    pub(super) fn queue(&mut self, name: &str) -> PartyIndex {
        self.index(Key::Queue(name.to_owned()), |_| Party {
            name: Some(name.to_owned()),
            validation: Some("none"),
            kind: Some("organization"),
            ..Party::default()
        })
    }

    /// Whoever has a number: one of the two sides, or somebody further.
    pub(super) fn number(&mut self, number: &Clear) -> PartyIndex {
        if self.phone_of_customer() == Some(number) {
            return self.customer();
        }
        if self.line() == Some(number) {
            return self.company();
        }
        self.index(Key::Number(number.expose().to_owned()), |parties| Party {
            tel: parties.tel(number),
            ..Party::default()
        })
    }

    fn index(&mut self, key: Key, make: impl FnOnce(&Self) -> Party) -> PartyIndex {
        if let Some(known) = self.keys.iter().position(|k| *k == key) {
            return known;
        }
        let party = make(self);
        self.keys.push(key);
        self.list.push(party);
        self.list.len().saturating_sub(1)
    }

    fn phone_of_customer(&self) -> Option<&'a Clear> {
        let phone = self.of.contacts.iter().find(|c| c.kind == ContactKind::Phone);
        let side = match self.of.direction {
            InteractionDirection::Inbound | InteractionDirection::Internal => &self.of.from,
            InteractionDirection::Outbound => &self.of.to,
        };
        phone.map(|c| c.value()).or(side.as_ref())
    }

    fn line(&self) -> Option<&'a Clear> {
        match self.of.direction {
            InteractionDirection::Inbound | InteractionDirection::Internal => self.of.to.as_ref(),
            InteractionDirection::Outbound => self.of.from.as_ref(),
        }
    }

    /// A number as RFC 3966 writes it: one that is not global says within what it is valid.
    fn tel(&self, number: &Clear) -> Option<String> {
        let text = number.expose();
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !is_number {
            return None;
        }
        let global = digits.len() < text.len();
        Some(if global {
            format!("tel:{text}")
        } else {
            format!("tel:{text};phone-context={}", self.issuer.domain)
        })
    }

    /// The same for the same agent in every document of this host.
    fn static_id(&self, agent: &str) -> Uuid {
        let domain = Uuid::new_v5(&Uuid::NAMESPACE_DNS, self.issuer.domain.as_bytes());
        Uuid::new_v5(&domain, format!("{}/agent/{agent}", self.of.tenant).as_bytes())
    }
}
