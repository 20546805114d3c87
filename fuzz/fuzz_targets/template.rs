//! Whatever an author writes as address, header and part, and whatever value is put into it, the request goes
//! to the granted origin and the value stays in its place.
//!
//! Input: four sections separated by lines `---`: address, header, JSON part, value. In the address `@` stands
//! for the granted origin.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use ramal_capability::{EgressCall, Grant, Language, Plan, Purpose, Template};
use ramal_fuzz::{GRANT, begin, digest, manifest, settings};

fuzz_target!(|text: &str| {
    let mut sections = text.splitn(4, "\n---\n");
    let mut next = || sections.next();
    let (Some(address), Some(header), Some(part), Some(value)) = (next(), next(), next(), next()) else { return };
    let parse = |text: &str| Template::parse(text).ok();
    let Some(address) = parse(&address.replacen('@', "https://crm.example", 1)) else { return };
    let (Some(header), Some(part)) = (parse(header), parse(part)) else { return };

    let mut manifest = manifest().clone();
    let Some(route) = manifest.routes.iter_mut().find(|route| route.id.as_str() == "find") else { return };
    route.url = address;
    route.headers = vec![("X-Context".to_owned(), header)];
    route.parts.insert("domain".to_owned(), (Language::Json, part));

    let Ok(grant) = Grant::parse("grant.toml", GRANT) else { return };
    let Ok(plan) = Plan::compile(&manifest, digest(), &grant, &settings()) else { return };
    let plan = Arc::new(plan);
    let Some(mut call) = begin(&plan, Purpose::ScreenPop) else { return };
    let params = vec![("phone".to_owned(), value.to_owned())];
    let Ok(prepared) = call.prepare(&EgressCall { route: "find".into(), params, body: None }) else { return };

    assert_eq!(prepared.origin().to_string(), "https://crm.example", "another destination");
    let target = prepared.target().expose();
    assert!(target.starts_with('/'), "a target that is no path");
    assert!(target.bytes().all(|b| b.is_ascii_graphic() && b != b'#'), "a target with bytes that no target has");
    assert!(!target.split('?').next().unwrap_or_default().contains("//"), "an empty segment");
    for (_, header) in prepared.headers() {
        assert!(header.expose().bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "a header that could split");
    }
});
