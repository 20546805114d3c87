//! Removing somebody from Tryton, in the one order that leaves nothing which the API can reach.
//!
//! Tryton's own erasure (the wizard `party.erase`) blanks what is shown and not what lookups go by: afterwards
//! `value_compact` still has the telephone number and the e-mail, `code_compact` the CPF, a search by the number
//! finds the party again, and opportunities keep every text. So all of that goes first, and the wizard last. Each
//! step can be repeated: a try that broke off is taken up by the next one.
//!
//! What stays is said in the receipt: the history table of opportunities, which only a database administrator
//! reaches, the texts of won opportunities, which Tryton locks, and finished sales, which the law makes one keep.

use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::{Opportunity, State};
use crate::contacts::accepted;
use crate::settings::Settings;
use crate::subject::{ATTACHMENT, Paper, SALE, Sale, Subject};
use crate::{NOTE, OPPORTUNITY, PARTY};

/// How long it is remembered that an opportunity was reopened: a week, in which somebody will have tried again.
const REOPENED_SECONDS: u32 = 7 * 24 * 3600;

pub(crate) fn erase(cx: &Cx<Settings>, contact: &Id) -> Result<Receipt> {
    let id = contact.number()?;
    let party = Ref::new(PARTY, contact.clone());
    let Some(subject) = Subject::read(cx, id)? else {
        return Ok(Receipt { removed: vec![party], ..Receipt::default() });
    };
    let pending = subject.sales.iter().filter(|sale| !sale.is_over()).count();
    if pending > 0 {
        return Err(Error::Invalid(format!(
            "the party has {pending} unfinished sales, for which Tryton needs it; finish or cancel them, then erase again"
        )));
    }
    // Before anything is touched: without a login that may erase, half of the work would be done for nothing.
    let wizard = Wizard::begin(cx)?;
    let mut receipt = Receipt::default();
    delete(cx, &mut receipt, NOTE, "model.ir.note.delete", &subject.notes)?;
    delete(cx, &mut receipt, ATTACHMENT, "model.ir.attachment.delete", &subject.attachments)?;
    for opportunity in &subject.opportunities {
        empty_opportunity(cx, &mut receipt, opportunity)?;
    }
    empty_party(cx, &mut receipt, id, &subject)?;
    wizard.execute(cx, id)?;
    wizard.end(cx)?;
    receipt.anonymised.push(party);
    for Sale { id, .. } in subject.sales {
        let why = "a finished sale is kept as the law wants it; it names the party by its number only";
        receipt.kept.push((Ref::new(SALE, id), why.into()));
    }
    Ok(receipt)
}

/// An answer of JSON-RPC: Tryton's refusals come with status 200.
#[derive(Deserialize)]
struct Rpc {
    result: Option<Vec<Option<i64>>>,
    error: Option<Vec<Option<String>>>,
}

/// Calls a method: the first number of the result, if it has one; the inner error is Tryton's refusal.
fn rpc(cx: &Cx<Settings>, route: &str, method: &str, call: Value) -> Result<Result<Option<i64>, ()>> {
    let body = json!({"id": 1, "method": method, "params": call});
    let answer: Rpc = cx.egress().post(route, params! {}, &body)?.json()?;
    if answer.error.is_some() {
        return Ok(Err(()));
    }
    Ok(Ok(answer.result.and_then(|result| result.into_iter().next()).flatten()))
}

/// Tryton's own erasure.
struct Wizard(i64);

impl Wizard {
    fn begin(cx: &Cx<Settings>) -> Result<Self> {
        match rpc(cx, "erase-begin", "wizard.party.erase.create", json!([{}]))? {
            Ok(Some(session)) => Ok(Self(session)),
            Ok(None) | Err(()) => Err(Error::Denied(
                "Tryton does not let the stored user erase parties; put the user into the group \"Party Administration\""
                    .into(),
            )),
        }
    }

    fn execute(&self, cx: &Cx<Settings>, party: i64) -> Result<()> {
        let call = json!([self.0, {"ask": {"party": party}}, "erase", {}]);
        rpc(cx, "erase-execute", "wizard.party.erase.execute", call)?.map(drop).map_err(|()| {
            Error::Invalid(
                "numbers, e-mail addresses, documents and notes are gone, but Tryton refuses to erase the party while \
                 something of it is unfinished: a sale, an invoice, a shipment or a payment; finish it, then erase again"
                    .into(),
            )
        })
    }

    /// Until then Tryton remembers which party was erased.
    fn end(&self, cx: &Cx<Settings>) -> Result<()> {
        // A refusal leaves a number in a table of sessions that Tryton empties by itself.
        rpc(cx, "erase-end", "wizard.party.erase.delete", json!([self.0, {}])).map(drop)
    }
}

