//! Everything that Odoo holds on somebody, archived parts included: the contact and its addresses, its leads and
//! meetings, and the messages, activities and attachments on all of these.

use ramal_sdk::prelude::*;
use serde_json::{Value, json};

use crate::reply::{Nothing, all, found};
use crate::settings::Settings;
use crate::{LEAD, MESSAGE, PARTNER};

/// The model of meetings.
pub(crate) const EVENT: &str = "calendar.event";
/// The model of what somebody has still to do.
pub(crate) const ACTIVITY: &str = "mail.activity";
/// The model of files and links.
pub(crate) const ATTACHMENT: &str = "ir.attachment";

/// A contact or one of its addresses.
#[derive(Deserialize)]
pub(crate) struct Person {
    pub(crate) id: Id,
    name: Option<Text>,
    pub(crate) phone: Option<Text>,
    pub(crate) email: Option<Text>,
    street: Option<Text>,
    street2: Option<Text>,
    zip: Option<Text>,
    city: Option<Text>,
    vat: Option<Text>,
    website: Option<Text>,
    function: Option<Text>,
    #[serde(rename = "ref")]
    reference: Option<Text>,
    company_name: Option<Text>,
    comment: Option<Text>,
    create_date: Option<String>,
    #[serde(default)]
    pub(crate) bank_ids: Vec<Option<Id>>,
    #[serde(rename = "phone_mobile_search")]
    nothing: Option<Text>,
}

/// A `crm.lead`, with the copy of the contact that it carries.
#[derive(Deserialize)]
pub(crate) struct HeldLead {
    pub(crate) id: Id,
    name: Option<Text>,
    expected_revenue: Option<Text>,
    contact_name: Option<Text>,
    partner_name: Option<Text>,
    email_from: Option<Text>,
    phone: Option<Text>,
    street: Option<Text>,
    street2: Option<Text>,
    zip: Option<Text>,
    city: Option<Text>,
    function: Option<Text>,
    website: Option<Text>,
    email_cc: Option<Text>,
    referred: Option<Text>,
    description: Option<Text>,
}

/// A `calendar.event` to which the person comes.
#[derive(Deserialize)]
pub(crate) struct Event {
    pub(crate) id: Id,
    name: Option<Text>,
    start: Option<String>,
    location: Option<Text>,
    description: Option<Text>,
}

/// A `mail.message`.
#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) id: Id,
    date: Option<String>,
    pub(crate) message_type: Option<String>,
    subject: Option<Text>,
    email_from: Option<Text>,
    body: Option<Text>,
}

impl Message {
    /// Whether Odoo wrote it to one of its own users, such as "you have been assigned to …". Only an administrator may
    /// delete such a message.
    pub(crate) fn is_for_a_user(&self) -> bool {
        self.message_type.as_deref() == Some("user_notification")
    }
}

/// A `mail.activity`.
#[derive(Deserialize)]
pub(crate) struct Activity {
    pub(crate) id: Id,
    summary: Option<Text>,
    note: Option<Text>,
    date_deadline: Option<String>,
}

/// An `ir.attachment`.
#[derive(Deserialize)]
pub(crate) struct Attachment {
    pub(crate) id: Id,
    name: Option<Text>,
    url: Option<Text>,
}

/// What Odoo holds.
pub(crate) struct Subject {
    /// The contact, then its addresses.
    pub(crate) people: Vec<Person>,
    pub(crate) leads: Vec<HeldLead>,
    pub(crate) events: Vec<Event>,
    pub(crate) messages: Vec<Message>,
    pub(crate) activities: Vec<Activity>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) nothing: Nothing,
}

impl Subject {
    /// Reads it; `None` if there is no such contact.
    pub(crate) fn read(cx: &Cx<Settings>, contact: i64) -> Result<Option<Self>> {
        let body = json!({
            "domain": [
                "|", ["id", "=", contact],
                "&", ["parent_id", "=", contact], ["type", "!=", "contact"],
            ],
            "fields": [
                "name", "phone", "email", "street", "street2", "zip", "city", "vat", "website", "function", "ref",
                "company_name", "comment", "create_date", "bank_ids", "phone_mobile_search",
            ],
            "order": "id",
            "context": {"active_test": false},
        });
        let mut people: Vec<Person> = found(cx, "subject", &body)?;
        // An address may be older than the contact that it was put under.
        people.sort_by_key(|person| person.id.number().is_ok_and(|id| id != contact));
        let Some(first) = people.first().filter(|person| person.id.number().is_ok_and(|id| id == contact))
        else {
            return Ok(None);
        };
        let nothing = Nothing::seen_in(first.nothing.clone());
        let ids = numbers(people.iter().map(|person| &person.id))?;

        let archived = json!({"active_test": false});
        let leads: Vec<HeldLead> = all(
            cx,
            "subject-leads",
            &json!({
                "domain": [["partner_id", "in", ids]],
                "fields": [
                    "name", "expected_revenue", "contact_name", "partner_name", "email_from", "phone", "street",
                    "street2", "zip", "city", "function", "website", "email_cc", "referred", "description",
                ],
                "order": "id",
                "context": archived,
            }),
        )?;
        let events: Vec<Event> = all(
            cx,
            "subject-events",
            &json!({
                "domain": [["partner_ids", "in", ids]],
                "fields": ["name", "start", "location", "description"],
                "order": "id",
                "context": archived,
            }),
        )?;

        let mut on = vec![(PARTNER, ids.clone())];
        let leads_ids = numbers(leads.iter().map(|lead| &lead.id))?;
        let event_ids = numbers(events.iter().map(|event| &event.id))?;
        on.extend([(LEAD, leads_ids), (EVENT, event_ids)].into_iter().filter(|(_, ids)| !ids.is_empty()));

        let (mut messages, mut activities, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
        let message_fields = ["date", "message_type", "subject", "email_from", "body"];
        for (model, ids) in &on {
            let of = |by: &str, fields: &[&str]| json!({"domain": [["res_id", "in", ids], [by, "=", model]], "fields": fields, "order": "id"});
            messages.extend(all::<Message>(cx, "subject-messages", &of("model", &message_fields))?);
            let mut body = of("res_model", &["summary", "note", "date_deadline"]);
            with_archived(&mut body);
            activities.extend(all::<Activity>(cx, "subject-activities", &body)?);
            let mut body = of("res_model", &["name", "url", "type"]);
            with_archived(&mut body);
            attachments.extend(all::<Attachment>(cx, "subject-attachments", &body)?);
        }
        // What the person wrote, wherever it stands.
        let by = json!({"domain": [["author_id", "in", ids]], "fields": message_fields, "order": "id"});
        for message in all::<Message>(cx, "subject-messages", &by)? {
            if !messages.iter().any(|known: &Message| known.id == message.id) {
                messages.push(message);
            }
        }
        Ok(Some(Self { people, leads, events, messages, activities, attachments, nothing }))
    }
}

fn with_archived(body: &mut Value) {
    if let Value::Object(body) = body {
        body.insert("context".into(), json!({"active_test": false}));
    }
}

/// Ids as Odoo takes them.
pub(crate) fn numbers<'a>(ids: impl IntoIterator<Item = &'a Id>) -> Result<Vec<i64>> {
    ids.into_iter().map(Id::number).collect()
}

