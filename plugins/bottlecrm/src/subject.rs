//! Everything that BottleCRM holds on somebody: the contact with its comments and files, the entries on it, deals,
//! tickets, tasks and invoices that name it, and leads with the same number or e-mail address.

use ramal_sdk::prelude::*;
use serde_json::{Map, json};

use crate::answer::{Deal, Hits, Record, Ticket, ask, full_name, tell, uuid};
use crate::contacts::is_hit;
use crate::journal::ENTRY;
use crate::settings::Settings;

/// Entries on one page.
const PAGE: u32 = 50;

/// What a record is, in BottleCRM's addresses and here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Contact,
    Lead,
}

impl Kind {
    /// One of them, as an entry's `home` names it.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Lead => "lead",
        }
    }
    /// The segment of an address.
    pub(crate) fn many(self) -> &'static str {
        match self {
            Self::Contact => "contacts",
            Self::Lead => "leads",
        }
    }
}

/// The fields of a contact or a lead.
#[derive(Debug, Deserialize)]
pub(crate) struct Fields {
    pub(crate) id: Id,
    first_name: Option<Text>,
    last_name: Option<Text>,
    #[serde(alias = "company_name")]
    organization: Option<Text>,
    title: Option<Text>,
    job_title: Option<Text>,
    department: Option<Text>,
    email: Option<Text>,
    phone: Option<Text>,
    linkedin_url: Option<Text>,
    description: Option<Text>,
    address_line: Option<Text>,
    city: Option<Text>,
    state: Option<Text>,
    postcode: Option<Text>,
    source_ref: Option<Text>,
    source_detail: Option<Text>,
    created_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: Id,
    comment: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct File {
    pub(crate) id: Id,
    file_name: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Task {
    pub(crate) id: Id,
    title: Option<Text>,
}

/// The page of a contact or a lead.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    #[serde(rename = "contact_obj", alias = "lead_obj")]
    pub(crate) fields: Fields,
    #[serde(default)]
    pub(crate) comments: Vec<Comment>,
    #[serde(default)]
    pub(crate) attachments: Vec<File>,
    #[serde(default)]
    pub(crate) opportunities: Vec<Deal>,
    #[serde(default)]
    pub(crate) cases: Vec<Ticket>,
    #[serde(default)]
    pub(crate) tasks: Vec<Task>,
    #[serde(default)]
    pub(crate) custom_field_definitions: Vec<Record>,
    #[serde(default)]
    pub(crate) can_delete: bool,
}

/// An entry of the log.
#[derive(Debug, Deserialize)]
pub(crate) struct Logged {
    pub(crate) id: Id,
    kind: Option<String>,
    occurred_at: Option<String>,
    subject: Option<Text>,
    body: Option<Text>,
    pub(crate) home: Option<String>,
    #[serde(default)]
    pub(crate) can_edit: bool,
}

/// A contact or a lead with what stands on it.
pub(crate) struct Dossier {
    pub(crate) kind: Kind,
    pub(crate) page: Page,
    pub(crate) entries: Vec<Logged>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Invoice {
    pub(crate) id: Id,
    invoice_number: Option<Text>,
}

/// What BottleCRM holds.
pub(crate) struct Subject {
    pub(crate) contact: Dossier,
    /// `None` where the token may not see leads.
    pub(crate) leads: Option<Vec<Dossier>>,
    /// `None` where the token may not see invoices.
    pub(crate) invoices: Option<Vec<Invoice>>,
}

impl Dossier {
    /// Reads it; `None` if there is no such record.
    fn read(cx: &Cx<Settings>, kind: Kind, id: &str) -> Result<Option<Self>> {
        let route = if kind == Kind::Contact { "subject-contact" } else { "subject-lead" };
        let reply = ask(cx, route, params! { "id" => id })?;
        if reply.status() == 404 {
            return Ok(None);
        }
        let page: Page = reply.json()?;
        Ok(Some(Self { kind, page, entries: entries(cx, kind, id)? }))
    }
}

fn entries(cx: &Cx<Settings>, kind: Kind, id: &str) -> Result<Vec<Logged>> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        count: u32,
        interactions: Vec<Logged>,
    }
    let (mut all, mut offset) = (Vec::new(), 0);
    loop {
        let params = params! { "home" => kind.one(), "record" => id, "offset" => offset };
        let list: List = ask(cx, "subject-entries", params)?.json()?;
        all.extend(list.interactions);
        offset += PAGE;
        if offset >= list.count {
            return Ok(all);
        }
    }
}

impl Subject {
    /// Reads it; `None` if there is no such contact.
    pub(crate) fn read(cx: &Cx<Settings>, contact: &Id) -> Result<Option<Self>> {
        let Some(mut contact) = Dossier::read(cx, Kind::Contact, uuid(contact)?)? else { return Ok(None) };
        let leads = allowed(leads(cx, &contact.page.fields))?;
        // One that stands on a lead may be in the contact's timeline too.
        let of_leads =
            |id: &Id| leads.iter().flatten().any(|lead| lead.entries.iter().any(|entry| entry.id == *id));
        contact.entries.retain(|entry| !of_leads(&entry.id));
        let invoices = allowed(invoices(cx, &contact.page.fields.id))?;
        Ok(Some(Self { contact, leads, invoices }))
    }
}

