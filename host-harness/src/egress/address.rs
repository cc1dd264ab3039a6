//! The IP addresses that are on the public internet.
//!
//! The standard library's own judgement (`IpAddr::is_global`) is unstable, and leaves out addresses
//! that reach an IPv4 host through an IPv6 prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Special-purpose blocks of the IANA IPv4 registry that are not globally reachable, and the 6to4
/// relay anycast block, which is deprecated.
const V4_BLOCKS: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Blocks inside 2000::/3 that are not globally reachable: IETF protocol assignments (Teredo,
/// benchmarking and ORCHID among them) and the two for documentation.
const V6_BLOCKS: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const MAPPED: (Ipv6Addr, u32) = (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Tells whether `address` is global unicast, so that no machine of the host's own network answers there.
///
/// IPv4-mapped, NAT64 (`64:ff9b::/96`) and 6to4 addresses are judged by the IPv4 address inside.
/// The local NAT64 prefix `64:ff9b:1::/48`, Teredo and IPv4-compatible addresses never pass.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !V4_BLOCKS.iter().any(|(block, length)| (address.to_bits() ^ block.to_bits()).leading_zeros() >= *length)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if within(address, MAPPED) || within(address, NAT64) {
        return is_public_v4(embedded(address, 0));
    }
    if within(address, SIX_TO_FOUR) {
        return is_public_v4(embedded(address, 80));
    }
    // Everything outside 2000::/3 is local, multicast, translated or unassigned.
    within(address, GLOBAL_UNICAST) && !V6_BLOCKS.iter().any(|block| within(address, *block))
}

fn within(address: Ipv6Addr, (block, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
}

/// The IPv4 address that ends `shift` bits before the end of `address`.
fn embedded(address: Ipv6Addr, shift: u32) -> Ipv4Addr {
    let [.., a, b, c, d] = (address.to_bits() >> shift).to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> bool {
        is_public(text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
    }

    #[test]
    fn passes_global_unicast() {
        for address in [
            "142.250.74.10",
            "199.36.153.8",
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2a00:1450:4001:82a::200a",
            "2001:4860:4860::8888",
            "2001:200::1",
            "::ffff:142.250.74.10",
            "64:ff9b::8efa:4a0a",
            "2002:8efa:4a0a::1",
        ] {
            assert!(judge(address), "{address}");
        }
    }

    #[test]
    fn drops_everything_else() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::142.250.74.10",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8efa:4a0a",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!judge(address), "{address}");
        }
    }
}
