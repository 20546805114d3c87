//! Contacts: found by number, searched, read, made and changed.
//!
//! BottleCRM's search for duplicates compares ten digits from the right, which are nine of the number and one of its
//! area: São Paulo's `11 98765-4321` and Rio's `21 98765-4321` are the same to it. A card with a stranger's name is worse
//! than none, so each hit is compared once more, whole.

use std::collections::BTreeSet;

use ramal_sdk::offset::Window;
use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::{Hit, Hits, MatchedOn, Person, Record, ask, tell, understood, uuid};
use crate::settings::Settings;

/// What stands for the last name, which BottleCRM demands.
const NO_LAST_NAME: &str = "-";

pub(crate) fn find_by_phone(cx: &Cx<Settings>, candidates: &[Text]) -> Result<Vec<Contact>> {
    let mut calls = Vec::new();
    for phone in candidates {
        calls.push(Call::new("find-by-phone", params! {}).json(&json!({"phone": phone}))?);
    }
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for reply in cx.egress().send_all(calls) {
        let hits: Hits = api(cx, understood("find-by-phone", reply?)?)?.json()?;
        for hit in hits.duplicates {
            if known.insert(hit.id.clone()) && is_number(cx, hit.phone.as_ref(), candidates) {
                found.push(hit.contact(cx.settings()));
            }
        }
    }
    Ok(found)
}

/// The answer, unless there is no such page: a lookup that finds nobody gives an empty list, so 404 is a wrong address.
pub(crate) fn api(cx: &Cx<Settings>, reply: Reply) -> Result<Reply> {
    if reply.status() == 404 {
        return Err(Error::Invalid(format!(
            "there is no BottleCRM API at {}; correct the setting `server`",
            cx.settings().server
        )));
    }
    Ok(reply)
}

/// Whether a number is one of those.
pub(crate) fn is_number(cx: &Cx<Settings>, known: Option<&Text>, wanted: &[Text]) -> bool {
    let plain = |text: &Text| cx.text().phone_format(text, PhoneStyle::E164).unwrap_or_else(|_| text.clone());
    let Some(known) = known.filter(|known| !known.is_empty()).map(plain) else { return false };
    // Where a grant hands one side in the clear and the other sealed, they cannot be compared, and the CRM's word counts.
    wanted.iter().any(|wanted| cx.text().same(&known, &plain(wanted)).unwrap_or(true))
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    count: u32,
    results: Vec<Person>,
}

pub(crate) fn search(cx: &Cx<Settings>, query: &Text, page: &Page) -> Result<Matches> {
    let window = Window::of(page, PAGE)?;
    let params = params! { "query" => query, "limit" => window.limit(), "offset" => window.offset() };
    let list: List = api(cx, ask(cx, "search", params)?)?.json()?;
    let next = window.next(list.count > window.offset().saturating_add(window.limit()));
    let items: Vec<Contact> = list.results.into_iter().map(|person| person.contact(cx.settings())).collect();
    if !items.is_empty() || window.offset() > 0 {
        return Ok(Matches { items, next });
    }
    // BottleCRM looks into each name by itself, so somebody's whole name finds nobody; its other search knows both.
    let names = json!({"first_name": cx.text().given_name(query), "last_name": cx.text().family_name(query)});
    let hits: Hits = tell(cx, "find-same", params! {}, &names)?.json()?;
    let items = hits.duplicates.into_iter().filter(|hit| hit.by(MatchedOn::Name));
    Ok(Matches { items: items.map(|hit| hit.contact(cx.settings())).collect(), next: None })
}

/// The most records that one page has.
pub(crate) const PAGE: u32 = 200;

#[derive(Deserialize)]
struct Opened {
    contact_obj: Person,
}

pub(crate) fn get(cx: &Cx<Settings>, id: &Id) -> Result<Contact> {
    let opened: Opened = ask(cx, "get", params! { "id" => uuid(id)? })?.json()?;
    Ok(opened.contact_obj.contact(cx.settings()))
}

