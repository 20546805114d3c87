use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case::name("https://api.hubapi.com", "https://api.hubapi.com")]
#[case::upper("https://API.HubApi.com", "https://api.hubapi.com")]
#[case::own_port("https://crm.example.com:443", "https://crm.example.com")]
#[case::other_port("https://crm.example.com:8443", "https://crm.example.com:8443")]
#[case::loopback("http://127.0.0.1:7788", "http://127.0.0.1:7788")]
#[case::local_name("http://localhost:80", "http://localhost")]
#[case::ipv6("http://[::1]:8080", "http://[::1]:8080")]
#[case::ipv6_long("https://[2001:DB8:0:0:0:0:0:7]", "https://[2001:db8::7]")]
#[case::accents("https://ação.example", "https://xn--ao-siap.example")]
#[case::punycode("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example")]
fn an_origin_has_one_spelling(#[case] given: &str, #[case] canonical: &str) {
    let origin: Origin = given.parse().unwrap();
    assert_eq!(origin.to_string(), canonical);
    assert_eq!(canonical.parse::<Origin>().unwrap(), origin);
}

#[rstest]
#[case::no_scheme("crm.example.com", BadOrigin::Scheme)]
#[case::other_scheme("ftp://crm.example.com", BadOrigin::Scheme)]
#[case::no_host("https://", BadOrigin::NoHost)]
#[case::only_port("https://:443", BadOrigin::NoHost)]
#[case::path("https://crm.example.com/api", BadOrigin::Path)]
#[case::slash("https://crm.example.com/", BadOrigin::Path)]
#[case::query("https://crm.example.com?x", BadOrigin::Path)]
#[case::fragment("https://crm.example.com#x", BadOrigin::Path)]
#[case::user("https://user@crm.example.com", BadOrigin::UserInfo)]
#[case::password("https://crm.example.com:pw@evil.example", BadOrigin::UserInfo)]
#[case::backslash("https://crm.example.com\\@evil.example", BadOrigin::Character)]
#[case::tab("https://crm.exa\tmple.com", BadOrigin::Character)]
#[case::line_break("https://crm.example.com\n", BadOrigin::Character)]
#[case::percent("https://%31%32%37.0.0.1", BadOrigin::Character)]
#[case::hex_ipv4("http://0x7f.1", BadOrigin::OddIpv4)]
#[case::number_ipv4("http://2130706433", BadOrigin::OddIpv4)]
#[case::octal_ipv4("http://0177.0.0.1", BadOrigin::OddIpv4)]
#[case::short_ipv4("http://127.1", BadOrigin::OddIpv4)]
#[case::large_ipv4("http://127.0.0.256", BadOrigin::OddIpv4)]
#[case::full_width_ipv4("http://１２７.0.0.1", BadOrigin::OddIpv4)]
#[case::ipv6_bare("http://::1", BadOrigin::BadIpv6)]
#[case::ipv6_open("http://[::1", BadOrigin::BadIpv6)]
#[case::ipv6_tail("http://[::1]x", BadOrigin::BadIpv6)]
#[case::trailing_dot("https://crm.example.com.", BadOrigin::TrailingDot)]
#[case::soft_hyphen("https://exam\u{ad}ple.com", BadOrigin::BadName)]
#[case::full_width("https://ｅxample.com", BadOrigin::BadName)]
#[case::ideographic_dot("https://crm。example.com", BadOrigin::BadName)]
#[case::empty_label("https://crm..example.com", BadOrigin::BadName)]
#[case::dash_first("https://-crm.example.com", BadOrigin::BadName)]
#[case::star("https://*.example.com", BadOrigin::BadName)]
#[case::port_zero("https://crm.example.com:0", BadOrigin::BadPort)]
#[case::port_large("https://crm.example.com:65536", BadOrigin::BadPort)]
#[case::port_zeros("https://crm.example.com:0443", BadOrigin::BadPort)]
#[case::port_empty("https://crm.example.com:", BadOrigin::BadPort)]
#[case::port_sign("https://crm.example.com:+443", BadOrigin::BadPort)]
fn other_spellings_are_refused(#[case] given: &str, #[case] error: BadOrigin) {
    assert_eq!(given.parse::<Origin>(), Err(error));
}

#[rstest]
#[case::zone("http://[fe80::1%25eth0]")]
#[case::zone_plain("http://[fe80::1%eth0]")]
fn zones_are_refused(#[case] given: &str) {
    assert!(given.parse::<Origin>().is_err());
}

#[rstest]
#[case::name("crm.example.com", true)]
#[case::address("192.0.2.7", true)]
#[case::upper("CRM.example.com", false)]
#[case::port("crm.example.com:80", false)]
#[case::path("crm.example.com/x", false)]
#[case::empty("", false)]
fn a_host_stands_alone(#[case] given: &str, #[case] ok: bool) {
    assert_eq!(is_host(given), ok);
}

#[rstest]
#[case::plain("practice", true)]
#[case::dot("a.b", false)]
#[case::slash("a/b", false)]
#[case::at("a@b", false)]
#[case::empty("", false)]
#[case::long("a123456789012345678901234567890123456789012345678901234567890123", false)]
fn a_label_is_one_part_of_a_name(#[case] given: &str, #[case] ok: bool) {
    assert_eq!(is_label(given), ok);
}

proptest! {
    #[test]
    fn what_parses_prints_and_parses_back(text in "https?://[ -~]{0,40}|https?://\\PC{0,20}") {
        if let Ok(origin) = text.parse::<Origin>() {
            prop_assert_eq!(origin.to_string().parse::<Origin>(), Ok(origin));
        }
    }
}
