//! A manifest and a grant that use every kind of place, for the tests of this crate. Everything in them is
//! made up.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::authority::{Actor, Authority, Subject};
use crate::export::Export;
use crate::grant::Grant;
use crate::ids::{Digest, InteractionId, TenantId};
use crate::invocation::Invocation;
use crate::manifest::Manifest;
use crate::plan::Plan;
use crate::purpose::Purpose;

pub(crate) const MANIFEST: &str = r#"
[plugin]
id = "acme"
version = "0.1.0"
name = "Acme CRM (made up)"
vendor = "Ramal"
interface = "0.1"
verification = "docs-only"
dedup = "search-before-create"
purposes = ["screen-pop", "search", "journal", "diagnostics"]
provides = ["connector.check", "contacts.find-by-phone", "contacts.search", "journal.write"]
uses = ["egress", "text", "settings", "log"]

[ask."contact.phone"]
to-plugin = "sealed"
from-crm = "sealed"
reason = "to look the caller up and to show the number"
[ask."contact.name"]
to-plugin = "sealed"
from-crm = "sealed"
reason = "to show who is calling"
[ask."contact.email"]
from-crm = "masked"
reason = "to tell two people of one name apart"
[ask."contact.note"]
from-crm = "exists"
reason = "to say that there are notes in the CRM"
[ask."contact.document"]
from-crm = "sealed"
reason = "asked for and not granted, so never handed over"
[ask."work.item"]
from-crm = "clear"
reason = "titles of deals are sorted by the plugin, which needs to read them"
[ask."interaction.text"]
to-plugin = "sealed"
reason = "the agent's notes belong into the journal"

[settings]
type = "object"
required = ["server", "company"]
[settings.properties.server]
type = "string"
format = "origin"
title = "Server"
[settings.properties.company]
type = "integer"
title = "Company"

[[credential]]
id = "key"
kind = "bearer"
label = "API key"

[[route]]
id = "find"
purposes = ["screen-pop", "search"]
request = "GET {setting.server}/api/contacts?d={domain:base64url}&limit=10"
credential = "key"
params = { phone = "contact.phone" }
part.domain.json = '[["phone","=",{phone}],["company","=",{setting.company}]]'
header.X-Context = "{context:base64url}"
part.context.json = '{"company":{setting.company}}'
receive."/total" = "int(0..100000)"
receive."/items/*/id" = "id"
receive."/items/*/name" = "contact.name"
receive."/items/*/email" = "contact.email"
receive."/items/*/note" = "contact.note"
receive."/items/*/document" = "contact.document"
receive."/items/*/deal" = "work.item"
receive."/items/*/state" = "enum(open|won)"
receive."/items/*/mechanisms/*/value" = { switch = "type", case = { phone = "contact.phone", email = "contact.email" } }
receive-error."/code" = "enum(no-right|gone)"

[[route]]
id = "get"
purposes = ["screen-pop", "search"]
request = "GET {setting.server}/api/contacts/{id}"
credential = "key"
params = { id = "id" }
receive."/id" = "id"

[[route]]
id = "by-name"
purposes = ["search"]
request = "GET {setting.server}/api/people/{name}"
params = { name = "contact.name" }
header.X-Who = "{name}"
receive."/id" = "id"

[[route]]
id = "log"
purposes = ["journal"]
request = "POST {setting.server}/api/activities"
credential = "key"
send."/kind" = "enum(call|message)"
send."/seconds" = "int(0..86400)"
send."/text" = "interaction.text|contact.phone"
send."/who/*/phone" = "contact.phone"
send."/options" = "empty"
receive."/id" = "id"

[[route]]
id = "secret"
purposes = ["search"]
request = "GET {setting.server}/api/secret"
receive."/id" = "id"
"#;

pub(crate) const GRANT: &str = r#"
[grant]
tenant = "test"
plugin = "acme"
digest = "any"
revision = 3
approved-by = "ana@example.invalid"
approved-at = "2026-11-23"
expires = "2027-11-23"
reason = "tests"
purposes = ["screen-pop", "search", "journal"]
routes = ["find", "get", "by-name", "log"]

