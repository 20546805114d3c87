//! Removing somebody from Odoo: the copies first, the contact last, so that a try that broke off is taken up by the
//! next one, which still finds the copies by the contact.
//!
//! Deleting a contact leaves its name, number and e-mail in its leads, in the text of meetings (Odoo writes them there
//! itself), in messages to Odoo's own users and in the messages that the person wrote elsewhere. Emptying a field
//! without more would even add to it: Odoo notes the former value in a table that only an administrator reads. So each
//! request says not to, and the messages to which older values belong are deleted with them.
//!
//! What stays is said in the receipt.

use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::Record;
use crate::reply::{accepted, found};
use crate::settings::Settings;
use crate::subject::{ACTIVITY, ATTACHMENT, EVENT, Message, Subject, numbers};
use crate::{LEAD, MESSAGE, PARTNER};

/// The model of bank accounts.
const BANK: &str = "res.partner.bank";
/// What says who it is, on a lead.
const OF_A_LEAD: [&str; 14] = [
    "partner_id",
    "contact_name",
    "partner_name",
    "email_from",
    "phone",
    "street",
    "street2",
    "zip",
    "city",
    "function",
    "website",
    "email_cc",
    "referred",
    "description",
];
/// What says who it is, on a contact.
const OF_A_CONTACT: [&str; 14] = [
    "phone",
    "email",
    "street",
    "street2",
    "zip",
    "city",
    "vat",
    "website",
    "function",
    "ref",
    "company_name",
    "barcode",
    "comment",
    "image_1920",
];

pub(crate) fn erase(cx: &Cx<Settings>, contact: &Id, how: Erasure) -> Result<Receipt> {
    let Some(subject) = Subject::read(cx, contact.number()?)? else {
        return Ok(Receipt { removed: vec![Ref::new(PARTNER, contact.clone())], ..Receipt::default() });
    };
    let mut receipt = Receipt::default();
    strangers(cx, &mut receipt, &subject)?;
    messages(cx, &mut receipt, &subject.messages)?;
    delete(cx, &mut receipt, ACTIVITY, subject.activities.iter().map(|activity| &activity.id))?;
    attachments(cx, &mut receipt, &subject)?;
    leads(cx, &mut receipt, &subject)?;
    events(cx, &mut receipt, &subject)?;
    banks(cx, &mut receipt, &subject)?;
    people(cx, &mut receipt, &subject, how)?;
    out_of_reach(&mut receipt, contact);
    Ok(receipt)
}

/// Leads with the same number or e-mail that belong to no contact. They may be somebody else's behind the same
/// switchboard, so a person has to decide.
fn strangers(cx: &Cx<Settings>, receipt: &mut Receipt, subject: &Subject) -> Result<()> {
    let mut asked = Vec::new();
    for person in &subject.people {
        let fields = [("phone", person.phone.clone()), ("email_from", person.email.clone())];
        asked.extend(
            fields.into_iter().filter_map(|(field, value)| Some((field, subject.nothing.filter(cx, value)?))),
        );
    }
    for (field, value) in asked {
        let body = json!({
            "domain": [["partner_id", "=", false], [field, "=", value]],
            "fields": ["id"],
            "limit": 200,
            "context": {"active_test": false},
        });
        let same: Vec<Record> = found(cx, "same-number", &body)?;
        for lead in same {
            let lead = Ref::new(LEAD, lead.id);
            if !receipt.kept.iter().any(|(known, _)| *known == lead) {
                let why = "has the same number or e-mail and belongs to no contact; look at it, it may be somebody else's";
                receipt.kept.push((lead, why.into()));
            }
        }
    }
    Ok(())
}

/// Messages are deleted, and with them the former values of fields that Odoo keeps by them. Those to Odoo's own users can
/// only be emptied.
fn messages(cx: &Cx<Settings>, receipt: &mut Receipt, messages: &[Message]) -> Result<()> {
    let (for_users, others): (Vec<&Message>, Vec<&Message>) =
        messages.iter().partition(|message| message.is_for_a_user());
    delete(cx, receipt, MESSAGE, others.iter().map(|message| &message.id))?;
    if for_users.is_empty() {
        return Ok(());
    }
    let body = json!({
        "ids": numbers(for_users.iter().map(|message| &message.id))?,
        "vals": {"body": null, "subject": null, "email_from": null, "reply_to": null},
    });
    let reply = cx.egress().post("empty-messages", params! {}, &body)?;
    accepted(cx, "empty-messages", reply)?;
    for message in for_users {
        let message = Ref::new(MESSAGE, message.id.clone());
        receipt.anonymised.push(message.clone());
        let why = "was also sent as an e-mail to one of Odoo's users; the copy in Odoo's queue of e-mails, if it is still \
                   there, only an administrator can delete";
        receipt.kept.push((message, why.into()));
    }
    Ok(())
}

fn attachments(cx: &Cx<Settings>, receipt: &mut Receipt, subject: &Subject) -> Result<()> {
    delete(cx, receipt, ATTACHMENT, subject.attachments.iter().map(|attachment| &attachment.id))
}

