//! What each rule says, and that a line which it gives for the grant does what it promises.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::class::DataClass as C;
use crate::exchange::{EgressCall, EgressFailure};
use crate::export::Export;
use crate::fixture::{GRANT, MANIFEST, authority, begin, hooked_grant_text, hooked_manifest, settings};
use crate::grant::Grant;
use crate::ids::Digest;
use crate::invocation::Invocation;
use crate::manifest::Manifest;
use crate::plan::Plan;
use crate::purpose::Purpose;
use crate::show::Place;
use crate::value::Clear;

const PHONE: &str = "+5511900000021";

/// Rules that are decided where the clock, the network and the ledger are: the engine's gate and egress.
const ELSEWHERE: &[Rule] = &[Rule::Subjects, Rule::Suspended, Rule::Address, Rule::Ledger];

/// Something that is denied under a grant, and no longer is once a line of the grant is changed.
struct Attempt {
    manifest: String,
    grant: String,
    by: fn(&Arc<Plan>) -> Result<(), Denial>,
}

fn attempt(by: fn(&Arc<Plan>) -> Result<(), Denial>) -> Attempt {
    Attempt { manifest: MANIFEST.to_owned(), grant: GRANT.to_owned(), by }
}

fn limited(limit: &str, by: fn(&Arc<Plan>) -> Result<(), Denial>) -> Attempt {
    Attempt { grant: format!("{GRANT}\n[limits]\n{limit}\n"), ..attempt(by) }
}

impl Attempt {
    fn under(&self, grant: &str) -> Result<(), Denial> {
        let manifest = Manifest::parse("plugin.toml", &self.manifest).unwrap_or_else(|e| panic!("{e}"));
        let grant = Grant::parse("grant.toml", grant).unwrap_or_else(|e| panic!("{e}"));
        (self.by)(&Arc::new(Plan::compile(&manifest, Digest([1; 32]), &grant, &settings()).unwrap()))
    }
    fn denial(&self) -> Denial {
        self.under(&self.grant).expect_err("it must be denied")
    }
}

fn sealed(call: &mut Invocation, class: C, value: &str) -> Result<String, Denial> {
    Ok(call.hand_in(class, &Clear::from(value))?.unwrap())
}

fn send(
    call: &mut Invocation,
    route: &str,
    params: &[(&str, &str)],
    body: Option<&str>,
) -> Result<(), Denial> {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = EgressCall { route: route.to_owned(), params, body: body.map(str::to_owned) };
    match call.prepare(&request) {
        Ok(_) => Ok(()),
        Err(EgressFailure::Denied(denial)) => Err(denial),
        Err(other) => panic!("{other}"),
    }
}

fn find(call: &mut Invocation) -> Result<(), Denial> {
    let phone = sealed(call, C::ContactPhone, PHONE)?;
    send(call, "find", &[("phone", &phone)], None)
}

/// Denied until a line of the grant is changed.
fn liftable() -> Vec<Attempt> {
    let hooked = |by: fn(&Arc<Plan>) -> Result<(), Denial>| Attempt {
        manifest: hooked_manifest(),
        grant: hooked_grant_text(),
        by,
    };
    vec![
        attempt(|plan| {
            let late = "2027-11-24T00:00:00Z".parse().unwrap();
            let who = crate::authority::Authority { at: late, ..authority(Purpose::ScreenPop) };
            plan.admit(&who, Export::ContactsFindByPhone).map(drop)
        }),
        attempt(|plan| plan.admit(&authority(Purpose::Diagnostics), Export::ConnectorCheck).map(drop)),
        Attempt {
            grant: GRANT.replace("\"contact.phone\" = { to-plugin = \"sealed\", from-crm = \"sealed\" }", ""),
            ..attempt(|plan| {
                let mut call = begin(plan, Purpose::ScreenPop);
                let handed = call.hand_in(C::ContactPhone, &Clear::from(PHONE))?;
                handed.map(drop).ok_or_else(|| call.lacks(C::ContactPhone))
            })
        },
        attempt(|plan| plan.route("secret", &authority(Purpose::Search)).map(drop)),
        hooked(|plan| plan.hook("spare", &authority(Purpose::Sync)).map(drop)),
        limited("requests = 1", |plan| {
            let mut call = begin(plan, Purpose::ScreenPop);
            find(&mut call)?;
            find(&mut call)
        }),
        limited("seals = 1", |plan| {
            let mut call = begin(plan, Purpose::ScreenPop);
            sealed(&mut call, C::ContactPhone, PHONE)?;
            sealed(&mut call, C::ContactPhone, "+5511900000022").map(drop)
        }),
        limited("request-bytes = 60", |plan| find(&mut begin(plan, Purpose::ScreenPop))),
        limited("total-out-bytes = 10", |plan| find(&mut begin(plan, Purpose::ScreenPop))),
        limited("comparisons = 1", |plan| {
            let mut call = begin(plan, Purpose::ScreenPop);
            let one = sealed(&mut call, C::ContactPhone, PHONE)?;
            call.same(&one, &one)?;
            call.same(&one, &one).map(drop)
        }),
    ]
}

