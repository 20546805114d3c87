//! Connections are kept, and kept apart.

use crate::bench::{Setup, begin, get_call, soon};
use crate::crm::Crm;

#[tokio::test]
async fn a_steady_state_opens_no_connection() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench();
    for _ in 0..50 {
        bench.find().await.unwrap();
    }
    assert_eq!((crm.accepts(), crm.seen().len()), (1, 50));
}

#[tokio::test]
async fn a_refusal_of_the_crm_keeps_the_connection() {
    let crm = Crm::answers(|_| crate::crm::answer(404, "{}")).await;
    let bench = Setup::at(crm.address).bench();
    for _ in 0..5 {
        assert_eq!(bench.find().await.unwrap().status, 404);
    }
    assert_eq!(crm.accepts(), 1);
}

#[tokio::test]
async fn another_revision_of_the_grant_has_connections_of_its_own() {
    let crm = Crm::finds().await;
    let setup = Setup::at(crm.address);
    let bench = setup.bench();
    let next = Setup::at(crm.address).revision(2).plan();
    for _ in 0..3 {
        bench.find().await.unwrap();
        bench.find_under(&next).await.unwrap();
    }
    assert_eq!(crm.accepts(), 2);
}

#[tokio::test]
async fn another_set_of_granted_ranges_has_connections_of_its_own() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench();
    bench.find().await.unwrap();
    // The same revision with fewer ranges cannot ride on the wider one's connection.
    let narrower = Setup::at(crm.address).private(&["10.0.0.0/8"]).plan();
    assert!(bench.find_under(&narrower).await.is_err());
    assert_eq!((crm.accepts(), crm.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_revoked_plugins_connections_are_closed() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench();
    bench.find().await.unwrap();
    bench.egress.forget(bench.plan.tenant(), bench.plan.plugin());
    crm.all_closed().await;
    bench.find().await.unwrap();
    assert_eq!(crm.accepts(), 2);
}

#[tokio::test]
async fn forgetting_one_plugin_leaves_the_others_connections() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench();
    bench.find().await.unwrap();
    bench.egress.forget(bench.plan.tenant(), &"other".parse().unwrap());
    bench.egress.forget(&"other".parse().unwrap(), bench.plan.plugin());
    bench.find().await.unwrap();
    assert_eq!(crm.accepts(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_not_used_again() {
    let crm = Crm::answers(|_| crate::crm::answer(200, r#"{"id":"c-1"}"#).with("connection", "close")).await;
    let bench = Setup::at(crm.address).bench();
    for _ in 0..3 {
        bench.find().await.unwrap();
    }
    assert_eq!(crm.accepts(), 3);
}

#[tokio::test]
async fn cookies_are_neither_kept_nor_sent() {
    let crm = Crm::answers(|_| {
        crate::crm::answer(200, r#"{"id":"c-1"}"#)
            .with("set-cookie", "session=abc; Path=/")
            .with("alt-svc", "h3=\":443\"")
    })
    .await;
    let bench = Setup::at(crm.address).bench();
    bench.find().await.unwrap();
    let mut inv = begin(&bench.plan);
    bench.egress.send(&mut inv, &get_call("c-1"), soon()).await.unwrap();
    assert!(crm.seen().iter().all(|s| s.header("cookie").is_none()));
    assert_eq!(crm.accepts(), 1);
}
