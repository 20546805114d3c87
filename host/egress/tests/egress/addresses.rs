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
    let bench = Setup::origin("http://crm.test".to_owned()).private(&["169.254.0.0/16"]).bench();
    bench.names.set("crm.test", [ip("169.254.169.254")]);
    insta::assert_snapshot!(
        bench.denied().await,
        @"denied (address): asked for a connection to `crm.test`, whose address 169.254.169.254 is a cloud's metadata service; granted: no grant opens such an address"
    );
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
    let closed = Setup::origin(format!("http://{}", crm.address)).private(&[]);
    assert_eq!(closed.bench().denied().await.rule, Rule::Address);
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
