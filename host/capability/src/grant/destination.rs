//! `[[destination]]`: one server to which requests may go, and which addresses that are not public its name
//! may lead to.
//!
//! Without this list a name that the CRM's vendor (or whoever answers for its DNS) points at 127.0.0.1 or at
//! a cloud's metadata service would open the inside of the network to a request that carries a credential.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::address::{Origin, Scheme};
use crate::source::{Item, quote};

/// A server to which requests may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Exact scheme, host and port.
    pub origin: Origin,
    /// Ranges that are not public and that the host may nevertheless resolve to. Empty: public addresses only.
    pub private: Vec<IpNet>,
    /// Why; always there when `private` is not empty.
    pub reason: Option<String>,
}

impl Destination {
    /// Whether a grant, or whoever else decides where the host sends something, may open the range.
    pub fn may_open(range: &IpNet) -> bool {
        range.addr() == range.network() && is_openable(range)
    }
}

/// The ranges that a grant may open: loopback, the private blocks of RFC 1918 and RFC 4193, and the shared
/// block of RFC 6598. Link-local addresses are missing on purpose: clouds hand out credentials there.
const OPENABLE: &[&str] =
    &["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7"];

/// Whether a grant may name the range.
pub(super) fn is_openable(net: &IpNet) -> bool {
    OPENABLE.iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|block| block.contains(net))
}

pub(super) fn read_all(items: &[Item<'_>]) -> Vec<Destination> {
    let mut all: Vec<Destination> = Vec::new();
    for item in items {
        let Some(destination) = read_one(item) else { continue };
        if all.iter().any(|other| other.origin == destination.origin) {
            item.wrong(format!("{} is named twice; join the two tables", destination.origin));
            continue;
        }
        all.push(destination);
    }
    all
}

fn read_one(item: &Item<'_>) -> Option<Destination> {
    let section = item.section("[[destination]]".to_owned())?;
    let origin_item = section.need("origin", "origin = \"https://crm.example.com\"");
    let origin: Option<Origin> = origin_item.as_ref().and_then(Item::parse);
    let private_items = section.get("private").map(|i| i.list()).unwrap_or_default();
    let private: Vec<IpNet> = private_items.iter().filter_map(range).collect();
    let reason = section.get("reason").map_or(Some(None), |i| i.line(3..=300).map(Some));
    section.finish();
    if let (Some(item), Some(origin)) = (&origin_item, &origin)
        && private.len() == private_items.len()
    {
        check(item, origin, &private);
    }
    if !private_items.is_empty() && matches!(reason, Some(None)) {
        section.wrong("`private` opens addresses inside a network; add reason = \"why the CRM is there\"");
    }
    Some(Destination { origin: origin?, private, reason: reason? })
}

fn check(item: &Item<'_>, origin: &Origin, private: &[IpNet]) {
    if origin.scheme() == Scheme::Http && private.is_empty() {
        item.wrong(
            "http:// sends customers' data readable to everyone on the way; use https://, or name the private range with private = [\"127.0.0.1/32\"]",
        );
    }
    if let Some(ip) = origin.ip()
        && !private.iter().any(|net| net.contains(&ip))
        && is_openable(&IpNet::from(ip))
    {
        item.wrong(format!(
            "{ip} is no public address; add private = [\"{}\"] and a reason",
            IpNet::from(ip)
        ));
    }
}

fn range(item: &Item<'_>) -> Option<IpNet> {
    let text = item.text()?;
    let Ok(net) = text.parse::<IpNet>() else {
        let help = match text.parse::<IpAddr>() {
            Ok(ip) => format!("write \"{}\" for the one address", IpNet::from(ip)),
            Err(_) => "write it as \"10.1.2.0/24\"".to_owned(),
        };
        item.wrong(format!("{} is no address range; {help}", quote(text)));
        return None;
    };
    if net.addr() != net.network() {
        item.wrong(format!("{} begins elsewhere; write \"{}\"", quote(text), net.trunc()));
        return None;
    }
    if !is_openable(&net) {
        item.wrong(format!(
            "{} cannot be opened; a grant may name ranges within {}",
            quote(text),
            OPENABLE.join(", ")
        ));
        return None;
    }
    Some(net)
}
