//! Everything that Tryton holds on somebody: the party with what hangs on it, switched-off parts included, its
//! opportunities and sales, and the notes and attachments on all of these.

use ramal_sdk::prelude::*;
use serde_json::json;

use crate::answer::{Kind, Opportunity, Party};
use crate::search::{SearchRead, found, found_in};
use crate::settings::Settings;
use crate::{NOTE, OPPORTUNITY, PARTY};

/// The model of attachments.
pub(crate) const ATTACHMENT: &str = "ir.attachment";
/// The model of sales.
pub(crate) const SALE: &str = "sale.sale";

/// A `sale.sale`.
#[derive(Debug, Deserialize)]
pub(crate) struct Sale {
    pub(crate) id: Id,
    pub(crate) number: Option<Text>,
    pub(crate) state: Option<String>,
}

impl Sale {
    /// Whether it is over, so that Tryton lets go of the party.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state.as_deref(), Some("done" | "cancelled"))
    }
}

/// An `ir.note` or an `ir.attachment`.
#[derive(Debug, Deserialize)]
pub(crate) struct Paper {
    pub(crate) id: Id,
    message: Option<Text>,
    name: Option<Text>,
    link: Option<Text>,
    description: Option<Text>,
}

/// What Tryton holds.
pub(crate) struct Subject {
    pub(crate) party: Party,
    pub(crate) opportunities: Vec<Opportunity>,
    pub(crate) sales: Vec<Sale>,
    pub(crate) notes: Vec<Paper>,
    pub(crate) attachments: Vec<Paper>,
}

impl Subject {
    /// Reads it; `None` if there is no such party.
    pub(crate) fn read(cx: &Cx<Settings>, contact: i64) -> Result<Option<Self>> {
        let body = SearchRead::new(json!([["id", "=", contact]]))
            .fields(&["name", "code", "create_date", "contact_mechanisms.type", "contact_mechanisms.value"])
            .fields(&["contact_mechanisms.name", "contact_mechanisms.comment", "addresses.full_address"])
            .fields(&["identifiers.type", "identifiers.code"]);
        let parties: Vec<Party> = found(cx, "subject", &body)?;
        let Some(party) = parties.into_iter().next() else { return Ok(None) };

        let body = SearchRead::new(json!([["party", "=", contact]]))
            .fields(&[
                "number",
                "state",
                "description",
                "comment",
                "lost_reason",
                "amount",
                "currency.code",
                "contact",
            ])
            .oldest_first();
        let opportunities: Vec<Opportunity> = found(cx, "subject-opportunities", &body)?;
        let body = SearchRead::new(json!(["OR", ["party", "=", contact], ["shipment_party", "=", contact]]))
            .fields(&["number", "state"])
            .oldest_first();
        let reply = cx.egress().post("subject-sales", params! {}, &body)?;
        // Who may work with opportunities need not see sales; Tryton itself guards them when it erases.
        let sales = if reply.status() == 403 { Vec::new() } else { found_in(cx, reply)? };

        let on: Vec<String> = std::iter::once(format!("{PARTY},{contact}"))
            .chain(opportunities.iter().map(|opportunity| format!("{OPPORTUNITY},{}", opportunity.id)))
            .collect();
        let papers = |route: &str, fields: &[&'static str]| -> Result<Vec<Paper>> {
            let body = SearchRead::new(json!([["resource", "in", on]])).fields(fields);
            found(cx, route, &body)
        };
        let notes = papers("subject-notes", &["message"])?;
        let attachments = papers("subject-attachments", &["name", "link", "description"])?;
        Ok(Some(Self { party, opportunities, sales, notes, attachments }))
    }
}

pub(crate) fn export(cx: &Cx<Settings>, contact: &Id) -> Result<Vec<Held>> {
    let Subject { party, opportunities, sales, notes, attachments } =
        Subject::read(cx, contact.number()?)?.ok_or(Error::NotFound)?;
    let language = cx.settings().language;
    let say = |pt, en| language.say(pt, en);
    let mut all = vec![Held {
        record: Ref::new(PARTY, party.id.clone()),
        what: say("O cadastro", "The contact").into(),
        fields: party_fields(party, cx.settings()),
    }];
    for opportunity in opportunities {
        let stage = opportunity.state.map(|state| Text::from(state.as_str()));
        let amount = opportunity.amount();
        all.push(Held {
            record: Ref::new(OPPORTUNITY, opportunity.id),
            what: say("Uma oportunidade de venda", "A sale opportunity").into(),
            fields: fields([
                (say("Número", "Number"), opportunity.number),
                (say("Situação", "State"), stage),
                (say("Descrição", "Description"), opportunity.description),
                (say("Valor", "Amount"), amount),
                (say("Comentário", "Comment"), opportunity.comment),
                (say("Motivo da perda", "Reason for loss"), opportunity.lost_reason),
            ]),
        });
    }
    all.extend(sales.into_iter().map(|sale| Held {
        record: Ref::new(SALE, sale.id),
        what: say("Uma venda", "A sale").into(),
        fields: fields([
            (say("Número", "Number"), sale.number),
            (say("Situação", "State"), sale.state.map(Text::from)),
        ]),
    }));
    all.extend(notes.into_iter().map(|note| Held {
        record: Ref::new(NOTE, note.id),
        what: say("Uma nota", "A note").into(),
        fields: fields([(say("Texto", "Text"), note.message)]),
    }));
    all.extend(attachments.into_iter().map(|attachment| Held {
        record: Ref::new(ATTACHMENT, attachment.id),
        what: say("Um anexo", "An attachment").into(),
        fields: fields([
            (say("Nome", "Name"), attachment.name),
            ("Link", attachment.link),
            (say("Descrição", "Description"), attachment.description),
        ]),
    }));
    Ok(all)
}

fn party_fields(party: Party, settings: &Settings) -> Vec<(String, Text)> {
    let say = |pt, en| settings.language.say(pt, en);
    let since =
        party.create_date.and_then(|moment| moment.instant()).map(|instant| Text::from(instant.date()));
    let mut all = fields([
        (say("Nome", "Name"), party.name),
        (say("Código", "Code"), party.code.map(Text::from)),
        (say("Cadastrado em", "Since"), since),
    ]);
    for mechanism in party.contact_mechanisms {
        let label = match mechanism.kind {
            Kind::Phone | Kind::Mobile => say("Telefone", "Telephone"),
            Kind::Fax => "Fax",
            Kind::Email => "E-mail",
            Kind::Website => say("Página", "Website"),
            Kind::Sip | Kind::Other => say("Outro contato", "Other address"),
        };
        all.extend(fields([
            (label, mechanism.value),
            (say("Nome do contato", "Name of the address"), mechanism.name),
            (say("Comentário", "Comment"), mechanism.comment),
        ]));
    }
    let addresses =
        party.addresses.into_iter().map(|address| (say("Endereço", "Address"), address.full_address));
    let documents =
        party.identifiers.into_iter().map(|document| (say("Documento", "Document"), document.code));
    all.extend(fields(addresses));
    all.extend(fields(documents));
    all
}

/// The fields that hold something.
fn fields<'a>(all: impl IntoIterator<Item = (&'a str, Option<Text>)>) -> Vec<(String, Text)> {
    all.into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value.and_then(Text::non_empty)?)))
        .collect()
}
