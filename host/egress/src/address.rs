//! Which IP addresses are public. The way out connects to public addresses only, unless the grant names a
//! private range for the destination; so a CRM's name that resolves to the inside of the company's network,
//! or to the machine itself, opens nothing (server-side request forgery).
//!
//! The table follows the IANA special-purpose address registries (RFC 6890 and its updates). For IPv6 it is an
//! allow-list: only `2000::/3` is global unicast, and what is special inside of it is taken out again. IPv4
//! addresses that hide in IPv6 ones are unpacked and judged: `::ffff:10.0.0.1` is `10.0.0.1`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Public.
    Global,
    /// Inside a network; a grant may name it. The same blocks that a grant file takes.
    Private(&'static str),
    /// Not reachable under any grant: it hands out the machine's own credentials, is no single host, or is no
    /// address that a CRM can have. A range in a grant that happens to hold it does not open it.
    Never(&'static str),
}

/// How an allowed address is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is public.
    Global,
    /// A range of the grant holds it.
    Granted,
}

/// Judges one address against the ranges that the grant names; the error says what the address is.
pub(crate) fn check(ip: IpAddr, granted: &[IpNet]) -> Result<Reach, Standing> {
    let ip = ip.to_canonical();
    match standing(ip) {
        Standing::Global => Ok(Reach::Global),
        Standing::Private(_) if granted.iter().any(|range| range.contains(&ip)) => Ok(Reach::Granted),
        refused => Err(refused),
    }
}

/// What an address is.
pub(crate) fn standing(ip: IpAddr) -> Standing {
    match ip.to_canonical() {
        IpAddr::V4(ip) => standing_v4(ip),
        IpAddr::V6(ip) => standing_v6(ip),
    }
}

fn standing_v4(ip: Ipv4Addr) -> Standing {
    V4.iter().find(|(range, _)| range.contains(&ip)).map_or(Standing::Global, |(_, standing)| *standing)
}

fn standing_v6(ip: Ipv6Addr) -> Standing {
    if NAT64.contains(&ip) {
        // A translator on the network sends this on to the IPv4 address in the last 32 bits.
        let [.., a, b, c, d] = ip.octets();
        return match standing_v4(Ipv4Addr::new(a, b, c, d)) {
            Standing::Private(what) => Standing::Never(what),
            other => other,
        };
    }
    if let Some((_, standing)) = V6.iter().find(|(range, _)| range.contains(&ip)) {
        return *standing;
    }
    if GLOBAL_UNICAST.contains(&ip) { Standing::Global } else { Standing::Never("unassigned space") }
}

use Standing::{Never, Private};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}
const fn v6(start: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = start;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// The first row that holds an address decides: single hosts stand before the ranges around them.
const V4: &[(Ipv4Net, Standing)] = &[
    (v4(169, 254, 169, 254, 32), Never("a cloud's metadata service")),
    (v4(169, 254, 170, 2, 32), Never("a cloud's metadata service")),
    (v4(169, 254, 170, 23, 32), Never("a cloud's metadata service")),
    (v4(100, 100, 100, 200, 32), Never("a cloud's metadata service")),
    (v4(192, 0, 0, 192, 32), Never("a cloud's metadata service")),
    (v4(168, 63, 129, 16, 32), Never("a cloud's metadata service")),
    (v4(0, 0, 0, 0, 8), Never("this network (RFC 791)")),
    (v4(255, 255, 255, 255, 32), Never("broadcast (RFC 919)")),
    (v4(224, 0, 0, 0, 4), Never("multicast (RFC 5771)")),
    (v4(10, 0, 0, 0, 8), Private("private (RFC 1918)")),
    (v4(100, 64, 0, 0, 10), Private("shared by carriers (RFC 6598)")),
    (v4(127, 0, 0, 0, 8), Private("loopback (RFC 1122)")),
    (v4(169, 254, 0, 0, 16), Never("link-local (RFC 3927)")),
    (v4(172, 16, 0, 0, 12), Private("private (RFC 1918)")),
    (v4(192, 0, 0, 0, 24), Never("protocol assignments (RFC 6890)")),
    (v4(192, 0, 2, 0, 24), Never("documentation (RFC 5737)")),
    (v4(192, 88, 99, 0, 24), Never("6to4 relays (RFC 7526)")),
    (v4(192, 168, 0, 0, 16), Private("private (RFC 1918)")),
    (v4(198, 18, 0, 0, 15), Never("benchmarking (RFC 2544)")),
    (v4(198, 51, 100, 0, 24), Never("documentation (RFC 5737)")),
    (v4(203, 0, 113, 0, 24), Never("documentation (RFC 5737)")),
    (v4(240, 0, 0, 0, 4), Never("reserved (RFC 1112)")),
];

const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const V6: &[(Ipv6Net, Standing)] = &[
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), Never("a cloud's metadata service")),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128), Never("a cloud's metadata service")),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Never("the unspecified address")),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Never("multicast (RFC 4291)")),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Private("loopback (RFC 4291)")),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), Never("IPv4-compatible (RFC 4291)")),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Never("local translation (RFC 8215)")),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), Never("discard-only (RFC 6666)")),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), Never("dummy prefix (RFC 9780)")),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), Never("Teredo (RFC 4380)")),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Never("protocol assignments (RFC 2928)")),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), Never("documentation (RFC 3849)")),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), Never("6to4 (RFC 3056)")),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Never("documentation (RFC 9637)")),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), Never("segment routing (RFC 9602)")),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Private("unique local (RFC 4193)")),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Never("link-local (RFC 4291)")),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), Never("site-local (RFC 3879)")),
];

#[cfg(test)]
mod tests;
