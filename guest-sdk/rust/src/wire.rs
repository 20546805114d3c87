//! Between the SDK's types and the generated ones, field by field and without copies of text.
//!
//! Exhaustive on purpose: a field that the WIT gains does not compile until it has a place here.
//!
//! What several exports share is `#[inline(never)]`: a copy in each of them would be a tenth of a component.

use crate::bindings::exports::ramal::crm as out;
use crate::bindings::ramal::crm as wit;
use crate::{
    Account, Call, Contact, ContactDraft, Dial, Direction, Entry, Erasure, Error, Fact, Failure, Held, Hook,
    Id, Instant, Item, Labelled, Level, Matches, News, Occasion, Outcome, Page, PhoneStyle, Receipt, Ref,
    StoreFailure, Text, User, Users,
};

fn text(text: Text) -> String {
    text.0
}
fn texts(all: Vec<Text>) -> Vec<String> {
    all.into_iter().map(text).collect()
}
fn each<T, U: From<T>>(all: Vec<T>) -> Vec<U> {
    all.into_iter().map(U::from).collect()
}

// === what the host hands in ===

impl From<wit::types::Page> for Page {
    fn from(page: wit::types::Page) -> Self {
        let wit::types::Page { limit, cursor } = page;
        Self { limit, cursor }
    }
}
impl From<wit::types::Labelled> for Labelled {
    fn from(labelled: wit::types::Labelled) -> Self {
        let wit::types::Labelled { label, value } = labelled;
        Self { label, value: Text(value) }
    }
}
impl From<wit::types::ContactDraft> for ContactDraft {
    #[inline(never)]
    fn from(draft: wit::types::ContactDraft) -> Self {
        let wit::types::ContactDraft { name, organization, phones, emails, extra } = draft;
        Self {
            name: name.map(Text),
            organization: organization.map(Text),
            phones: each(phones),
            emails: each(emails),
            extra: each(extra),
        }
    }
}
impl From<wit::types::Ref> for Ref {
    fn from(record: wit::types::Ref) -> Self {
        let wit::types::Ref { kind, id, url } = record;
        Self { kind, id: Id::from(id), url }
    }
}
impl From<out::journal::Entry> for Entry {
    #[inline(never)]
    fn from(entry: out::journal::Entry) -> Self {
        let out::journal::Entry {
            idempotency_key,
            contact,
            channel,
            direction,
            outcome,
            counterpart,
            agent,
            queue,
            started,
            answered,
            ended,
            disposition,
            notes,
            transcript,
            recording,
            about,
        } = entry;
        Self {
            idempotency_key,
            contact: contact.map(Id::from),
            channel,
            direction: direction.into(),
            outcome: outcome.into(),
            counterpart: counterpart.map(Text),
            agent: agent.map(Text),
            queue,
            started: Instant::from_millis(started),
            answered: answered.map(Instant::from_millis),
            ended: ended.map(Instant::from_millis),
            disposition,
            notes: notes.map(Text),
            transcript: transcript.map(Text),
            recording: recording.map(Text),
            about: about.map(Ref::from),
        }
    }
}
impl From<out::journal::Direction> for Direction {
    fn from(direction: out::journal::Direction) -> Self {
        use out::journal::Direction as D;
        match direction {
            D::Inbound => Self::Inbound,
            D::Outbound => Self::Outbound,
            D::Internal => Self::Internal,
        }
    }
}
impl From<out::journal::Outcome> for Outcome {
    fn from(outcome: out::journal::Outcome) -> Self {
        use out::journal::Outcome as O;
        match outcome {
            O::Answered => Self::Answered,
            O::Missed => Self::Missed,
            O::Busy => Self::Busy,
            O::NoAnswer => Self::NoAnswer,
            O::Voicemail => Self::Voicemail,
            O::Failed => Self::Failed,
            O::Abandoned => Self::Abandoned,
        }
    }
}
impl From<out::privacy::Mode> for Erasure {
    fn from(mode: out::privacy::Mode) -> Self {
        match mode {
            out::privacy::Mode::Erase => Self::Erase,
            out::privacy::Mode::Anonymise => Self::Anonymise,
        }
    }
}
impl From<out::events::Occasion> for Occasion {
    fn from(occasion: out::events::Occasion) -> Self {
        match occasion {
            out::events::Occasion::Hook(out::events::Hook { name, headers, body }) => {
                Self::Hook(Hook { name, headers, body })
            }
            out::events::Occasion::Tick(out::events::Tick { cursor }) => Self::Tick { cursor },
        }
    }
}

// === what the host answers ===

impl From<wit::egress::Failure> for Failure {
    fn from(failure: wit::egress::Failure) -> Self {
        use wit::egress::Failure as F;
        match failure {
            F::Denied(text) => Self::Denied(text),
            F::Unavailable(text) => Self::Unavailable(text),
            F::Timeout => Self::Timeout,
            F::TooLarge => Self::TooLarge,
            F::RateLimited(seconds) => Self::RateLimited(seconds),
            F::AuthExpired => Self::AuthExpired,
        }
    }
}
impl From<wit::store::Failure> for StoreFailure {
    fn from(failure: wit::store::Failure) -> Self {
        match failure {
            wit::store::Failure::Full => Self::Full,
            wit::store::Failure::Refused(text) => Self::Refused(text),
            wit::store::Failure::Unavailable => Self::Unavailable,
        }
    }
}

