//! Changing the records: the drafts that callers send, their rules, and what a deletion takes with it.

use serde::{Deserialize, Deserializer};

use crate::book::Book;
use crate::id::{ActivityId, ContactId, Id, UserId};
use crate::phone::Digits;
use crate::records::{Activity, ActivityKind, Contact, Direction};
use crate::refusal::Refusal;

/// What may be written to a contact. What is absent stays; a list replaces the list; null clears.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactDraft {
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    company: Option<Option<String>>,
    phones: Option<Vec<String>>,
    emails: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    document: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    owner_id: Option<Option<UserId>>,
    #[serde(default, deserialize_with = "given")]
    city: Option<Option<String>>,
}

/// What may be written to an activity. What is absent or null stays: facts about a call are only added to.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivityDraft {
    external_id: Option<String>,
    contact_id: Option<ContactId>,
    kind: Option<ActivityKind>,
    subject: Option<String>,
    body: Option<String>,
    direction: Option<Direction>,
    outcome: Option<String>,
    phone: Option<String>,
    user_id: Option<UserId>,
    started_ms: Option<u64>,
    duration_s: Option<u32>,
    /// Names this change: sent again, because an answer was lost, it changes nothing.
    amendment_id: Option<String>,
    /// Change only what is still as it was at this `updated_ms`: what somebody else wrote since is not overwritten.
    if_updated_ms: Option<u64>,
}

/// Tells an explicit null from an absent field.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

// === impl Book: contacts ===

impl Book {
    pub(crate) fn create_contact(&mut self, draft: ContactDraft) -> Result<&Contact, Refusal> {
        self.check_contact(&draft, None)?;
        if draft.name.is_none() {
            return Err(required("name"));
        }
        let updated_ms = self.now_ms();
        let id = Id::after(self.last_contact.as_ref());
        self.last_contact = Some(id);
        let mut contact = Contact {
            id,
            name: String::new(),
            company: None,
            phones: Vec::new(),
            emails: Vec::new(),
            document: None,
            owner_id: None,
            city: None,
            since: day(updated_ms),
            updated_ms,
            more: serde_json::Map::new(),
        };
        draft.apply(&mut contact);
        Ok(self.contacts.entry(id).or_insert(contact))
    }

    pub(crate) fn change_contact(&mut self, id: ContactId, draft: ContactDraft) -> Result<&Contact, Refusal> {
        self.contact(id)?;
        self.check_contact(&draft, Some(id))?;
        let updated_ms = self.now_ms();
        let contact = self.contacts.get_mut(&id).ok_or(Refusal::NotFound("contact"))?;
        draft.apply(contact);
        contact.updated_ms = updated_ms;
        Ok(contact)
    }

    /// Erases a person: the contact, all notes and activities. Deals stay without person and title, since
    /// the company's figures rest on them.
    pub(crate) fn delete_contact(&mut self, id: ContactId) -> Result<(), Refusal> {
        self.contacts.remove(&id).ok_or(Refusal::NotFound("contact"))?;
        let updated_ms = self.now_ms();
        self.notes.retain(|_, note| note.contact_id != id);
        self.activities.retain(|_, activity| activity.contact_id != Some(id));
        let activities = &self.activities;
        self.by_external_id.retain(|_, activity| activities.contains_key(activity));
        for deal in self.deals.values_mut().filter(|deal| deal.contact_id == Some(id)) {
            deal.contact_id = None;
            deal.title = "(anonymised)".to_owned();
            deal.updated_ms = updated_ms;
        }
        Ok(())
    }

    fn check_contact(&self, draft: &ContactDraft, own: Option<ContactId>) -> Result<(), Refusal> {
        check_text("name", draft.name.as_deref(), 120)?;
        check_text("company", draft.company.as_ref().and_then(Option::as_deref), 120)?;
        check_text("city", draft.city.as_ref().and_then(Option::as_deref), 80)?;
        check_list(
            "phones",
            draft.phones.as_deref(),
            "it takes up to 8 numbers of 8 to 15 digits",
            |phone| phone.len() <= 40 && Digits::of(phone).is_some(),
        )?;
        check_list("emails", draft.emails.as_deref(), "it takes up to 8 addresses", is_email)?;
        self.check_user("owner_id", draft.owner_id.flatten())?;
        let Some(document) = draft.document.as_ref().and_then(Option::as_deref) else { return Ok(()) };
        if !(5..=20).contains(&document.len()) {
            return Err(Refusal::Field { field: "document", rule: "it takes 5 to 20 characters" });
        }
        let is_same =
            |contact: &Contact| contact.document.as_deref().is_some_and(|kept| same_document(kept, document));
        let is_taken = self.contacts.values().any(|contact| Some(contact.id) != own && is_same(contact));
        if is_taken { Err(Refusal::DocumentTaken) } else { Ok(()) }
    }

    fn check_user(&self, field: &'static str, id: Option<UserId>) -> Result<(), Refusal> {
        let is_there = id.is_none_or(|id| self.users.contains_key(&id));
        if is_there { Ok(()) } else { Err(Refusal::Field { field, rule: "there is no such user" }) }
    }
}

impl ContactDraft {
    fn apply(self, contact: &mut Contact) {
        set(&mut contact.name, self.name);
        set(&mut contact.company, self.company);
        set(&mut contact.phones, self.phones);
        set(&mut contact.emails, self.emails);
        set(&mut contact.document, self.document);
        set(&mut contact.owner_id, self.owner_id);
        set(&mut contact.city, self.city);
    }
}