pub(crate) fn create(cx: &Cx<Settings>, draft: &ContactDraft) -> Result<Contact> {
    let Some(name) = draft.name.as_ref().or(draft.organization.as_ref()).filter(|name| !name.is_empty())
    else {
        return Err(Error::Invalid("a new contact needs a name, of the person or of the company".into()));
    };
    let body = fields(cx, draft, Some(name));
    let known = same(cx, draft, name)?;
    if let Some(hit) = known.iter().find(|hit| hit.is_person) {
        return get(cx, &hit.id);
    }
    if known.iter().any(|hit| hit.has_email) {
        return Err(Error::Invalid(
            "somebody else in BottleCRM has this e-mail address, which it keeps for one contact only; open that \
             contact, or leave the address out"
                .into(),
        ));
    }
    match tell(cx, "create", params! {}, &body) {
        // BottleCRM saves first and then tells its own members, so an error may come after the contact: look again
        // before somebody enters it a second time.
        Err(lost @ Error::Transient(_)) => {
            let before: Vec<&Id> = known.iter().map(|hit| &hit.id).collect();
            let made = same(cx, draft, name).ok().into_iter().flatten();
            match made.into_iter().find(|hit| hit.is_named && !before.contains(&&hit.id)) {
                Some(hit) => get(cx, &hit.id),
                None => Err(lost),
            }
        }
        reply => get(cx, &reply?.json::<Record>()?.id),
    }
}

/// Somebody who looks like the draft.
struct Alike {
    id: Id,
    /// The name is the same.
    is_named: bool,
    /// The e-mail address is the same.
    has_email: bool,
    /// The name is the same, and so is the number or the e-mail address: namesakes are two people.
    is_person: bool,
}

/// Who is there already: with the name as the plugin writes it, and as people do.
fn same(cx: &Cx<Settings>, draft: &ContactDraft, name: &Text) -> Result<Vec<Alike>> {
    let (phone, email) = (draft.phones.first(), draft.emails.first());
    let variants = phone.map(|phone| cx.text().phone_variants(phone)).unwrap_or_default();
    let mut calls = Vec::new();
    for (first, last) in
        [(name.clone(), Text::from(NO_LAST_NAME)), (cx.text().given_name(name), cx.text().family_name(name))]
    {
        let mut asked = Map::new();
        insert(&mut asked, "phone", phone);
        insert(&mut asked, "email", email);
        insert(&mut asked, "first_name", Some(&first));
        insert(&mut asked, "last_name", Some(&last));
        calls.push(Call::new("find-same", params! {}).json(&asked)?);
    }
    let mut alike: Vec<Alike> = Vec::new();
    for reply in cx.egress().send_all(calls) {
        let hits: Hits = api(cx, understood("find-same", reply?)?)?.json()?;
        for hit in hits.duplicates {
            let (is_named, has_email) = (hit.by(MatchedOn::Name), hit.by(MatchedOn::Email));
            let is_person = is_named && (has_email || is_number(cx, hit.phone.as_ref(), &variants));
            match alike.iter_mut().find(|known| known.id == hit.id) {
                Some(known) => {
                    known.is_named |= is_named;
                    known.has_email |= has_email;
                    known.is_person |= is_person;
                }
                None => alike.push(Alike { id: hit.id, is_named, has_email, is_person }),
            }
        }
    }
    Ok(alike)
}

pub(crate) fn update(cx: &Cx<Settings>, id: &Id, changes: &ContactDraft) -> Result<Contact> {
    let body = fields(cx, changes, changes.name.as_ref().filter(|name| !name.is_empty()));
    if !body.is_empty() {
        tell(cx, "update", params! { "id" => uuid(id)? }, &body)?.success()?;
    }
    get(cx, id)
}

/// What is written of a draft; what it does not have stays as it is.
fn fields(cx: &Cx<Settings>, draft: &ContactDraft, name: Option<&Text>) -> Map<String, Value> {
    if draft.phones.len() > 1 || draft.emails.len() > 1 {
        cx.log().warn("a contact has one number and one e-mail address: the first of each was kept");
    }
    if !draft.extra.is_empty() {
        cx.log().warn("fields beyond name, company, number and e-mail address have no place in this plugin");
    }
    let mut body = Map::new();
    if name.is_some() {
        insert(&mut body, "first_name", name);
        body.insert("last_name".into(), NO_LAST_NAME.into());
    }
    insert(&mut body, "organization", draft.organization.as_ref());
    insert(&mut body, "phone", draft.phones.first());
    insert(&mut body, "email", draft.emails.first());
    body
}

fn insert(body: &mut Map<String, Value>, field: &str, value: Option<&Text>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        body.insert(field.into(), json!(value));
    }
}

/// Whether a hit has the e-mail address that was asked for, or one of the numbers, whole.
pub(crate) fn is_hit(cx: &Cx<Settings>, hit: &Hit, variants: &[Text]) -> bool {
    hit.by(MatchedOn::Email) || is_number(cx, hit.phone.as_ref(), variants)
}
