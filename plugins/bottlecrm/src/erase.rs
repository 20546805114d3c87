//! Removing somebody from BottleCRM, in the one order that leaves nothing which the API can reach.
//!
//! Deleting a contact takes the entries that stand on it and leaves the rest: comments and files stay in their tables
//! and on the disk, where no page shows them any more; entries of a deal or a ticket keep their texts; a lead with the
//! same number stays whole; and the deletion itself writes the name into the list of activities. So comments, files and
//! texts go first, then the fields are emptied, and only then the record is deleted. Each step can be repeated: a try
//! that broke off is taken up by the next one.
//!
//! What stays is said in the receipt: files on the server's disk and the list of activities, which only its
//! administrator can remove, and invoices, deals and tickets, which are the company's books.

use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::{tell, understood};
use crate::journal::ENTRY;
use crate::settings::Settings;
use crate::subject::{Dossier, Kind, Subject};

pub(crate) fn erase(cx: &Cx<Settings>, contact: &Id, how: Erasure) -> Result<Receipt> {
    let mut receipt = Receipt::default();
    let Some(subject) = Subject::read(cx, contact)? else {
        receipt.removed.push(Ref::new("contact", contact.clone()));
        return Ok(receipt);
    };
    let page = &subject.contact.page;
    // Before anything is touched: half of the work would be done for nothing.
    if how == Erasure::Erase && !page.can_delete {
        return Err(Error::Denied(
            "the token's member may not delete this contact; make the token for an administrator".into(),
        ));
    }
    match &subject.leads {
        Some(leads) => leads.iter().try_for_each(|lead| remove(cx, &mut receipt, lead, how))?,
        None => {
            let why = "the token may not see leads, which may repeat the number; give it leads:read and leads:write";
            receipt.kept.push((Ref::new("lead", contact.clone()), why.into()));
        }
    }
    remove(cx, &mut receipt, &subject.contact, how)?;
    keep(&mut receipt, &subject);
    Ok(receipt)
}

/// Removes a contact or a lead with everything on it.
fn remove(cx: &Cx<Settings>, receipt: &mut Receipt, dossier: &Dossier, how: Erasure) -> Result<()> {
    let Dossier { kind, page, entries } = dossier;
    let id = &page.fields.id;
    let many = kind.many();
    for comment in &page.comments {
        delete(cx, receipt, "delete-comment", many, "comment", &comment.id)?;
    }
    for file in &page.attachments {
        delete(cx, receipt, "delete-attachment", many, "attachment", &file.id)?;
        let why = "nothing points to the file any more, but it stays in the server's media folder, where only a server \
                   administrator can delete it";
        receipt.kept.push((Ref::new("file", file.id.clone()), why.into()));
    }
    let deletes = how == Erasure::Erase && page.can_delete;
    for entry in entries {
        let record = Ref::new(ENTRY, entry.id.clone());
        if deletes && entry.home.as_deref() == Some(kind.one()) {
            receipt.removed.push(record);
        } else if entry.can_edit {
            let nothing = json!({"subject": "", "body": ""});
            done(tell(cx, "blank-entry", params! { "id" => &entry.id }, &nothing)?)?;
            receipt.anonymised.push(record);
        } else {
            let why = "an integration or another member wrote it; only an administrator can empty it";
            receipt.kept.push((record, why.into()));
        }
    }
    let route = if *kind == Kind::Contact { "blank-contact" } else { "blank-lead" };
    done(tell(cx, route, params! { "id" => id }, &nobody(*kind))?)?;
    if deletes {
        return delete(cx, receipt, "delete-record", many, kind.one(), id);
    }
    receipt.anonymised.push(Ref::new(kind.one(), id.clone()));
    if !page.custom_field_definitions.is_empty() {
        let why =
            "the company's own fields stay as they are when a record is made anonymous; erase it instead";
        receipt.kept.push((Ref::new(format!("{}.custom_fields", kind.one()), id.clone()), why.into()));
    }
    Ok(())
}

/// A record of nobody.
fn nobody(kind: Kind) -> Map<String, Value> {
    let own: &[&str] = match kind {
        Kind::Contact => &["organization", "title", "department"],
        Kind::Lead => &["company_name", "job_title", "website"],
    };
    let both = ["email", "phone", "linkedin_url", "description", "address_line", "city", "state", "postcode"];
    let source = ["source_ref", "source_detail"];
    let mut fields: Map<String, Value> =
        own.iter().copied().chain(both).chain(source).map(|field| (field.to_owned(), json!(""))).collect();
    fields.insert("first_name".into(), json!("Anonimizado"));
    fields.insert("last_name".into(), json!("LGPD"));
    if kind == Kind::Lead {
        fields.insert("title".into(), json!("Anonimizado"));
    }
    fields
}

/// Deletes, where it is not gone already.
fn delete(
    cx: &Cx<Settings>,
    receipt: &mut Receipt,
    route: &str,
    many: &str,
    kind: &str,
    id: &Id,
) -> Result<()> {
    let params = params! { "kind" => many, "id" => id };
    done(understood(route, cx.egress().send(route, params)?)?)?;
    receipt.removed.push(Ref::new(kind, id.clone()));
    Ok(())
}

/// What somebody removed in the same moment is gone too.
fn done(reply: Reply) -> Result<()> {
    if matches!(reply.status(), 404 | 410) { Ok(()) } else { reply.success().map(drop) }
}

/// What BottleCRM keeps, and why.
fn keep(receipt: &mut Receipt, subject: &Subject) {
    let page = &subject.contact.page;
    let books = "it is the company's record and does not show the person any more; see whether its name or its notes do";
    let mut kept = |kind: &str, id: &Id, why: &str| {
        receipt.kept.push((Ref::new(kind, id.clone()), why.into()));
    };
    page.opportunities.iter().for_each(|deal| kept("opportunity", &deal.id, books));
    page.cases.iter().for_each(|ticket| kept("case", &ticket.id, books));
    page.tasks.iter().for_each(|task| kept("task", &task.id, books));
    let contact = &page.fields.id;
    match &subject.invoices {
        Some(invoices) => {
            let why = "an invoice is kept as the law wants it, with the name and the e-mail address on it";
            invoices.iter().for_each(|invoice| kept("invoice", &invoice.id, why));
        }
        None => kept(
            "invoice",
            contact,
            "the token may not see invoices, which keep a name; they stay as the law wants it",
        ),
    }
    kept(
        "activity",
        contact,
        "BottleCRM's list of activities keeps the names under which the contact was saved; only a database \
         administrator can remove them",
    );
}