// === impl Book: activities ===

impl Book {
    /// The activity with the draft's external identifier, and whether this call made it. Whoever sends the
    /// same one again, because an answer was lost, gets the first record and makes no second.
    pub(crate) fn record_activity(&mut self, draft: ActivityDraft) -> Result<(&Activity, bool), Refusal> {
        let external_id = draft.external_id.clone().ok_or(required("external_id"))?;
        check_text("external_id", Some(&external_id), 120)?;
        if let Some(known) = self.by_external_id.get(&external_id).copied() {
            return self
                .activities
                .get(&known)
                .map(|known| (known, false))
                .ok_or(Refusal::NotFound("activity"));
        }
        if draft.amendment_id.is_some() || draft.if_updated_ms.is_some() {
            let rule = "it is for a change of what is there";
            return Err(Refusal::Field { field: "amendment_id, if_updated_ms", rule });
        }
        self.check_activity(&draft)?;
        let (kind, started_ms) =
            (draft.kind.ok_or(required("kind"))?, draft.started_ms.ok_or(required("started_ms"))?);
        let now_ms = self.now_ms();
        let id: ActivityId = Id::after(self.last_activity.as_ref());
        self.last_activity = Some(id);
        self.by_external_id.insert(external_id.clone(), id);
        let mut activity = Activity {
            id,
            external_id: Some(external_id),
            amendments: Vec::new(),
            contact_id: None,
            kind,
            subject: String::new(),
            body: None,
            direction: None,
            outcome: None,
            phone: None,
            user_id: None,
            started_ms,
            duration_s: None,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        draft.apply(&mut activity);
        Ok((self.activities.entry(id).or_insert(activity), true))
    }

    pub(crate) fn activity(&self, id: ActivityId) -> Result<&Activity, Refusal> {
        self.activities.get(&id).ok_or(Refusal::NotFound("activity"))
    }

    pub(crate) fn change_activity(
        &mut self,
        id: ActivityId,
        draft: ActivityDraft,
    ) -> Result<&Activity, Refusal> {
        let kept = self.activity(id)?;
        check_text("amendment_id", draft.amendment_id.as_deref(), 120)?;
        if draft.amendment_id.as_ref().is_some_and(|change| kept.amendments.contains(change)) {
            return self.activity(id);
        }
        if draft.if_updated_ms.is_some_and(|seen| seen != kept.updated_ms) {
            return Err(Refusal::Changed("activity"));
        }
        if draft.external_id.is_some() && draft.external_id != kept.external_id {
            return Err(Refusal::Field { field: "external_id", rule: "it stays as it was first written" });
        }
        self.check_activity(&draft)?;
        let updated_ms = self.now_ms();
        let activity = self.activities.get_mut(&id).ok_or(Refusal::NotFound("activity"))?;
        draft.apply(activity);
        activity.updated_ms = updated_ms;
        Ok(activity)
    }

    fn check_activity(&self, draft: &ActivityDraft) -> Result<(), Refusal> {
        check_text("subject", draft.subject.as_deref(), 200)?;
        check_text("body", draft.body.as_deref(), 8_000)?;
        check_text("outcome", draft.outcome.as_deref(), 80)?;
        check_text("phone", draft.phone.as_deref(), 40)?;
        self.check_user("user_id", draft.user_id)?;
        match draft.contact_id {
            Some(id) if !self.contacts.contains_key(&id) => {
                Err(Refusal::Field { field: "contact_id", rule: "there is no such contact" })
            }
            _ => Ok(()),
        }
    }
}

impl ActivityDraft {
    fn apply(self, activity: &mut Activity) {
        activity.contact_id = self.contact_id.or(activity.contact_id);
        set(&mut activity.kind, self.kind);
        set(&mut activity.subject, self.subject);
        activity.body = self.body.or(activity.body.take());
        activity.direction = self.direction.or(activity.direction);
        activity.outcome = self.outcome.or(activity.outcome.take());
        activity.phone = self.phone.or(activity.phone.take());
        activity.user_id = self.user_id.or(activity.user_id);
        set(&mut activity.started_ms, self.started_ms);
        activity.duration_s = self.duration_s.or(activity.duration_s);
        activity.amendments.extend(self.amendment_id);
    }
}

// === rules ===

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn required(field: &'static str) -> Refusal {
    Refusal::Field { field, rule: "it is required" }
}

fn check_text(field: &'static str, text: Option<&str>, longest: usize) -> Result<(), Refusal> {
    match text {
        Some(text) if text.trim().is_empty() => {
            Err(Refusal::Field { field, rule: "it is empty; leave it out" })
        }
        Some(text) if text.chars().count() > longest => Err(Refusal::Field { field, rule: "it is too long" }),
        _ => Ok(()),
    }
}

fn check_list(
    field: &'static str,
    list: Option<&[String]>,
    rule: &'static str,
    is_good: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let is_good = list.is_none_or(|list| list.len() <= 8 && list.iter().all(|item| is_good(item)));
    if is_good { Ok(()) } else { Err(Refusal::Field { field, rule }) }
}

fn is_email(text: &str) -> bool {
    let has_two_sides =
        text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    has_two_sides
        && text.len() <= 254
        && text.matches('@').count() == 1
        && !text.contains(char::is_whitespace)
}

/// Documents are compared without their punctuation.
fn same_document(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    letters(a) == letters(b)
}

/// The day of an instant, UTC, as `2021-03-04`.
fn day(ms: u64) -> String {
    let instant = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    instant.unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests;