/// Denied whatever the grant says.
fn others() -> Vec<Attempt> {
    vec![
        attempt(|plan| plan.admit(&authority(Purpose::ScreenPop), Export::ContactsGet).map(drop)),
        attempt(|plan| {
            let who = crate::authority::Authority { interaction: None, ..authority(Purpose::ScreenPop) };
            plan.admit(&who, Export::ContactsFindByPhone).map(drop)
        }),
        attempt(|plan| {
            let who = crate::authority::Authority {
                actor: crate::authority::Actor::System,
                ..authority(Purpose::Search)
            };
            plan.admit(&who, Export::ContactsSearch).map(drop)
        }),
        attempt(|plan| plan.route("nope", &authority(Purpose::Search)).map(drop)),
        attempt(|plan| plan.route("log", &authority(Purpose::ScreenPop)).map(drop)),
        Attempt {
            manifest: hooked_manifest(),
            grant: hooked_grant_text(),
            by: |plan| plan.hook("nope", &authority(Purpose::Sync)).map(drop),
        },
        attempt(|plan| send(&mut begin(plan, Purpose::ScreenPop), "find", &[], None)),
        attempt(|plan| {
            let mut call = begin(plan, Purpose::ScreenPop);
            let phone = sealed(&mut call, C::ContactPhone, PHONE)?;
            send(&mut call, "find", &[("phone", &phone)], Some("{}"))
        }),
        attempt(|plan| {
            send(&mut begin(plan, Purpose::Journal), "log", &[], Some(r#"{"kind":"call","more":1}"#))
        }),
        attempt(|plan| {
            let mut call = begin(plan, Purpose::ScreenPop);
            let name = sealed(&mut call, C::ContactName, "Ana (made up)")?;
            send(&mut call, "find", &[("phone", &name)], None)
        }),
        attempt(|plan| {
            let forged = "sealed_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA";
            send(&mut begin(plan, Purpose::ScreenPop), "find", &[("phone", forged)], None)
        }),
        attempt(|plan| send(&mut begin(plan, Purpose::ScreenPop), "get", &[("id", "a/../b")], None)),
        attempt(|plan| {
            let mut call = begin(plan, Purpose::Search);
            let name = sealed(&mut call, C::ContactName, "Ana/Lima (made up)")?;
            send(&mut call, "by-name", &[("name", &name)], None)
        }),
        attempt(|plan| {
            let mut call = begin(plan, Purpose::ScreenPop);
            let phone = sealed(&mut call, C::ContactPhone, PHONE)?;
            call.show(Place::ContactName, &phone).map(drop)
        }),
    ]
}

/// The file with the line in its place, as a person puts it there.
fn put(grant: &str, fix: &Fix) -> String {
    assert_eq!(fix.file, "grant.toml", "{fix:?}");
    let name = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    let (mut out, mut table, mut done) = (Vec::new(), "", false);
    for line in grant.lines() {
        if line.starts_with('[') {
            table = line.trim();
        }
        if table == fix.table && name(line) == name(&fix.line) {
            out.push(fix.line.as_str());
            done = true;
        } else {
            out.push(line);
        }
    }
    if !done {
        let head = out.iter().position(|line| line.trim() == fix.table);
        out.insert(head.unwrap_or_else(|| panic!("no {} in the grant", fix.table)) + 1, &fix.line);
    }
    out.join("\n")
}

#[test]
fn the_line_that_a_denial_gives_lifts_it() {
    for attempt in liftable() {
        let denial = attempt.denial();
        let fix = denial.fix.clone().unwrap_or_else(|| panic!("no line: {denial}"));
        let changed = put(&attempt.grant, &fix);
        let after = attempt.under(&changed);
        assert_eq!(after, Ok(()), "after {} the same is denied: {denial}", fix.line);
    }
}

#[test]
fn each_rule_says_what_was_asked_what_is_granted_and_a_whole_line_if_there_is_one() {
    let denials: Vec<Denial> = liftable().iter().chain(&others()).map(Attempt::denial).collect();
    let told: BTreeSet<&str> = denials.iter().map(|denial| denial.rule.code()).collect();
    let silent: Vec<&Rule> =
        Rule::ALL.iter().filter(|rule| !told.contains(rule.code()) && !ELSEWHERE.contains(rule)).collect();
    assert!(silent.is_empty(), "no attempt here meets {silent:?}");
    let mut lines: Vec<String> = denials.iter().map(ToString::to_string).collect();
    lines.sort();
    let text = lines.join("\n");
    assert!(!text.contains('…') && !text.contains("5511"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_grant_that_lasted_two_years_has_to_be_approved_anew() {
    let attempt = attempt(|plan| {
        let late = "2030-01-01T00:00:00Z".parse().unwrap();
        let who = crate::authority::Authority { at: late, ..authority(Purpose::ScreenPop) };
        plan.admit(&who, Export::ContactsFindByPhone).map(drop)
    });
    assert_eq!(attempt.denial().fix, None);
}