// === what the plugin asks ===

impl From<Call> for wit::egress::Call {
    #[inline(never)]
    fn from(call: Call) -> Self {
        let Call { route, params, body } = call;
        Self { route, params: params.0.into_iter().map(|(name, value)| (name, value.0)).collect(), body }
    }
}
impl From<PhoneStyle> for wit::text::PhoneStyle {
    fn from(style: PhoneStyle) -> Self {
        match style {
            PhoneStyle::E164 => Self::E164,
            PhoneStyle::National => Self::National,
            PhoneStyle::Digits => Self::Digits,
            PhoneStyle::Rfc3966 => Self::Rfc3966,
            PhoneStyle::International => Self::International,
        }
    }
}
impl From<Level> for wit::log::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

// === what the plugin returns ===

impl From<Account> for out::connector::Account {
    fn from(account: Account) -> Self {
        let Account { name, id } = account;
        Self { name, id: id.map(Id::into_string) }
    }
}
impl From<Labelled> for wit::types::Labelled {
    fn from(labelled: Labelled) -> Self {
        let Labelled { label, value } = labelled;
        Self { label, value: value.0 }
    }
}
impl From<Contact> for wit::types::Contact {
    #[inline(never)]
    fn from(contact: Contact) -> Self {
        let Contact { id, name, organization, phones, emails, owner, url, updated, extra } = contact;
        Self {
            id: id.into_string(),
            name: name.0,
            organization: organization.map(text),
            phones: texts(phones),
            emails: texts(emails),
            owner: owner.map(text),
            url,
            updated: updated.map(Instant::as_millis),
            extra: each(extra),
        }
    }
}
impl From<Matches> for out::contacts::Matches {
    fn from(matches: Matches) -> Self {
        let Matches { items, next } = matches;
        Self { items: each(items), next }
    }
}
impl From<Ref> for wit::types::Ref {
    #[inline(never)]
    fn from(record: Ref) -> Self {
        let Ref { kind, id, url } = record;
        Self { kind, id: id.into_string(), url }
    }
}
impl From<Item> for out::work_items::Item {
    fn from(item: Item) -> Self {
        let Item { kind, id, title, stage, amount, owner, url, updated } = item;
        Self {
            kind,
            id: id.into_string(),
            title: title.0,
            stage,
            amount: amount.map(text),
            owner: owner.map(text),
            url,
            updated: updated.map(Instant::as_millis),
        }
    }
}
impl From<User> for out::users::User {
    fn from(user: User) -> Self {
        let User { id, name, email, extension } = user;
        Self { id: id.into_string(), name: name.0, email: email.map(text), extension }
    }
}
impl From<Users> for out::users::Listing {
    fn from(users: Users) -> Self {
        let Users { items, next } = users;
        Self { items: each(items), next }
    }
}
impl From<Held> for out::privacy::Held {
    fn from(held: Held) -> Self {
        let Held { record, what, fields } = held;
        Self {
            record_id: record.into(),
            what,
            fields: fields.into_iter().map(|(name, value)| (name, value.0)).collect(),
        }
    }
}
impl From<Receipt> for out::privacy::Receipt {
    fn from(receipt: Receipt) -> Self {
        let Receipt { removed, anonymised, kept } = receipt;
        Self {
            removed: each(removed),
            anonymised: each(anonymised),
            kept: kept.into_iter().map(|(record, reason)| (record.into(), reason)).collect(),
        }
    }
}
impl From<Fact> for out::events::Fact {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::ContactChanged(id) => Self::ContactChanged(id.into_string()),
            Fact::ContactDeleted(id) => Self::ContactDeleted(id.into_string()),
            Fact::RecordDeleted(record) => Self::RecordDeleted(record.into()),
            Fact::Dial(Dial { agent, number, about }) => Self::Dial(out::events::Dial {
                agent: agent.0,
                number: number.0,
                about: about.map(Into::into),
            }),
            Fact::Other { code, record } => Self::Other((code, record.into())),
        }
    }
}
impl From<News> for out::events::News {
    fn from(news: News) -> Self {
        let News { facts, next, more } = news;
        Self { facts: each(facts), next, more }
    }
}
impl From<Error> for wit::types::Error {
    #[inline(never)]
    fn from(error: Error) -> Self {
        match error {
            Error::Unsupported => Self::Unsupported,
            Error::NotFound => Self::NotFound,
            Error::Denied(text) => Self::Denied(text),
            Error::Invalid(text) => Self::Invalid(text),
            Error::AuthExpired => Self::AuthExpired,
            Error::RateLimited(seconds) => Self::RateLimited(seconds),
            Error::Transient(text) => Self::Transient(text),
            Error::Permanent(text) => Self::Permanent(text),
            Error::Other { code, message } => Self::Other((code, message)),
        }
    }
}