[classes]
"contact.phone" = { to-plugin = "sealed", from-crm = "sealed" }
"contact.name" = { to-plugin = "sealed", from-crm = "sealed" }
"contact.email" = { from-crm = "masked" }
"contact.note" = { from-crm = "exists" }
"work.item" = { from-crm = "clear" }
"interaction.text" = { to-plugin = "sealed" }

[[destination]]
origin = "https://crm.example"
reason = "the CRM"
"#;

pub(crate) fn manifest() -> Manifest {
    Manifest::parse("plugin.toml", MANIFEST).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn grant() -> Grant {
    Grant::parse("grant.toml", GRANT).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn settings() -> Value {
    json!({"server": "https://crm.example", "company": 1})
}

pub(crate) fn plan() -> Arc<Plan> {
    Arc::new(Plan::compile(&manifest(), Digest([1; 32]), &grant(), &settings()).unwrap())
}

pub(crate) fn plan_with(change: impl FnOnce(&mut Grant)) -> Arc<Plan> {
    let mut grant = grant();
    change(&mut grant);
    Arc::new(Plan::compile(&manifest(), Digest([1; 32]), &grant, &settings()).unwrap())
}

pub(crate) fn authority(purpose: Purpose) -> Authority {
    let actor = if purpose.needs_user() {
        Actor::User { id: "ana".parse().unwrap(), may: crate::class::ClassSet::all() }
    } else {
        Actor::System
    };
    Authority {
        tenant: TenantId::new("test").unwrap(),
        purpose,
        interaction: Some(InteractionId(uuid::Uuid::from_u128(7))),
        actor,
        subject: Some(Subject("s1".into())),
        at: "2026-12-01T12:00:00Z".parse().unwrap(),
    }
}

pub(crate) fn begin(plan: &Arc<Plan>, purpose: Purpose) -> Invocation {
    let export = match purpose {
        Purpose::Search => Export::ContactsSearch,
        Purpose::Journal => Export::JournalWrite,
        _ => Export::ContactsFindByPhone,
    };
    Invocation::begin(Arc::clone(plan), authority(purpose), export, [9; 32]).unwrap_or_else(|d| panic!("{d}"))
}

/// The same plugin, told and asking by itself as well.
pub(crate) fn hooked_manifest() -> String {
    MANIFEST
        .replacen("\"journal\", \"diagnostics\"]", "\"journal\", \"sync\", \"diagnostics\"]", 1)
        .replacen("\"journal.write\"]", "\"journal.write\", \"events.handle\"]", 1)
        .replacen("[[route]]", &format!("{HOOKS}\n[[route]]"), 1)
}

const HOOKS: &str = r#"
[[credential]]
id = "hook"
kind = "hook"
label = "Secret of the hooks"

[[hook]]
id = "changes"
reason = "to know when a contact changes"
credential = "hook"
verify = "hmac-sha256"
signature = { header = "X-Acme-Signature", encoding = "hex", prefix = "v1=", signed = "{time}.{body}" }
time = { header = "X-Acme-Time" }
delivery-id = "X-Acme-Delivery"
max-bytes = 2048
header."X-Acme-Event" = "enum(updated|deleted)"
receive."/event" = "enum(contact.updated|contact.deleted)"
receive."/contact/id" = "id"
receive."/contact/name" = "contact.name"
receive."/contact/email" = "contact.email"
receive."/contact/document" = "contact.document"
receive."/contact/phone" = "contact.phone"

[[hook]]
id = "spare"
reason = "declared and not granted"
credential = "hook"
verify = "path-secret"

[sync]
reason = "to know of what no hook tells"
every-seconds = 300
"#;

pub(crate) fn hooked_grant_text() -> String {
    GRANT.replacen("\"journal\"]", "\"journal\", \"sync\"]", 1).replacen(
        "\"log\"]",
        "\"log\"]\nhooks = [\"changes\"]",
        1,
    )
}

pub(crate) fn hooked_grant() -> Grant {
    Grant::parse("grant.toml", &hooked_grant_text()).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn hooked_plan_with(change: impl FnOnce(&mut Grant)) -> Arc<Plan> {
    let manifest = Manifest::parse("plugin.toml", &hooked_manifest()).unwrap_or_else(|e| panic!("{e}"));
    let mut grant = hooked_grant();
    change(&mut grant);
    Arc::new(Plan::compile(&manifest, Digest([1; 32]), &grant, &settings()).unwrap())
}
