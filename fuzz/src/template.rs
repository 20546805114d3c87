//! Whatever an author writes as address, header and part, and whatever value is put into it, the request goes
//! to the granted origin and the value stays in its place.
//!
//! Input: four sections separated by lines `---`: address, header, JSON part, value. In the address `@` stands
//! for the granted origin; the part is called `domain`, the value is the parameter `phone`.

use std::sync::{Arc, LazyLock};

use super::plan::{begin, digest, settings, text};
use ramal_capability::{EgressCall, Grant, Manifest, Plan, Purpose};

/// Short, because it is read anew for every input.
const HEAD: &str = r#"
[plugin]
id = "acme"
version = "0.1.0"
name = "Acme CRM (made up)"
vendor = "Ramal"
interface = "0.1"
verification = "docs-only"
dedup = "none"
purposes = ["screen-pop"]
provides = ["contacts.find-by-phone"]
uses = ["egress"]
[ask."contact.phone"]
to-plugin = "sealed"
reason = "to look the caller up"
[settings]
type = "object"
required = ["server", "company"]
[settings.properties.server]
type = "string"
format = "origin"
[settings.properties.company]
type = "integer"
[[route]]
id = "find"
purposes = ["screen-pop"]
params = { phone = "contact.phone" }
receive."/id" = "id"
"#;

static GRANT: LazyLock<Grant> = LazyLock::new(|| {
    let text = r#"
[grant]
tenant = "test"
plugin = "acme"
digest = "any"
revision = 1
approved-by = "ana@example.invalid"
approved-at = "2026-11-23"
expires = "2027-11-23"
reason = "fuzzing"
purposes = ["screen-pop"]
routes = ["find"]
[classes]
"contact.phone" = { to-plugin = "sealed" }
[[destination]]
origin = "https://crm.example"
reason = "the CRM"
"#;
    Grant::parse("grant.toml", text).unwrap_or_else(|e| panic!("{}", e.render(false)))
});

/// A JSON string is a TOML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    let text = text(data);
    let mut sections = text.splitn(4, "\n---\n");
    let mut next = || sections.next();
    let (Some(address), Some(header), Some(part), Some(value)) = (next(), next(), next(), next()) else {
        return;
    };
    let address = address.replacen('@', "https://crm.example", 1);
    let manifest = format!(
        "{HEAD}request = {}\nheader.X-Context = {}\npart.domain.json = {}\n",
        quoted(&format!("GET {address}")),
        quoted(header),
        quoted(part)
    );
    let Ok(manifest) = Manifest::parse("plugin.toml", &manifest) else { return };
    let Ok(plan) = Plan::compile(&manifest, digest(), &GRANT, &settings()) else { return };
    let plan = Arc::new(plan);
    let Some(mut call) = begin(&plan, Purpose::ScreenPop) else { panic!("the grant admits a screen pop") };
    let mut with = |value: &str| {
        let params = vec![("phone".to_owned(), value.to_owned())];
        call.prepare(&EgressCall { route: "find".into(), params, body: None })
    };
    let Ok(prepared) = with(value) else { return };
    let Ok(harmless) = with("x") else { panic!("a letter can be written anywhere") };

    assert_eq!(prepared.origin().to_string(), "https://crm.example", "another destination");
    let target = prepared.target().expose();
    for delimiter in ['/', '?', '&', '='] {
        let count = |text: &str| text.matches(delimiter).count();
        let (found, expected) = (count(target), count(harmless.target().expose()));
        assert_eq!(found, expected, "a value that left its place by {delimiter:?}");
    }
    assert!(target.starts_with('/'), "a target that is no path");
    assert!(
        target.bytes().all(|b| b.is_ascii_graphic() && b != b'#'),
        "a target with bytes that no target has"
    );
    assert!(!target.split('?').next().unwrap_or_default().contains("//"), "an empty segment");
    for (_, header) in prepared.headers() {
        assert!(
            header.expose().bytes().all(|b| b == b' ' || b.is_ascii_graphic()),
            "a header that could split"
        );
    }
}
