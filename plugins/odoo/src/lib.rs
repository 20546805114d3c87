//! The plugin for Odoo 19: contacts, calls as notes in their chatter, leads and opportunities as deals.
//!
//! Odoo answers generously and forgets badly. What that needs is in `reply` (an empty field is the word `false`, and
//! one status means three things), `journal` (look first, and add to an entry without losing what a person made of
//! it) and `erase` (a deleted contact leaves its name, number and e-mail in leads, meetings and messages).
//!
//! ```text
//! lib        which function is what             settings  what the admin enters
//! contacts   find, search, get, create, update  reply     refusals, pages, fields that hold nothing
//! journal    an entry for each call             answer    Odoo's records as the routes leave them
//! subject    what Odoo holds on somebody        erase     removing it, copies first
//! ```

mod answer;
mod changes;
mod contacts;
mod erase;
mod journal;
mod reply;
mod settings;
mod subject;

use ramal_sdk::offset::Window;
use ramal_sdk::prelude::*;
use serde_json::json;

use crate::answer::{Context, Lead, OdooUser};
use crate::reply::{accepted, found};
use crate::settings::Settings;

/// The model of customers.
const PARTNER: &str = "res.partner";
/// The model of deals.
const LEAD: &str = "crm.lead";
/// The model of what stands in a chatter.
const MESSAGE: &str = "mail.message";
/// At most so many open deals: a card has no room for more.
const OPEN_ITEMS: u32 = 20;
/// Users of a page: each has one field that may be empty, and 64 comparisons are what any grant allows.
const USERS: u32 = 60;

struct Odoo;

impl Crm for Odoo {
    type Settings = Settings;

    fn check(cx: &Cx<Settings>) -> Result<Account> {
        let reply = cx.egress().post("account", params! {}, &json!({}))?;
        let Context { uid } = accepted(cx, "account", reply)?.json()?;
        may_read(cx, PARTNER, "Contact / Creation")?;
        may_read(cx, LEAD, "Sales / User: All Documents")?;
        Ok(Account {
            name: format!("Odoo, database {}, user {uid}", cx.settings().database),
            id: Some(cx.settings().database.as_str().into()),
        })
    }

    fn find_by_phone(cx: &Cx<Settings>, candidates: &[Text]) -> Result<Vec<Contact>> {
        contacts::find_by_phone(cx, candidates)
    }

    fn search(cx: &Cx<Settings>, query: &Text, page: &Page) -> Result<Matches> {
        contacts::search(cx, query, page)
    }

    fn get_contact(cx: &Cx<Settings>, id: &Id) -> Result<Contact> {
        contacts::get(cx, id)
    }

    fn create_contact(cx: &Cx<Settings>, draft: &ContactDraft) -> Result<Contact> {
        contacts::create(cx, draft)
    }

    fn update_contact(cx: &Cx<Settings>, id: &Id, changes: &ContactDraft) -> Result<Contact> {
        contacts::update(cx, id, changes)
    }

    fn write_journal(cx: &Cx<Settings>, entry: &Entry) -> Result<Ref> {
        journal::write(cx, entry)
    }

    fn amend_journal(cx: &Cx<Settings>, record: &Ref, entry: &Entry) -> Result<Ref> {
        journal::amend(cx, record, entry)
    }

    fn open_items(cx: &Cx<Settings>, contact: &Id) -> Result<Vec<Item>> {
        let body = json!({
            "domain": [["partner_id", "=", contact.number()?], ["won_status", "=", "pending"]],
            "fields": ["name", "type", "stage_id", "expected_revenue", "company_currency", "user_id", "write_date"],
            "order": "write_date desc, id desc",
            "limit": OPEN_ITEMS,
        });
        let found: Vec<Lead> = found(cx, "open-leads", &body)?;
        Ok(found.into_iter().map(|lead| lead.item(cx)).collect())
    }

    fn list_users(cx: &Cx<Settings>, page: &Page) -> Result<Users> {
        let window = Window::of(page, USERS)?;
        let body = json!({
            "domain": [["share", "=", false]],
            "fields": ["name", "email", "phone_mobile_search"],
            "order": "name, id",
            "limit": window.limit_and_one(),
            "offset": window.offset(),
        });
        let (found, next) = window.cut(found::<OdooUser>(cx, "users", &body)?);
        Ok(Users { items: found.into_iter().map(|user| user.user(cx)).collect(), next })
    }

    fn export_subject(cx: &Cx<Settings>, contact: &Id) -> Result<Vec<Held>> {
        subject::export(cx, contact)
    }

    fn erase_subject(cx: &Cx<Settings>, contact: &Id, how: Erasure) -> Result<Receipt> {
        erase::erase(cx, contact, how)
    }

    fn handle_event(cx: &Cx<Settings>, occasion: &Occasion) -> Result<News> {
        match occasion {
            Occasion::Tick { cursor } => changes::since(cx, cursor.as_deref()),
            // Odoo sends none: the manifest has no [[hook]].
            Occasion::Hook(_) => Err(Error::Unsupported),
        }
    }
}

/// Asks for a count of nothing: the answer is a number, or 403 where the key's user has no right.
fn may_read(cx: &Cx<Settings>, model: &str, group: &str) -> Result<()> {
    let body = json!({"domain": [["id", "=", 0]]});
    let reply = cx.egress().post("try", params! { "model" => model }, &body)?;
    if reply.status() == 403 {
        return Err(Error::Denied(format!(
            "the key's user may not read {model}; put the user into Odoo's group \"{group}\""
        )));
    }
    accepted(cx, "try", reply).map(drop)
}

ramal_sdk::register!(Odoo);

#[cfg(test)]
mod tests;
