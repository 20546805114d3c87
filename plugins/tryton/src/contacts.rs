//! Parties: found by number, searched, read, made and changed.
//!
//! Tryton compares numbers as texts. With its optional library `phonenumbers` every number is kept in E.164;
//! without it, and in rows from before it, as somebody typed it. So a lookup offers each form of the number in
//! several spellings, all in one request.

use std::collections::BTreeSet;

use ramal_sdk::offset::Window;
use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::{Kind, Mechanism, Party};
use crate::search::{self, SearchRead};
use crate::settings::Settings;

const CARD: &[&str] =
    &["name", "contact_mechanisms.type", "contact_mechanisms.value", "create_date", "write_date"];
/// More parties behind one number are a switchboard, and no card.
const SAME_NUMBER: u32 = 10;

pub(crate) fn find_by_phone(cx: &Cx<Settings>, candidates: &[Text]) -> Result<Vec<Contact>> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let domain = json!([["contact_mechanisms.value_compact", "in", spellings(cx, candidates)]]);
    let body = SearchRead::new(domain).fields(CARD).by_name().limit(SAME_NUMBER);
    let found: Vec<Party> = search::found(cx, "find-by-phone", &body)?;
    Ok(found.into_iter().map(|party| party.contact(cx.settings())).collect())
}

/// Each form as it is, then as people and other programs write it. What is no number has only itself.
fn spellings(cx: &Cx<Settings>, candidates: &[Text]) -> Vec<Text> {
    let written = |style| candidates.iter().filter_map(move |text| cx.text().phone_format(text, style).ok());
    candidates
        .iter()
        .cloned()
        .chain(written(PhoneStyle::National))
        .chain(written(PhoneStyle::Digits))
        .chain(written(PhoneStyle::International))
        .collect()
}

pub(crate) fn search(cx: &Cx<Settings>, query: &Text, page: &Page) -> Result<Matches> {
    let window = Window::of(page, search::PAGE)?;
    let like = format!("%{query}%");
    // `rec_name` looks into name, number, identifiers and mechanisms; the second term finds a number as it is shown.
    let domain = json!(["OR", ["rec_name", "ilike", like], ["contact_mechanisms.value", "ilike", like]]);
    let body = SearchRead::new(domain).fields(CARD).by_name().page(window);
    let found: Vec<Party> = search::found(cx, "search", &body)?;
    let (found, next) = window.cut(found);
    Ok(Matches { items: found.into_iter().map(|party| party.contact(cx.settings())).collect(), next })
}

pub(crate) fn get(cx: &Cx<Settings>, id: &Id) -> Result<Contact> {
    Ok(read(cx, id)?.contact(cx.settings()))
}

fn read(cx: &Cx<Settings>, id: &Id) -> Result<Party> {
    let found: Vec<Party> = search::found_in(cx, cx.egress().send("get", params! { "id" => id.number()? })?)?;
    found.into_iter().next().ok_or(Error::NotFound)
}

pub(crate) fn create(cx: &Cx<Settings>, draft: &ContactDraft) -> Result<Contact> {
    let Some(name) = name(cx, draft) else {
        return Err(Error::Invalid("a new party needs a name; Tryton itself would make one without".into()));
    };
    if let Some(known) = same(cx, name, draft)? {
        return Ok(known.contact(cx.settings()));
    }
    let body = |number: NumberAs| {
        let new = number.made(&draft.phones).chain(emails(&draft.emails)).collect::<Vec<_>>();
        let mut party = Map::new();
        party.insert("name".into(), json!(name));
        if !new.is_empty() {
            party.insert("contact_mechanisms".into(), json!([["create", new]]));
        }
        party
    };
    let reply =
        twice(!draft.phones.is_empty(), |number| cx.egress().post("create", params! {}, &body(number)))?;
    Ok(accepted("create", reply)?.json::<Party>()?.contact(cx.settings()))
}

/// A party of this name with one of the numbers or addresses: a person entered it, or a try did whose answer was lost.
/// Namesakes are two people, so that a name alone tells nothing.
fn same(cx: &Cx<Settings>, name: &Text, draft: &ContactDraft) -> Result<Option<Party>> {
    let e164 = draft.phones.iter().filter_map(|phone| cx.text().phone_format(phone, PhoneStyle::E164).ok());
    let values: Vec<Text> = draft
        .phones
        .iter()
        .chain(&draft.emails)
        .filter(|value| !value.is_empty())
        .cloned()
        .chain(e164)
        .collect();
    if values.is_empty() {
        return Ok(None);
    }
    let domain = json!([["name", "=", name], ["contact_mechanisms.value_compact", "in", values]]);
    let body = SearchRead::new(domain).fields(CARD).oldest_first().limit(1);
    Ok(search::found(cx, "find-same", &body)?.into_iter().next())
}