/// Deletes notes or attachments, of the party and of its opportunities, in one request.
fn delete(
    cx: &Cx<Settings>,
    receipt: &mut Receipt,
    model: &str,
    method: &str,
    papers: &[Paper],
) -> Result<()> {
    if papers.is_empty() {
        return Ok(());
    }
    let ids = papers.iter().map(|paper| paper.id.number()).collect::<Result<Vec<_>>>()?;
    rpc(cx, "delete-records", method, json!([ids, {}]))?
        .map_err(|()| Error::Denied(format!("Tryton does not let the stored user delete {model}")))?;
    receipt.removed.extend(papers.iter().map(|paper| Ref::new(model, paper.id.clone())));
    Ok(())
}

/// Telephone numbers, addresses of e-mail and documents, and the party off the lists: Tryton erases no active one.
fn empty_party(cx: &Cx<Settings>, receipt: &mut Receipt, id: i64, subject: &Subject) -> Result<()> {
    let numbers = |ids: Vec<&Id>| ids.into_iter().map(Id::number).collect::<Result<Vec<_>>>();
    let mechanisms: Vec<&Id> =
        subject.party.contact_mechanisms.iter().map(|mechanism| &mechanism.id).collect();
    let documents: Vec<&Id> = subject.party.identifiers.iter().map(|document| &document.id).collect();
    let removed = |model: &'static str| move |id: &&Id| Ref::new(model, (*id).clone());
    let gone: Vec<Ref> = mechanisms
        .iter()
        .map(removed("party.contact_mechanism"))
        .chain(documents.iter().map(removed("party.identifier")))
        .collect();
    let mut body = Map::new();
    body.insert("active".into(), json!(false));
    if !mechanisms.is_empty() {
        body.insert("contact_mechanisms".into(), json!([["delete", numbers(mechanisms)?]]));
    }
    if !documents.is_empty() {
        body.insert("identifiers".into(), json!([["delete", numbers(documents)?]]));
    }
    let reply = cx.egress().post("empty-party", params! { "id" => id }, &body)?;
    accepted("empty-party", reply)?;
    receipt.removed.extend(gone);
    Ok(())
}

/// Takes the texts out of an opportunity. Tryton locks those of a lost or cancelled one, so it is reopened for a
/// moment. What it was is kept in the plugin's store meanwhile: a try that breaks off in between must not leave a
/// lost deal open.
fn empty_opportunity(cx: &Cx<Settings>, receipt: &mut Receipt, opportunity: &Opportunity) -> Result<()> {
    let id = opportunity.id.number()?;
    let record = Ref::new(OPPORTUNITY, opportunity.id.clone());
    let key = format!("reopened/{id}");
    let before = cx.store().get(&key)?;
    let empty = [&opportunity.description, &opportunity.comment, &opportunity.lost_reason]
        .into_iter()
        .flatten()
        .all(Text::is_empty)
        && opportunity.contact.is_none();

    match opportunity.state {
        Some(State::Won | State::Converted) | None => {
            let why = if empty {
                "only its number, dates and amount are left; it is part of the company's books"
            } else {
                "Tryton locks the texts of a won opportunity; only a database administrator can remove them"
            };
            receipt.kept.push((record, why.into()));
            return Ok(());
        }
        Some(State::Lost | State::Cancelled) if empty => {}
        Some(closed @ (State::Lost | State::Cancelled)) => {
            let back = if closed == State::Lost { "lost" } else { "cancel" };
            cx.store().set_for(REOPENED_SECONDS, &key, back)?;
            go(cx, id, "lead")?;
            write_nothing(cx, id)?;
            go(cx, id, back)?;
        }
        Some(State::Lead | State::Opportunity) => {
            if !empty {
                write_nothing(cx, id)?;
            }
            if let Some(back) = before.as_deref() {
                go(cx, id, back)?;
            }
        }
    }
    cx.store().delete(&key)?;
    receipt.anonymised.push(record);
    let history = Ref::new("sale.opportunity.history", opportunity.id.clone());
    let why = "Tryton keeps former texts of an opportunity in a history table, which only a database administrator can \
               empty";
    receipt.kept.push((history, why.into()));
    Ok(())
}

fn write_nothing(cx: &Cx<Settings>, id: i64) -> Result<()> {
    let nothing = json!({"description": null, "comment": null, "lost_reason": null, "contact": null});
    let reply = cx.egress().post("empty-opportunity", params! { "id" => id }, &nothing)?;
    accepted("empty-opportunity", reply).map(drop)
}

fn go(cx: &Cx<Settings>, id: i64, to: &str) -> Result<()> {
    let reply = cx.egress().post("move-opportunity", params! { "id" => id, "to" => to }, &json!({}))?;
    accepted("move-opportunity", reply).map(drop)
}