/// What a token may not see is not there for the plugin, and the receipt says so.
fn allowed<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Denied(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn leads(cx: &Cx<Settings>, contact: &Fields) -> Result<Vec<Dossier>> {
    let mut asked = Map::new();
    for (field, value) in [("phone", &contact.phone), ("email", &contact.email)] {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            asked.insert(field.into(), json!(value));
        }
    }
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let hits: Hits = tell(cx, "subject-leads", params! {}, &asked)?.json()?;
    let numbers = contact.phone.as_ref().map(|phone| cx.text().phone_variants(phone)).unwrap_or_default();
    let mut all = Vec::new();
    for hit in hits.duplicates.iter().filter(|hit| is_hit(cx, hit, &numbers)) {
        all.extend(Dossier::read(cx, Kind::Lead, uuid(&hit.id)?)?);
    }
    Ok(all)
}

fn invoices(cx: &Cx<Settings>, contact: &Id) -> Result<Vec<Invoice>> {
    #[derive(Deserialize)]
    struct List {
        results: Vec<Invoice>,
    }
    let list: List = ask(cx, "subject-invoices", params! { "id" => contact })?.json()?;
    Ok(list.results)
}

pub(crate) fn export(cx: &Cx<Settings>, contact: &Id) -> Result<Vec<Held>> {
    let Subject { contact, leads, invoices } = Subject::read(cx, contact)?.ok_or(Error::NotFound)?;
    let language = cx.settings().language;
    let say = |pt, en| language.say(pt, en);
    let mut all = Vec::new();
    for dossier in std::iter::once(contact).chain(leads.into_iter().flatten()) {
        held(cx, dossier, &mut all);
    }
    all.extend(invoices.into_iter().flatten().map(|invoice| Held {
        record: Ref::new("invoice", invoice.id),
        what: say("Uma fatura, com nome e e-mail", "An invoice, with name and e-mail address").into(),
        fields: fields([(say("Número", "Number"), invoice.invoice_number)]),
    }));
    Ok(all)
}

fn held(cx: &Cx<Settings>, dossier: Dossier, all: &mut Vec<Held>) {
    let language = cx.settings().language;
    let say = |pt, en| language.say(pt, en);
    let Dossier { kind, page, entries } = dossier;
    let what = match kind {
        Kind::Contact => say("O cadastro", "The contact"),
        Kind::Lead => say("Um cadastro de interesse (lead)", "A lead"),
    };
    let mut add = |kind: &str, id: Id, what: &str, fields: Vec<(String, Text)>| {
        all.push(Held { record: Ref::new(kind, id), what: what.into(), fields });
    };
    let id = page.fields.id.clone();
    add(kind.one(), id, what, all_fields(page.fields, cx.settings()));
    let text = say("Texto", "Text");
    for comment in page.comments {
        add("comment", comment.id, say("Um comentário", "A comment"), fields([(text, comment.comment)]));
    }
    for file in page.attachments {
        let name = [(say("Nome", "Name"), file.file_name)];
        add("attachment", file.id, say("Um arquivo", "A file"), fields(name));
    }
    for entry in entries {
        let day = entry.occurred_at.as_deref().and_then(Instant::parse).map(|at| Text::from(at.date()));
        let lines = [
            (say("Tipo", "Kind"), entry.kind.map(Text::from)),
            (say("Data", "Date"), day),
            (say("Assunto", "Subject"), entry.subject),
            (text, entry.body),
        ];
        add(ENTRY, entry.id, say("Uma interação", "An interaction"), fields(lines));
    }
    for deal in page.opportunities {
        let state = deal.stage_kind.map(|kind| Text::from(kind.as_str()));
        let amount = deal.amount();
        let lines = [
            (say("Nome", "Name"), deal.name),
            (say("Situação", "State"), state),
            (say("Valor", "Amount"), amount),
        ];
        add("opportunity", deal.id, say("Um negócio", "A deal"), fields(lines));
    }
    for ticket in page.cases {
        let lines =
            [(say("Nome", "Name"), ticket.name), (say("Situação", "State"), ticket.status.map(Text::from))];
        add("case", ticket.id, say("Um chamado", "A ticket"), fields(lines));
    }
    for task in page.tasks {
        add("task", task.id, say("Uma tarefa", "A task"), fields([(say("Nome", "Name"), task.title)]));
    }
}

fn all_fields(of: Fields, settings: &Settings) -> Vec<(String, Text)> {
    let say = |pt, en| settings.language.say(pt, en);
    let since = of.created_at.as_deref().and_then(Instant::parse).map(|at| Text::from(at.date()));
    fields([
        (say("Nome", "Name"), full_name(of.first_name.as_ref(), of.last_name.as_ref()).non_empty()),
        (say("Empresa", "Company"), of.organization),
        (say("Título", "Title"), of.title),
        (say("Cargo", "Job title"), of.job_title),
        (say("Departamento", "Department"), of.department),
        ("E-mail", of.email),
        (say("Telefone", "Telephone"), of.phone),
        ("LinkedIn", of.linkedin_url),
        (say("Endereço", "Address"), of.address_line),
        (say("Cidade", "City"), of.city),
        (say("Estado", "State"), of.state),
        (say("CEP", "Postcode"), of.postcode),
        (say("Anotações", "Notes"), of.description),
        (say("Origem", "Source"), of.source_detail),
        (say("Referência da origem", "Source's reference"), of.source_ref),
        (say("Cadastrado em", "Since"), since),
    ])
}

/// The fields that hold something.
fn fields<'a>(all: impl IntoIterator<Item = (&'a str, Option<Text>)>) -> Vec<(String, Text)> {
    all.into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value.and_then(Text::non_empty)?)))
        .collect()
}
