//! One row for each request that left, none for what did not, and nothing leaves that could not be recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use ramal_capability::{DataClass, EgressCall, Rule};
use ramal_ledger::{Deny, DisclosedBy, JsonLines, Outcome, read};

use crate::bench::{PHONE, Setup, begin, find_call, get_call, soon};
use crate::crm::{Crm, Raw, Then};

#[tokio::test]
async fn a_row_says_what_left_to_whom_and_why_and_holds_no_value() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).credential("kind = \"bearer\"", &[("token", "s3cr3t-t0ken")]).bench();
    bench.find().await.unwrap();
    let rows = bench.ledger.rows();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.classes, BTreeMap::from([(DataClass::ContactPhone, 1)]));
    let DisclosedBy::Plugin { plugin, version, route, .. } = &row.by else { panic!("{row:?}") };
    assert_eq!((row.tenant.as_str(), plugin.as_str(), &**version), ("acme", "practice", "0.1.0"));
    assert_eq!((route.as_str(), row.purpose.as_str()), ("find", "screen-pop"));
    assert_eq!(row.subject.as_deref(), Some("s-4f2a"));
    assert!(row.interaction.is_some() && row.user.is_none());
    assert_eq!(&*row.origin, format!("http://crm.test:{}", crm.address.port()));
    assert_eq!((row.status, row.outcome, row.bytes_in), (Some(200), Outcome::SentAnswered, 12));
    assert!(row.bytes_out >= 26);
    let text = serde_json::to_string(row).unwrap();
    for value in [PHONE, "11987654321", "s3cr3t", "limit=1", "/find?"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}

#[tokio::test]
async fn a_denied_request_leaves_no_row_and_reaches_no_server() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench();
    let mut inv = begin(&bench.plan);
    let call = EgressCall { body: Some(r#"{"other":"x"}"#.to_owned()), ..find_call(&mut inv) };
    assert!(bench.egress.send(&mut inv, &call, soon()).await.is_err());
    assert!(bench.ledger.rows().is_empty());
    assert_eq!(crm.accepts(), 0);
}

#[tokio::test]
async fn each_request_of_a_group_has_its_row() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench();
    let mut inv = begin(&bench.plan);
    bench.egress.send_all(&mut inv, vec![get_call("a"), get_call("b")], soon()).await;
    assert_eq!(bench.ledger.rows().len(), 2);
}

#[tokio::test]
async fn without_a_ledger_nothing_leaves() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench_with(|b| b.ledger(Arc::new(Deny)));
    let denial = bench.denied().await;
    assert_eq!(denial.rule, Rule::Ledger);
    insta::assert_snapshot!(
        denial,
        @"denied (ledger): asked for a request that could not be recorded; granted: nothing, until the ledger of disclosures can be written"
    );
    assert_eq!(crm.accepts(), 0);
}

/// The login of a session is an effect too.
#[tokio::test]
async fn without_a_ledger_there_is_no_login_either() {
    let crm = Crm::finds().await;
    let setup = crate::sessions::setup(&crm);
    let bench = setup.bench_with(|b| b.ledger(Arc::new(Deny)));
    assert_eq!(bench.denied().await.rule, Rule::Ledger);
    assert_eq!(crm.accepts(), 0);
}

#[tokio::test]
async fn a_request_whose_caller_goes_away_has_its_row() {
    let raw = Raw::writes("", Then::Hold).await;
    let bench = Setup::at(raw.address).bench();
    let mut inv = begin(&bench.plan);
    let call = find_call(&mut inv);
    tokio::select! {
        biased;
        _ = bench.egress.send(&mut inv, &call, soon()) => panic!("answered"),
        () = raw.written.notified() => {}
    }
    let rows = bench.ledger.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].outcome, rows[0].status), (Outcome::SentAbandoned, None));
}

#[tokio::test]
async fn a_request_without_connection_leaves_no_row() {
    let crm = Crm::finds().await;
    let address = crm.address;
    drop(crm);
    // The port is free again: nobody listens.
    let bench = Setup::at(address).bench();
    let failure = bench.find().await.unwrap_err();
    assert_eq!(failure.to_string(), "unavailable: no address takes a connection");
    assert!(bench.ledger.rows().is_empty());
}

#[tokio::test]
async fn rows_reach_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let crm = Crm::finds().await;
    let file = Arc::new(JsonLines::open(&path).unwrap());
    let bench = Setup::at(crm.address).bench_with(|b| b.ledger(file.clone()));
    bench.find().await.unwrap();
    ramal_ledger::DisclosureSink::flush(&*file).unwrap();
    assert_eq!(read(&path).unwrap().count(), 1);
}
