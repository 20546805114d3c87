//! The plugin for Tryton 8.2: parties as contacts, notes on them as the journal, sale opportunities as deals.
//!
//! Tryton has no telephone log, no key against a repeated entry, and an erasure that leaves the number and the
//! CPF behind. What that needs is in `journal` (look first, then write) and `erase` (delete first, then let
//! Tryton erase); the rest is plain reading and writing.
//!
//! ```text
//! lib        which function is what             settings  what the admin enters
//! contacts   find, search, get, create, update  search    the bodies of Tryton's `search_read`
//! journal    notes, written once                answer    Tryton's JSON as the routes leave it
//! subject    what Tryton holds on somebody      erase     removing it, in the one order that leaves nothing
//! changes    what was made or written since the last tick
//! ```

mod answer;
mod changes;
mod contacts;
mod erase;
mod journal;
mod search;
mod settings;
mod subject;

use ramal_sdk::offset::Window;
use ramal_sdk::prelude::*;
use serde_json::json;

use crate::answer::{Opportunity, Preferences, TrytonUser};
use crate::search::SearchRead;
use crate::settings::Settings;

/// The model of customers.
const PARTY: &str = "party.party";
/// The model of deals.
const OPPORTUNITY: &str = "sale.opportunity";
/// The model of notes.
const NOTE: &str = "ir.note";
/// At most so many open deals: a card has no room for more.
const OPEN_ITEMS: u32 = 20;

struct Tryton;

impl Crm for Tryton {
    type Settings = Settings;

    fn check(cx: &Cx<Settings>) -> Result<Account> {
        let settings = cx.settings();
        let reply = cx.egress().post("account", params! {}, &json!({"context_only": true}))?;
        let preferences: Preferences = search::known_database(cx, reply)?.json()?;
        let company = Id::from(settings.company);
        if !preferences.companies.contains(&company) {
            let known: Vec<&str> = preferences.companies.iter().map(Id::as_str).collect();
            return Err(Error::Invalid(format!(
                "the setting `company` is {company} and the key's user works for [{}]; correct the setting, or add \
                 the company to the user",
                known.join(", ")
            )));
        }
        may_read(cx, "try-parties", "party.party", "Party Administration")?;
        may_read(cx, "try-opportunities", OPPORTUNITY, "Sale Opportunity")?;
        Ok(Account {
            name: format!("Tryton, database {}, company {company}", settings.database),
            id: Some(company),
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
        let body = SearchRead::new(json!([
            ["party", "=", contact.number()?],
            ["state", "in", ["lead", "opportunity"]]
        ]))
        .fields(&["description", "number", "state", "amount", "currency.code", "employee.rec_name"])
        .fields(&["create_date", "write_date"])
        .latest_first("start_date")
        .limit(OPEN_ITEMS);
        let found: Vec<Opportunity> = search::found(cx, "opportunities", &body)?;
        Ok(found.into_iter().map(|opportunity| opportunity.item(cx.settings())).collect())
    }

    fn list_users(cx: &Cx<Settings>, page: &Page) -> Result<Users> {
        let window = Window::of(page, search::PAGE)?;
        let body = SearchRead::new(json!([])).fields(&["name", "login", "email"]).by_name().page(window);
        let found: Vec<TrytonUser> = search::found(cx, "users", &body)?;
        let (found, next) = window.cut(found);
        Ok(Users { items: found.into_iter().map(User::from).collect(), next })
    }

    fn export_subject(cx: &Cx<Settings>, contact: &Id) -> Result<Vec<Held>> {
        subject::export(cx, contact)
    }

    fn erase_subject(cx: &Cx<Settings>, contact: &Id, _how: Erasure) -> Result<Receipt> {
        // Tryton's erasure makes the party anonymous and deletes what hangs on it: it is both ways in one.
        erase::erase(cx, contact)
    }

    fn handle_event(cx: &Cx<Settings>, occasion: &Occasion) -> Result<News> {
        match occasion {
            Occasion::Tick { cursor } => changes::since(cx, cursor.as_deref()),
            // Tryton sends none: the manifest has no [[hook]].
            Occasion::Hook(_) => Err(Error::Unsupported),
        }
    }
}

/// Asks for a count of nothing: the answer is a number, or 403 where the key's user has no right.
fn may_read(cx: &Cx<Settings>, route: &str, model: &str, group: &str) -> Result<()> {
    let body = json!({"domain": [["id", "=", 0]]});
    match cx.egress().post(route, params! {}, &body) {
        // Not granted: then the plugin is not meant to work with it.
        Err(Failure::Denied(_)) => Ok(()),
        Ok(reply) if reply.status() == 403 => Err(Error::Denied(format!(
            "the key's user may not read {model}; put the user into Tryton's group \"{group}\""
        ))),
        reply => reply?.success().map(drop),
    }
}

ramal_sdk::register!(Tryton);

#[cfg(test)]
mod tests;
