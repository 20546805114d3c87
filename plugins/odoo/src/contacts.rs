//! Contacts: found by number, searched, read, made and changed.
//!
//! Odoo keeps a number as somebody typed it, and beside it in E.164 where its own library understood it, which goes
//! by the contact's country. So a lookup asks for both: E.164 against the one, and each spelling against the other,
//! where `phone_mobile_search` leaves blanks, dots, strokes and brackets aside.

use ramal_sdk::offset::Window;
use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::PARTNER;
use crate::answer::{CARD, Partner};
use crate::reply::{accepted, found};
use crate::settings::Settings;

/// More contacts behind one number are a switchboard, and no card.
const SAME_NUMBER: u32 = 10;
/// Contacts of a page: each has four fields that may be empty, and 64 comparisons are what any grant allows.
const PAGE: u32 = 15;

pub(crate) fn find_by_phone(cx: &Cx<Settings>, candidates: &[Text]) -> Result<Vec<Contact>> {
    // Odoo reads a search for an empty number as one for everybody who has none.
    // Behind a seal it cannot be told, so that both conditions below keep it out: the one takes numbers only, the other
    // those who have one.
    let candidates: Vec<&Text> = candidates.iter().filter(|text| !text.is_empty()).collect();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let is_number = |text: &Text| cx.text().phone_format(text, PhoneStyle::E164).is_ok();
    let numbers: Vec<&Text> = candidates.iter().copied().filter(|text| is_number(text)).collect();
    let spellings = spellings(cx, &candidates);
    let body = |field: &str| {
        json!({
            "domain": [["phone", "!=", false], "|", ["phone_sanitized", "in", numbers], [field, "in", spellings]],
            "fields": CARD,
            "limit": SAME_NUMBER,
        })
    };
    let reply = cx.egress().post("find-by-phone", params! {}, &body("phone_mobile_search"))?;
    // It refuses a text of fewer than three characters, such as an extension, and then finds nothing of the others.
    let reply = if reply.status() == 422 {
        cx.egress().post("find-by-phone", params! {}, &body("phone"))?
    } else {
        reply
    };
    let found: Vec<Partner> = accepted(cx, "find-by-phone", reply)?.json()?;
    Ok(found.into_iter().map(|partner| partner.contact(cx)).collect())
}

/// Each form as it is, then as people and other programs write it. What is no number has only itself.
fn spellings(cx: &Cx<Settings>, candidates: &[&Text]) -> Vec<Text> {
    let written = |style| candidates.iter().filter_map(move |text| cx.text().phone_format(text, style).ok());
    candidates
        .iter()
        .copied()
        .cloned()
        .chain(written(PhoneStyle::National))
        .chain(written(PhoneStyle::Digits))
        .collect()
}

pub(crate) fn search(cx: &Cx<Settings>, query: &Text, page: &Page) -> Result<Matches> {
    let window = Window::of(page, PAGE)?;
    let body = json!({
        "domain": [
            "|", "|", "|",
            ["complete_name", "ilike", query],
            ["email", "ilike", query],
            ["phone", "ilike", query],
            ["phone_sanitized", "ilike", query],
        ],
        "fields": CARD,
        "limit": window.limit_and_one(),
        "offset": window.offset(),
    });
    let (found, next) = window.cut(found::<Partner>(cx, "search", &body)?);
    Ok(Matches { items: found.into_iter().map(|partner| partner.contact(cx)).collect(), next })
}

pub(crate) fn get(cx: &Cx<Settings>, id: &Id) -> Result<Contact> {
    let body = json!({"domain": [["id", "=", id.number()?]], "fields": CARD});
    let found: Vec<Partner> = found(cx, "get", &body)?;
    Ok(found.into_iter().next().ok_or(Error::NotFound)?.contact(cx))
}

pub(crate) fn create(cx: &Cx<Settings>, draft: &ContactDraft) -> Result<Contact> {
    let mut values = values(cx, draft);
    if !values.contains_key("name") {
        // A company by itself.
        let Some(company) = values.remove("company_name") else {
            return Err(Error::Invalid("a new contact needs a name; Odoo keeps none without".into()));
        };
        values.insert("name".into(), company);
        values.insert("is_company".into(), json!(true));
    }
    if let Some(known) = same(cx, values.get("name"), draft)? {
        return Ok(known.contact(cx));
    }
    let reply = cx.egress().post("create", params! {}, &json!({"vals_list": [values]}))?;
    let ids: Vec<Id> = accepted(cx, "create", reply)?.json()?;
    let id =
        ids.into_iter().next().ok_or_else(|| Error::Permanent("Odoo made a contact without id".into()))?;
    // From the draft and not read back: what was made is made, whether or not it can be read.
    let person = filled(&draft.name);
    Ok(Contact {
        url: cx.settings().link(PARTNER, &id),
        id,
        name: person.or(filled(&draft.organization)).cloned().unwrap_or_default(),
        organization: person.and(filled(&draft.organization)).cloned(),
        phones: draft.phones.first().cloned().into_iter().collect(),
        emails: draft.emails.first().cloned().into_iter().collect(),
        ..Contact::default()
    })
}

/// Somebody of this name with this number or this e-mail: a person entered them, or a try did whose answer was lost, as
/// when Odoo fails in what comes after the writing. Namesakes are two people, so that a name alone tells nothing.
fn same(cx: &Cx<Settings>, name: Option<&Value>, draft: &ContactDraft) -> Result<Option<Partner>> {
    let first = |values: &[Text]| values.first().filter(|value| !value.is_empty()).cloned();
    let (phone, email) = (first(&draft.phones), first(&draft.emails));
    if phone.is_none() && email.is_none() {
        return Ok(None);
    }
    let e164 = phone.as_ref().and_then(|phone| cx.text().phone_format(phone, PhoneStyle::E164).ok());
    let phones: Vec<Text> = phone.into_iter().collect();
    let body = json!({
        "domain": [
            ["name", "=", name],
            "|", "|",
            ["phone", "in", phones],
            ["phone_sanitized", "in", Vec::from_iter(e164)],
            ["email", "in", Vec::from_iter(email)],
        ],
        "fields": CARD,
        "order": "id",
        "limit": 1,
    });
    Ok(found(cx, "find-same", &body)?.into_iter().next())
}

pub(crate) fn update(cx: &Cx<Settings>, id: &Id, changes: &ContactDraft) -> Result<Contact> {
    let values = values(cx, changes);
    if !values.is_empty() {
        let body = json!({"ids": [id.number()?], "vals": values});
        let reply = cx.egress().post("update", params! {}, &body)?;
        accepted(cx, "update", reply)?;
    }
    get(cx, id)
}

/// What a draft says, in Odoo's fields.
fn values(cx: &Cx<Settings>, draft: &ContactDraft) -> Map<String, Value> {
    if draft.phones.len() > 1 || draft.emails.len() > 1 {
        cx.log().warn("a contact in Odoo has one number and one e-mail: the first of each is kept");
    }
    if !draft.extra.is_empty() {
        cx.log().warn("fields beyond name, company, number and e-mail have no place in this plugin");
    }
    let fields = [
        ("name", filled(&draft.name)),
        ("company_name", filled(&draft.organization)),
        ("phone", draft.phones.first()),
        ("email", draft.emails.first()),
    ];
    fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), json!(value?)))).collect()
}

fn filled(text: &Option<Text>) -> Option<&Text> {
    text.as_ref().filter(|text| !text.is_empty())
}