pub(crate) fn update(cx: &Cx<Settings>, id: &Id, changes: &ContactDraft) -> Result<Contact> {
    let name = name(cx, changes);
    if name.is_none() && changes.phones.is_empty() && changes.emails.is_empty() {
        return get(cx, id);
    }
    // Only numbers that were just read from this very party: Tryton deletes any mechanism that is named, be it
    // somebody else's.
    let known = read(cx, id)?.contact_mechanisms;
    let is_number = |text: &Text| cx.text().phone_format(text, PhoneStyle::E164).is_ok();
    let phones: Vec<&Mechanism> = known
        .iter()
        .filter(|known| match known.kind {
            Kind::Phone | Kind::Mobile => true,
            // What is no number was not put there as one.
            Kind::Other => known.value.as_ref().is_some_and(is_number),
            _ => false,
        })
        .collect();
    let mails: Vec<&Mechanism> = known.iter().filter(|known| known.kind == Kind::Email).collect();
    let body = |number: NumberAs| {
        let mut commands = Vec::new();
        if !changes.phones.is_empty() {
            commands.extend(replace(cx, &phones, &changes.phones, number.kind(), number == NumberAs::Other)?);
        }
        if !changes.emails.is_empty() {
            commands.extend(replace(cx, &mails, &changes.emails, "email", false)?);
        }
        let mut party = Map::new();
        if let Some(name) = &name {
            party.insert("name".into(), json!(name));
        }
        if !commands.is_empty() {
            party.insert("contact_mechanisms".into(), json!(commands));
        }
        Ok::<_, Error>(party)
    };
    let (first, second) = (body(NumberAs::Phone)?, body(NumberAs::Other)?);
    if first.is_empty() {
        return get(cx, id);
    }
    let id = id.number()?;
    let reply = twice(!changes.phones.is_empty(), |number| {
        let body = if number == NumberAs::Phone { &first } else { &second };
        cx.egress().post("update", params! { "id" => id }, body)
    })?;
    Ok(accepted("update", reply)?.json::<Party>()?.contact(cx.settings()))
}

/// The commands that turn the known mechanisms into the wanted ones. One whose value is the same stays, with the
/// name and the type that somebody gave it.
fn replace(
    cx: &Cx<Settings>,
    known: &[&Mechanism],
    wanted: &[Text],
    kind: &str,
    rewrite_kind: bool,
) -> Result<Vec<Value>> {
    let plain = |text: &Text| cx.text().phone_format(text, PhoneStyle::E164).unwrap_or_else(|_| text.clone());
    let wanted: Vec<(Text, &Text)> = wanted.iter().map(|text| (plain(text), text)).collect();
    let mut kept = BTreeSet::new();
    let mut free: Vec<&Id> = Vec::new();
    for mechanism in known {
        let value = mechanism.value.as_ref().map(&plain);
        let same = value.and_then(|value| {
            // A seal and a clear text cannot be compared: then it is rewritten.
            wanted.iter().enumerate().position(|(at, (wanted, _))| {
                !kept.contains(&at) && cx.text().same(&value, wanted).unwrap_or(false)
            })
        });
        match same {
            Some(at) => drop(kept.insert(at)),
            None => free.push(&mechanism.id),
        }
    }
    let mut free = free.into_iter();
    let mut commands = Vec::new();
    for (_, (_, value)) in wanted.iter().enumerate().filter(|(at, _)| !kept.contains(at)) {
        commands.push(match free.next() {
            Some(id) if rewrite_kind => json!(["write", [id.number()?], {"type": kind, "value": value}]),
            Some(id) => json!(["write", [id.number()?], {"value": value}]),
            None => json!(["create", [{"type": kind, "value": value}]]),
        });
    }
    let rest: Vec<i64> = free.map(Id::number).collect::<Result<_>>()?;
    if !rest.is_empty() {
        commands.push(json!(["delete", rest]));
    }
    Ok(commands)
}

/// As what a number is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NumberAs {
    /// As a telephone number, which Tryton checks where it has `phonenumbers`.
    Phone,
    /// As text: short codes, and mobiles without the ninth digit.
    Other,
}

impl NumberAs {
    fn kind(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Other => "other",
        }
    }
    fn made(self, phones: &[Text]) -> impl Iterator<Item = Value> {
        phones.iter().map(move |value| json!({"type": self.kind(), "value": value}))
    }
}

fn emails(emails: &[Text]) -> impl Iterator<Item = Value> {
    emails.iter().map(|value| json!({"type": "email", "value": value}))
}

/// Sends once, and once more with the numbers as text where Tryton refused them: 400 says that nothing was kept,
/// and its text, which could tell why, holds the number and never comes here.
fn twice(has_numbers: bool, send: impl Fn(NumberAs) -> Result<Reply, Failure>) -> Result<Reply, Failure> {
    let reply = send(NumberAs::Phone)?;
    if has_numbers && reply.status() == 400 { send(NumberAs::Other) } else { Ok(reply) }
}

/// A 400 of Tryton means wrong data or a missing right.
pub(crate) fn accepted(route: &str, reply: Reply) -> Result<Reply> {
    if reply.status() == 400 {
        return Err(Error::Invalid(format!(
            "route `{route}`: Tryton refuses it with 400; either the data do not fit or the key's user may not write \
             this"
        )));
    }
    reply.success()
}

/// A party has one name, be it a person or a company.
fn name<'a>(cx: &Cx<Settings>, draft: &'a ContactDraft) -> Option<&'a Text> {
    let some = |text: &'a Option<Text>| text.as_ref().filter(|text| !text.is_empty());
    let (name, organization) = (some(&draft.name), some(&draft.organization));
    if name.is_some() && organization.is_some() {
        cx.log().warn("a party has one name: the person's was kept, the company's has no place in Tryton");
    }
    if !draft.extra.is_empty() {
        cx.log().warn("fields beyond name, numbers and addresses of e-mail have no place in this plugin");
    }
    name.or(organization)
}
