//! The plugin for BottleCRM 1.35: contacts, its log of interactions as the journal, deals and tickets.
//!
//! BottleCRM answers with more than it is asked for, takes two cities' numbers for the same, has no key against a
//! repeated entry, says 403 to a token that is no longer accepted, and leaves comments and files behind a deleted
//! contact. What each of these needs is in the module that it touches; the rest is plain reading and writing.
//!
//! ```text
//! lib        which function is what             settings  what the admin enters
//! contacts   find, search, get, create, update  answer    BottleCRM's JSON and its refusals
//! journal    entries, written once, added to    mark      how an entry is recognised
//! subject    what BottleCRM holds on somebody   erase     removing it, in the one order that leaves nothing
//! ```

mod answer;
mod changes;
mod contacts;
mod erase;
mod journal;
mod mark;
mod settings;
mod subject;

use ramal_sdk::Params;
use ramal_sdk::offset::Window;
use ramal_sdk::prelude::*;
use serde_json::json;

use crate::answer::{Deal, Member, StageKind, Ticket, ask, understood, uuid};
use crate::settings::Settings;

struct BottleCrm;

impl Crm for BottleCrm {
    type Settings = Settings;

    fn check(cx: &Cx<Settings>) -> Result<Account> {
        // An empty question, a question without a record and two changes of a record that there is not: each is answered
        // only to a token that may, and none of them reads or changes anything.
        probe(cx, "try-contacts", params! {})?;
        probe(cx, "try-entries", params! {})?;
        for what in ["contacts", "interactions"] {
            probe(cx, "try-change", params! { "what" => what })?;
        }
        Ok(Account { name: format!("BottleCRM at {}", cx.settings().server), id: None })
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
        let page: OpenItems = ask(cx, "open-items", params! { "id" => uuid(contact)? })?.json()?;
        let deals: Vec<Deal> = page
            .opportunities
            .into_iter()
            .filter(|deal| !matches!(deal.stage_kind, Some(StageKind::Won | StageKind::Lost)))
            .collect();
        if usize::try_from(page.open_deals.count).is_ok_and(|count| count > deals.len()) {
            cx.log().warn(
                "the contact has more open deals than BottleCRM's page of a contact shows: its latest ten",
            );
        }
        let tickets = page.cases.into_iter().filter(Ticket::is_open).map(Ticket::item);
        Ok(deals.into_iter().map(Deal::item).chain(tickets).collect())
    }

    fn list_users(cx: &Cx<Settings>, page: &Page) -> Result<Users> {
        // BottleCRM gives all of them at once.
        let window = Window::of(page, contacts::PAGE)?;
        let all: Members = ask(cx, "users", params! {})?.json()?;
        let from = usize::try_from(window.offset()).unwrap_or(usize::MAX);
        let most = usize::try_from(window.limit()).unwrap_or(usize::MAX);
        let more = all.profiles.len() > from.saturating_add(most);
        let items = all.profiles.into_iter().skip(from).take(most).filter_map(user).collect();
        Ok(Users { items, next: window.next(more) })
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
            // There is no [[hook]] in the manifest: BottleCRM's reach no address inside a company.
            Occasion::Hook(_) => Err(Error::Unsupported),
        }
    }
}

/// Asks whether the token may. 404 and 400 are what BottleCRM says to one that may and asks for nothing.
fn probe(cx: &Cx<Settings>, route: &str, params: Params) -> Result<()> {
    let body = json!({});
    let asked = if route == "try-entries" {
        cx.egress().send(route, params)
    } else {
        cx.egress().post(route, params, &body)
    };
    match (route, asked) {
        // Not granted: then the plugin is not meant to work with it.
        (_, Err(Failure::Denied(_))) => Ok(()),
        ("try-contacts", reply) => contacts::api(cx, understood(route, reply?)?)?.success().map(drop),
        (_, reply) => understood(route, reply?).map(drop),
    }
}

#[derive(Deserialize)]
struct OpenItems {
    #[serde(default)]
    opportunities: Vec<Deal>,
    #[serde(default)]
    open_deals: OpenDeals,
    #[serde(default)]
    cases: Vec<Ticket>,
}

#[derive(Default, Deserialize)]
struct OpenDeals {
    #[serde(default)]
    count: u32,
}

#[derive(Deserialize)]
struct Members {
    profiles: Vec<Member>,
}

/// A member; one without a number is none.
fn user(member: Member) -> Option<User> {
    let details = member.user_details?;
    let email = details.email.and_then(Text::non_empty);
    // Somebody who was invited and never came has no name yet.
    let name = details.name.and_then(Text::non_empty).or_else(|| email.clone()).unwrap_or_default();
    Some(User { id: member.id?, name, email, extension: None })
}

ramal_sdk::register!(BottleCrm);

#[cfg(test)]
mod tests;
