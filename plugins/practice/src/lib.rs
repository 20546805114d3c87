//! The plugin for Ramal's practice CRM, and the first one to read when you write your own: plain REST, one
//! bearer key, and a CRM that recognises a repeated journal entry by its external id.

mod answer;
mod journal;

use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::{Account as AccountAnswer, Deals, Export, Found, Person, Told, Users as UserList, What};

struct Practice;

impl Crm for Practice {
    type Settings = NoSettings;

    fn check(cx: &Cx<NoSettings>) -> Result<Account> {
        let AccountAnswer { account } = cx.egress().send("account", params! {})?.json()?;
        Ok(Account { name: format!("Practice CRM, account {}", account.id), id: Some(account.id) })
    }

    fn find_by_phone(cx: &Cx<NoSettings>, candidates: &[Text]) -> Result<Vec<Contact>> {
        let calls = candidates.iter().map(|phone| Call::new("find-by-phone", params! { "phone" => phone }));
        let mut contacts: Vec<Contact> = Vec::new();
        for answer in cx.egress().send_all(calls.collect()) {
            let found: Found = answer?.json()?;
            for person in found.items {
                // One person may be found under two forms of the number.
                if !contacts.iter().any(|known| known.id == person.id) {
                    contacts.push(person.into());
                }
            }
        }
        Ok(contacts)
    }

    fn search(cx: &Cx<NoSettings>, query: &Text, page: &Page) -> Result<Matches> {
        let reply = match &page.cursor {
            None => cx.egress().send("search", params! { "query" => query, "limit" => page.limit }),
            Some(cursor) => cx.egress().send(
                "search-next",
                params! { "query" => query, "limit" => page.limit, "cursor" => cursor.as_str() },
            ),
        };
        let found: Found = reply?.json()?;
        Ok(Matches {
            items: found.items.into_iter().map(Contact::from).collect(),
            next: found.next.map(Id::into_string),
        })
    }

    fn get_contact(cx: &Cx<NoSettings>, id: &Id) -> Result<Contact> {
        Ok(cx.egress().send("get", params! { "id" => id })?.json::<Person>()?.into())
    }

    fn create_contact(cx: &Cx<NoSettings>, draft: &ContactDraft) -> Result<Contact> {
        let Some(name) = &draft.name else {
            return Err(Error::Invalid("the practice CRM needs a name".into()));
        };
        if let Some(known) = same(cx, name, draft.phones.first())? {
            return Ok(known.into());
        }
        Ok(cx.egress().post("create", params! {}, &fields(draft))?.json::<Person>()?.into())
    }

    fn update_contact(cx: &Cx<NoSettings>, id: &Id, changes: &ContactDraft) -> Result<Contact> {
        Ok(cx.egress().post("update", params! { "id" => id }, &fields(changes))?.json::<Person>()?.into())
    }

    fn write_journal(cx: &Cx<NoSettings>, entry: &Entry) -> Result<Ref> {
        journal::write(cx, entry)
    }

    fn amend_journal(cx: &Cx<NoSettings>, record: &Ref, entry: &Entry) -> Result<Ref> {
        journal::amend(cx, record, entry)
    }

    fn open_items(cx: &Cx<NoSettings>, contact: &Id) -> Result<Vec<Item>> {
        let deals: Deals = cx.egress().send("deals", params! { "id" => contact })?.json()?;
        Ok(deals.items.into_iter().map(Item::from).collect())
    }

    fn list_users(cx: &Cx<NoSettings>, _page: &Page) -> Result<Users> {
        let users: UserList = cx.egress().send("users", params! {})?.json()?;
        let items = users.items.into_iter().filter(|user| user.active).map(User::from).collect();
        Ok(Users { items, next: None })
    }

    fn export_subject(cx: &Cx<NoSettings>, contact: &Id) -> Result<Vec<Held>> {
        Ok(cx.egress().send("export", params! { "id" => contact })?.json::<Export>()?.held())
    }

    fn erase_subject(cx: &Cx<NoSettings>, contact: &Id, mode: Erasure) -> Result<Receipt> {
        if mode == Erasure::Anonymise {
            return Err(Error::Unsupported);
        }
        // The practice CRM deletes notes and activities with the contact and takes the person out of deals.
        // A contact that is gone already was erased by an earlier try.
        let reply = cx.egress().send("erase", params! { "id" => contact })?;
        if !reply.is_success() && reply.status() != 404 {
            return Err(Error::from_status("erase", reply.status()));
        }
        Ok(Receipt { removed: vec![Ref::new("contact", contact.clone())], ..Receipt::default() })
    }

    fn handle_event(_: &Cx<NoSettings>, occasion: &Occasion) -> Result<News> {
        // There is no [sync] in the manifest, so a tick never comes.
        let Occasion::Hook(hook) = occasion else { return Err(Error::Unsupported) };
        let Told { event, contact, user, phone } = hook.json()?;
        let fact = match (event, user, phone) {
            (What::Changed, ..) => Fact::ContactChanged(contact.id),
            (What::Deleted, ..) => Fact::ContactDeleted(contact.id),
            (What::CallWanted, Some(user), Some(number)) => Fact::Dial(Dial {
                agent: user.id.as_str().into(),
                number,
                about: Some(Ref::new("contact", contact.id)),
            }),
            (What::CallWanted, ..) => {
                return Err(Error::Permanent("a wanted call lacks its user or its number".into()));
            }
        };
        Ok(News::of([fact]))
    }
}

/// Somebody of this name with this number: a person entered them, or a try did whose answer was lost. Namesakes are two
/// people, so that a name alone tells nothing.
fn same(cx: &Cx<NoSettings>, name: &Text, phone: Option<&Text>) -> Result<Option<Person>> {
    let Some(phone) = phone else { return Ok(None) };
    let found: Found = cx.egress().send("find-same", params! { "phone" => phone, "name" => name })?.json()?;
    for person in found.items {
        if cx.text().same(&person.name, name)? {
            return Ok(Some(person));
        }
    }
    Ok(None)
}

/// What a draft says, and nothing of what it does not say.
fn fields(draft: &ContactDraft) -> Map<String, Value> {
    let mut fields = Map::new();
    if let Some(name) = &draft.name {
        fields.insert("name".into(), json!(name));
    }
    if let Some(company) = &draft.organization {
        fields.insert("company".into(), json!(company));
    }
    if !draft.phones.is_empty() {
        fields.insert("phones".into(), json!(draft.phones));
    }
    if !draft.emails.is_empty() {
        fields.insert("emails".into(), json!(draft.emails));
    }
    fields
}

ramal_sdk::register!(Practice);

#[cfg(test)]
mod tests;