fn leads(cx: &Cx<Settings>, receipt: &mut Receipt, subject: &Subject) -> Result<()> {
    if subject.leads.is_empty() {
        return Ok(());
    }
    let mut values = emptied(&OF_A_LEAD);
    values.insert("name".into(), anonymous(cx));
    let body = json!({
        "ids": numbers(subject.leads.iter().map(|lead| &lead.id))?,
        "vals": values,
        "context": {"tracking_disable": true},
    });
    let reply = cx.egress().post("empty-lead", params! {}, &body)?;
    accepted(cx, "empty-lead", reply)?;
    receipt.anonymised.extend(subject.leads.iter().map(|lead| Ref::new(LEAD, lead.id.clone())));
    Ok(())
}

/// Meetings stay in the calendars of the others.
fn events(cx: &Cx<Settings>, receipt: &mut Receipt, subject: &Subject) -> Result<()> {
    for event in &subject.events {
        let record = Ref::new(EVENT, event.id.clone());
        let body = json!({
            "ids": [event.id.number()?],
            "vals": {"name": anonymous(cx), "description": null, "location": null},
            "context": {"tracking_disable": true, "no_mail_to_attendees": true, "dont_notify": true},
        });
        let reply = cx.egress().post("empty-event", params! {}, &body)?;
        if reply.status() == 403 {
            let why =
                "a meeting of somebody else's; its title and text may name the person: ask its organiser";
            receipt.kept.push((record, why.into()));
            continue;
        }
        accepted(cx, "empty-event", reply)?;
        receipt.anonymised.push(record);
    }
    Ok(())
}

/// Odoo only archives a bank account that is to be deleted. It goes with its contact, where that goes.
fn banks(cx: &Cx<Settings>, receipt: &mut Receipt, subject: &Subject) -> Result<()> {
    for bank in subject.people.iter().flat_map(|person| person.bank_ids.iter().flatten()) {
        let body = json!({"ids": [bank.number()?], "vals": {"acc_number": bank, "acc_holder_name": null}});
        let reply = cx.egress().post("empty-bank", params! {}, &body)?;
        accepted(cx, "empty-bank", reply)?;
        receipt.anonymised.push(Ref::new(BANK, bank.clone()));
    }
    Ok(())
}

fn people(cx: &Cx<Settings>, receipt: &mut Receipt, subject: &Subject, how: Erasure) -> Result<()> {
    let ids = numbers(subject.people.iter().map(|person| &person.id))?;
    let records = || subject.people.iter().map(|person| Ref::new(PARTNER, person.id.clone()));
    if how == Erasure::Erase {
        let reply = cx.egress().post("delete", params! { "model" => PARTNER }, &json!({"ids": ids}))?;
        // What Odoo does not let go of, such as the contact of a user or of an invoice, is made anonymous.
        if !matches!(reply.status(), 403 | 422) {
            accepted(cx, "delete", reply)?;
            receipt.removed.extend(records());
            return Ok(());
        }
    }
    let mut values = emptied(&OF_A_CONTACT);
    values.insert("name".into(), anonymous(cx));
    let body = json!({
        "ids": ids,
        "vals": values,
        "context": {"tracking_disable": true, "no_mail_to_attendees": true},
    });
    let reply = cx.egress().post("empty-contact", params! {}, &body)?;
    accepted(cx, "empty-contact", reply)?;
    receipt.anonymised.extend(records());
    if how == Erasure::Erase {
        let why = "Odoo does not let it be deleted, since a user, an invoice or the like needs it; nothing in it says who \
                   it was";
        receipt.kept.extend(records().map(|record| (record, why.to_owned())));
    }
    Ok(())
}

/// Copies that no API key sees, so that nobody can say whether there are any.
fn out_of_reach(receipt: &mut Receipt, contact: &Id) {
    let why = "what Odoo told its own users about the contact (that they are in charge, that they are invited) is seen by \
               them alone, and what it showed on open pages stands in its message bus until the nightly cleaning; the \
               former an administrator of Odoo has to remove";
    receipt.kept.push((Ref::new(PARTNER, contact.clone()), why.into()));
}

/// Deletes records in one request.
fn delete<'a>(
    cx: &Cx<Settings>,
    receipt: &mut Receipt,
    model: &'static str,
    ids: impl Iterator<Item = &'a Id>,
) -> Result<()> {
    let ids: Vec<&Id> = ids.collect();
    if ids.is_empty() {
        return Ok(());
    }
    let body = json!({"ids": numbers(ids.iter().copied())?});
    let reply = cx.egress().post("delete", params! { "model" => model }, &body)?;
    if reply.status() == 403 {
        return Err(Error::Denied(format!(
            "Odoo does not let the key's user delete {model} of this contact; the contact itself is untouched: an \
             administrator of Odoo has to do it"
        )));
    }
    match accepted(cx, "delete", reply) {
        Err(Error::NotFound) => {
            return Err(Error::Transient(format!("somebody deleted {model} at the same time")));
        }
        accepted => drop(accepted?),
    }
    receipt.removed.extend(ids.into_iter().map(|id| Ref::new(model, id.clone())));
    Ok(())
}

fn emptied(fields: &[&str]) -> Map<String, Value> {
    fields.iter().map(|field| ((*field).to_owned(), Value::Null)).collect()
}

/// What stands where Odoo wants a name.
fn anonymous(cx: &Cx<Settings>) -> Value {
    cx.settings().language.say("Anonimizado", "Anonymised").into()
}
