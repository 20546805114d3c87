//! Name servers that lead a granted name to where nobody meant to go.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use ramal_egress::{Resolver, TableResolver};
use rstest::rstest;
use serde_json::json;

use super::crm::Answer;
use super::host::{Host, With, rule_in};
use super::people;

fn table(addresses: &[&str]) -> Arc<TableResolver> {
    let table = TableResolver::new();
    table.set("crm.zoo.example", addresses.iter().map(|text| text.parse::<IpAddr>().unwrap()));
    Arc::new(table)
}

#[rstest]
#[case::private(&["10.0.0.1"])]
#[case::home(&["192.168.1.1"])]
#[case::metadata(&["169.254.169.254"])]
#[case::link_local(&["169.254.0.7"])]
#[case::this_network(&["0.0.0.0"])]
#[case::carrier(&["100.64.0.1"])]
#[case::broadcast(&["255.255.255.255"])]
#[case::multicast(&["224.0.0.1"])]
#[case::other_loopback(&["127.0.0.2"])]
#[case::loopback_of_six(&["::1"])]
#[case::hidden_in_six(&["::ffff:10.0.0.1"])]
#[case::translated(&["64:ff9b::a00:1"])]
#[case::unique_local(&["fd00::1"])]
#[case::metadata_of_six(&["fd00:ec2::254"])]
#[case::one_of_two(&["127.0.0.1", "10.0.0.1"])]
#[case::the_second_of_three(&["127.0.0.1", "169.254.169.254", "127.0.0.1"])]
#[case::public_in_plain_http(&["1.1.1.1"])]
#[tokio::test]
async fn an_address_that_the_grant_does_not_name_is_not_dialled(#[case] addresses: &[&str]) {
    let host = Host::open_with(With { resolver: table(addresses), ..With::default() }).await;
    let origin = format!("http://crm.zoo.example:{}", host.crm.port());
    let request = json!({"route": "find", "params": [["phone", "$0"]]});
    let visited = host.animal("parrot").asked_to(&request).server(&origin).let_out().await;
    assert_eq!(visited.rule(), Some("address"), "{}", visited.error());
    assert!(visited.lines().is_empty());
    assert!(
        host.ledger.rows().iter().all(|row| row.origin.as_ref() != origin),
        "nothing left, so no row says so"
    );
}

#[tokio::test]
async fn an_address_that_the_grant_names_is_dialled_under_its_name() {
    let host = Host::open_with(With { resolver: table(&["127.0.0.1"]), ..With::default() }).await;
    let origin = format!("http://crm.zoo.example:{}", host.crm.port());
    let visited = host.animal("tame").server(&origin).let_out().await;
    assert_eq!(visited.code(), "ok", "{}", visited.error());
    assert_eq!(visited.asked[0].header("host"), Some(origin.trim_start_matches("http://")));
}

#[tokio::test]
async fn a_name_that_is_none_is_told_so() {
    let host = Host::open().await;
    let request = json!({"route": "find", "params": [["phone", "$0"]]});
    let visited =
        host.animal("parrot").asked_to(&request).server("https://nowhere.zoo.example").let_out().await;
    assert_eq!(
        (visited.took("answer").as_str(), visited.code()),
        ("unavailable: the name cannot be resolved", "transient")
    );
}

/// Answers well at first and otherwise later: what DNS rebinding does.
struct Rebinding(AtomicUsize);

impl Resolver for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let address: IpAddr = if first { [127, 0, 0, 1].into() } else { [10, 0, 0, 1].into() };
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test]
async fn a_name_that_changes_is_judged_anew_for_each_connection() {
    let resolver = Arc::new(Rebinding(AtomicUsize::new(0)));
    let host = Host::open_with(With { resolver: Arc::clone(&resolver) as _, ..With::default() }).await;
    host.crm.answers(|_| {
        let headers = [("Content-Type", "application/json"), ("Connection", "close")];
        Answer::with(200, &headers, people::found().to_string().as_bytes()).then_close()
    });
    let origin = format!("http://crm.zoo.example:{}", host.crm.port());
    let visited = host.animal("flooder").number(3).server(&origin).let_out().await;
    assert_eq!((visited.took("sent").as_str(), visited.lines().len()), ("1", 1));
    assert_eq!(rule_in(&visited.took("answer")), Some("address"));
    assert_eq!(
        resolver.0.load(Ordering::SeqCst),
        2,
        "one look-up for each connection, none between check and use"
    );
}
