use rstest::rstest;

use super::*;

fn global(text: &str) -> bool {
    standing(text.parse().unwrap()) == Standing::Global
}

/// First and last address inside, and the neighbours outside that are public (`-` where the neighbour belongs
/// to another special range, or there is none).
#[rstest]
#[case::this_network("0.0.0.0", "0.255.255.255", "-", "1.0.0.0")]
#[case::ten("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0")]
#[case::carrier("100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0")]
#[case::loopback("127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0")]
#[case::link_local("169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0")]
#[case::metadata("169.254.169.254", "169.254.169.254", "-", "-")]
#[case::metadata_alibaba("100.100.100.200", "100.100.100.200", "-", "-")]
#[case::metadata_azure("168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17")]
#[case::private_172("172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0")]
#[case::protocol("192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0")]
#[case::test_net_1("192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0")]
#[case::relay_6to4("192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0")]
#[case::private_192("192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0")]
#[case::benchmarking("198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0")]
#[case::test_net_2("198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0")]
#[case::test_net_3("203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0")]
#[case::multicast("224.0.0.0", "239.255.255.255", "223.255.255.255", "-")]
#[case::reserved("240.0.0.0", "255.255.255.255", "-", "-")]
#[case::unspecified_v6("::", "::", "-", "-")]
#[case::loopback_v6("::1", "::1", "-", "-")]
#[case::compatible("::2", "::255.255.255.255", "-", "-")]
#[case::mapped_private("::ffff:10.0.0.0", "::ffff:10.255.255.255", "::ffff:9.255.255.255", "::ffff:11.0.0.0")]
#[case::mapped_loopback("::ffff:127.0.0.1", "::ffff:127.0.0.1", "-", "-")]
#[case::mapped_metadata("::ffff:a9fe:a9fe", "::ffff:169.254.169.254", "-", "-")]
#[case::nat64_private(
    "64:ff9b::10.0.0.0",
    "64:ff9b::10.255.255.255",
    "64:ff9b::9.255.255.255",
    "64:ff9b::11.0.0.0"
)]
#[case::nat64_loopback("64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "-", "-")]
#[case::nat64_metadata("64:ff9b::a9fe:a9fe", "64:ff9b::169.254.169.254", "-", "-")]
#[case::nat64_local("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "-", "-")]
#[case::discard("100::", "100::ffff:ffff:ffff:ffff", "-", "-")]
#[case::dummy("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", "-", "-")]
#[case::teredo(
    "2001::",
    "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
    "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "-"
)]
#[case::protocol_v6(
    "2001::",
    "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:200::"
)]
#[case::documentation_v6(
    "2001:db8::",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::"
)]
#[case::six_to_four(
    "2002::",
    "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2003::"
)]
#[case::documentation_3fff("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff::", "3fff:1000::")]
#[case::not_unicast_below("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1fff::", "-", "2000::")]
#[case::not_unicast_above("4000::", "5eff::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-")]
#[case::segment_routing("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-")]
#[case::unique_local("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-")]
#[case::metadata_v6("fd00:ec2::254", "fd00:ec2::254", "-", "-")]
#[case::link_local_v6("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-")]
#[case::site_local("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-")]
#[case::multicast_v6("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "-")]
fn special_ranges_are_not_public_to_their_edges(
    #[case] first: &str,
    #[case] last: &str,
    #[case] below: &str,
    #[case] above: &str,
) {
    assert!(!global(first), "{first}");
    assert!(!global(last), "{last}");
    for neighbour in [below, above] {
        assert!(neighbour == "-" || global(neighbour), "{neighbour}");
    }
}

#[rstest]
#[case("1.1.1.1")]
#[case("8.8.8.8")]
#[case("::ffff:8.8.8.8")]
#[case("64:ff9b::8.8.8.8")]
#[case("2606:4700:4700::1111")]
#[case("2a00:1450:4001::1")]
fn public_addresses_are_public(#[case] text: &str) {
    assert!(global(text));
}

#[rstest]
#[case::inside("10.1.2.3", "10.0.0.0/8", true)]
#[case::one_host("127.0.0.1", "127.0.0.1/32", true)]
#[case::next_host("127.0.0.2", "127.0.0.1/32", false)]
#[case::other_range("192.168.0.1", "10.0.0.0/8", false)]
#[case::mapped_is_its_ipv4("::ffff:10.1.2.3", "10.0.0.0/8", true)]
#[case::unique_local("fd12::1", "fd12::/16", true)]
#[case::nat64_is_never_inside("64:ff9b::10.0.0.1", "10.0.0.0/8", false)]
#[case::nat64_named("64:ff9b::10.0.0.1", "64:ff9b::/96", false)]
#[case::link_local("169.254.1.1", "169.254.0.0/16", false)]
#[case::documentation("192.0.2.1", "192.0.2.0/24", false)]
#[case::carrier("100.64.0.1", "100.64.0.0/10", true)]
#[case::metadata_inside_carriers("100.100.100.200", "100.64.0.0/10", false)]
#[case::loopback_v6("::1", "::1/128", true)]
#[case::all_does_not_open_metadata("169.254.169.254", "0.0.0.0/0", false)]
#[case::mapped_metadata("::ffff:169.254.169.254", "::/0", false)]
#[case::metadata_v6("fd00:ec2::254", "fd00::/8", false)]
#[case::all_does_not_open_this_host("0.0.0.0", "0.0.0.0/0", false)]
#[case::all_does_not_open_multicast("224.0.0.1", "0.0.0.0/0", false)]
fn a_grant_opens_the_ranges_that_it_names(#[case] ip: &str, #[case] range: &str, #[case] open: bool) {
    let reached = check(ip.parse().unwrap(), &[range.parse().unwrap()]);
    assert_eq!(reached.is_ok(), open, "{reached:?}");
}

#[test]
fn a_public_address_needs_no_range() {
    assert_eq!(check("8.8.8.8".parse().unwrap(), &[]), Ok(Reach::Global));
}