pub(crate) fn export(cx: &Cx<Settings>, contact: &Id) -> Result<Vec<Held>> {
    let Subject { people, leads, events, messages, activities, attachments, nothing } =
        Subject::read(cx, contact.number()?)?.ok_or(Error::NotFound)?;
    let language = cx.settings().language;
    let say = |pt, en| language.say(pt, en);
    let day = |text: Option<String>| {
        text.and_then(|text| Instant::parse(&text)).map(|instant| Text::from(instant.date()))
    };
    let held = |record: Ref, what: &str, fields: Vec<(&str, Option<Text>)>| Held {
        record,
        what: what.to_owned(),
        fields: fields
            .into_iter()
            .filter_map(|(label, value)| Some((label.to_owned(), nothing.filter(cx, value)?)))
            .collect(),
    };
    let mut everything = Vec::new();
    for (at, person) in people.into_iter().enumerate() {
        let what = if at == 0 { say("O cadastro", "The contact") } else { say("Um endereço", "An address") };
        let fields = vec![
            (say("Nome", "Name"), person.name),
            (say("Telefone", "Telephone"), person.phone),
            ("E-mail", person.email),
            (say("Rua", "Street"), person.street),
            (say("Complemento", "Street, second line"), person.street2),
            (say("CEP", "Postal code"), person.zip),
            (say("Cidade", "City"), person.city),
            (say("Documento", "Document"), person.vat),
            (say("Página", "Website"), person.website),
            (say("Cargo", "Position"), person.function),
            (say("Referência", "Reference"), person.reference),
            (say("Empresa", "Company"), person.company_name),
            (say("Observações", "Remarks"), person.comment),
            (say("Cadastrado em", "Since"), day(person.create_date)),
        ];
        everything.push(held(Ref::new(PARTNER, person.id), what, fields));
    }
    for lead in leads {
        let fields = vec![
            (say("Título", "Title"), lead.name),
            (say("Valor", "Amount"), lead.expected_revenue),
            (say("Nome", "Name"), lead.contact_name),
            (say("Empresa", "Company"), lead.partner_name),
            ("E-mail", lead.email_from),
            (say("Telefone", "Telephone"), lead.phone),
            (say("Rua", "Street"), lead.street),
            (say("Complemento", "Street, second line"), lead.street2),
            (say("CEP", "Postal code"), lead.zip),
            (say("Cidade", "City"), lead.city),
            (say("Cargo", "Position"), lead.function),
            (say("Página", "Website"), lead.website),
            (say("E-mail em cópia", "E-mail in copy"), lead.email_cc),
            (say("Indicado por", "Referred by"), lead.referred),
            (say("Descrição", "Description"), lead.description),
        ];
        everything.push(held(Ref::new(LEAD, lead.id), say("Uma oportunidade", "A lead"), fields));
    }
    for event in events {
        let fields = vec![
            (say("Título", "Title"), event.name),
            (say("Dia", "Day"), day(event.start)),
            (say("Local", "Place"), event.location),
            (say("Descrição", "Description"), event.description),
        ];
        everything.push(held(Ref::new(EVENT, event.id), say("Um compromisso", "A meeting"), fields));
    }
    for message in messages {
        let fields = vec![
            (say("Dia", "Day"), day(message.date)),
            (say("Assunto", "Subject"), message.subject),
            (say("De", "From"), message.email_from),
            (say("Texto", "Text"), message.body),
        ];
        everything.push(held(Ref::new(MESSAGE, message.id), say("Uma mensagem", "A message"), fields));
    }
    for activity in activities {
        let fields = vec![
            (say("Resumo", "Summary"), activity.summary),
            (say("Dia", "Day"), day(activity.date_deadline)),
            (say("Nota", "Note"), activity.note),
        ];
        everything.push(held(Ref::new(ACTIVITY, activity.id), say("Uma atividade", "An activity"), fields));
    }
    for attachment in attachments {
        let fields = vec![(say("Nome", "Name"), attachment.name), ("Link", attachment.url)];
        everything.push(held(Ref::new(ATTACHMENT, attachment.id), say("Um anexo", "An attachment"), fields));
    }
    Ok(everything)
}
