//! Which addresses a name may lead to.

use std::net::IpAddr;
use std::sync::Arc;

use ramal_capability::Rule;
use ramal_egress::TableResolver;
use rstest::rstest;

use crate::bench::Setup;
use crate::crm::Crm;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_name_that_leads_inside_is_denied_with_the_line_that_would_allow_it() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).private(&["10.0.0.0/8"]).bench();
    let denial = bench.denied().await;
    assert_eq!(denial.rule, Rule::Address);
    insta::assert_snapshot!(
        denial.to_string().replace(&crm.address.port().to_string(), "PORT"),
        @"denied (address): asked for a connection to `crm.test`, whose address 127.0.0.1 is loopback (RFC 1122); granted: public addresses, and the private ranges that the grant names for this destination; to allow it, add to grant.toml under the [[destination]] with origin = \"http://crm.test:PORT\": private = [\"127.0.0.1/32\"]"
    );
    assert_eq!(crm.accepts(), 0);
    assert!(bench.ledger.rows().is_empty());
}

#[rstest]
#[case::public_first(&["8.8.8.8", "127.0.0.1"])]
#[case::private_first(&["127.0.0.1", "8.8.8.8"])]
#[case::mapped(&["8.8.8.8", "::ffff:127.0.0.1"])]
#[tokio::test]
async fn one_private_address_among_public_ones_denies_all(#[case] addresses: &[&str]) {
    let crm = Crm::finds().await;
    let setup = Setup::origin(format!("https://crm.test:{}", crm.address.port())).private(&[]);
    let bench = setup.bench();
    bench.names.set("crm.test", addresses.iter().map(|a| ip(a)));
    assert_eq!(bench.denied().await.rule, Rule::Address);
    assert_eq!(crm.accepts(), 0);
}

#[tokio::test]
async fn an_address_outside_the_granted_range_denies_all() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).private(&["127.0.0.1/32"]).bench();
    bench.names.set("crm.test", [ip("127.0.0.1"), ip("127.0.0.2")]);
    assert_eq!(bench.denied().await.rule, Rule::Address);
    assert_eq!(crm.accepts(), 0);
}

#[tokio::test]
async fn a_metadata_service_is_opened_by_no_grant() {
    let bench = Setup::origin("http://crm.test".to_owned()).bench();
    bench.names.set("crm.test", [ip("169.254.169.254")]);
    insta::assert_snapshot!(
        bench.denied().await,
        @"denied (address): asked for a connection to `crm.test`, whose address 169.254.169.254 is a cloud's metadata service; granted: no grant opens such an address"
    );
}

/// The two lists of ranges, the grant file's and the connector's, agree.
#[rstest]
#[case::ten("10.0.0.1", true)]
#[case::carrier("100.64.0.1", true)]
#[case::loopback("127.0.0.1", true)]
#[case::private_172("172.31.255.255", true)]
#[case::private_192("192.168.0.1", true)]
#[case::loopback_v6("::1", true)]
#[case::unique_local("fd12::1", true)]
#[case::mapped("::ffff:10.0.0.1", true)]
#[case::link_local("169.254.1.1", false)]
#[case::link_local_v6("fe80::1", false)]
#[case::documentation("192.0.2.1", false)]
#[case::nat64("64:ff9b::10.0.0.1", false)]
#[case::multicast("224.0.0.1", false)]
#[case::this_host("0.0.0.0", false)]
#[tokio::test]
async fn a_line_that_a_denial_offers_is_one_that_the_grant_takes(
    #[case] address: &str,
    #[case] offered: bool,
) {
    let bench = Setup::origin("https://crm.test".to_owned()).private(&[]).bench();
    bench.names.set("crm.test", [ip(address)]);
    let denial = bench.denied().await;
    assert_eq!(denial.fix.is_some(), offered, "{denial}");
    if let Some(fix) = denial.fix {
        let range = fix.line.strip_prefix("private = [\"").unwrap().strip_suffix("\"]").unwrap();
        Setup::origin("https://crm.test".to_owned()).private(&[range]).plan();
    }
}

#[tokio::test]
async fn plain_http_goes_to_granted_ranges_only() {
    let bench = Setup::origin("http://crm.test".to_owned()).bench();
    bench.names.set("crm.test", [ip("8.8.8.8")]);
    insta::assert_snapshot!(
        bench.denied().await,
        @"denied (address): asked for plain HTTP to `crm.test` at a public address; granted: plain HTTP inside the private ranges that the grant names; https everywhere else"
    );
}

#[tokio::test]
async fn a_literal_address_is_checked_like_a_name() {
    let crm = Crm::finds().await;
    let setup = Setup::origin(format!("http://{}", crm.address));
    assert_eq!(setup.bench().find().await.unwrap().status, 200);
    let metadata = Setup::origin("https://169.254.169.254".to_owned()).private(&[]);
    assert_eq!(metadata.bench().denied().await.rule, Rule::Address);
    assert_eq!(crm.accepts(), 1);
}

/// DNS rebinding: the name server answers differently each time it is asked.
#[tokio::test]
async fn a_name_that_changes_its_address_leads_only_where_the_check_looked() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).private(&["127.0.0.1/32"]).bench();
    assert!(bench.find().await.is_ok());
    bench.names.set("crm.test", [ip("127.0.0.2")]);
    // The kept connection leads to the address that was checked; the new answer is not even asked for.
    assert!(bench.find().await.is_ok());
    assert_eq!((crm.accepts(), crm.seen().len()), (1, 2));
    // A new connection looks up anew, and is denied.
    bench.egress.forget(bench.plan.tenant(), bench.plan.plugin());
    assert_eq!(bench.denied().await.rule, Rule::Address);
    assert_eq!((crm.accepts(), crm.seen().len()), (1, 2));
}

/// One look-up for each connection: there is no second one between check and connection.
#[tokio::test]
async fn a_connection_asks_for_the_address_once() {
    struct Counting(TableResolver, std::sync::atomic::AtomicUsize);
    impl ramal_egress::Resolver for Counting {
        fn resolve<'a>(
            &'a self,
            host: &'a str,
        ) -> futures_util::future::BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
            // First the granted address; whoever asks again gets another one.
            if self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0 {
                self.0.set(host, [ip("127.0.0.2")]);
            }
            self.0.resolve(host)
        }
    }
    let crm = Crm::finds().await;
    let resolver = Arc::new(Counting(TableResolver::local("crm.test"), Default::default()));
    let theirs = resolver.clone();
    let bench = Setup::at(crm.address).private(&["127.0.0.1/32"]).bench_with(|b| b.resolver(theirs));
    assert!(bench.find().await.is_ok());
    assert_eq!(resolver.1.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_without_address_is_unavailable_and_not_a_denial() {
    let bench = Setup::origin("http://nobody.test".to_owned()).bench();
    let error = bench.find().await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the name cannot be resolved");
    assert!(bench.ledger.rows().is_empty(), "nothing left");
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_takes_no_connection() {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).bench();
    bench.names.set("crm.test", [ip("127.9.9.9"), ip("127.0.0.1")]);
    assert_eq!(bench.find().await.unwrap().status, 200);
}
