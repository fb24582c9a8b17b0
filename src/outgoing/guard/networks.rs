//! Which addresses belong to the public internet (IANA: "IPv4 and IPv6 Special-Purpose Address Registries").

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not public, with the length of their prefix.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),       // this network; 0.0.0.0 is this machine
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // carriers' networks
    ([127, 0, 0, 0], 8),     // this machine
    ([169, 254, 0, 0], 16),  // link-local, and the metadata of cloud machines
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, and broadcast
];

/// The one IPv6 network of which addresses are public at all.
const GLOBAL_V6: ([u16; 2], u32) = ([0x2000, 0], 3);
/// Its parts that are not, or that hold an IPv4 address which may be a private one.
const NOT_PUBLIC_V6: [([u16; 2], u32); 4] = [
    ([0x2001, 0], 23),     // protocol assignments, Teredo among them
    ([0x2001, 0xdb8], 32), // documentation
    ([0x2002, 0], 16),     // 6to4: holds an IPv4 address
    ([0x3fff, 0], 20),     // documentation
];

/// Whether `ip` belongs to the public internet. Addresses of the NAT64 networks `64:ff9b::/96` and `64:ff9b:1::/48` do not:
/// they hold an IPv4 address.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !NOT_PUBLIC_V4.iter().any(|(net, length)| contains_v4(*net, *length, ip)),
        IpAddr::V6(ip) => {
            contains_v6(GLOBAL_V6, ip) && !NOT_PUBLIC_V6.iter().any(|network| contains_v6(*network, ip))
        }
    }
}

fn contains_v4(network: [u8; 4], length: u32, ip: Ipv4Addr) -> bool {
    (u32::from_be_bytes(network) ^ ip.to_bits()) >> (32 - length) == 0
}

fn contains_v6((network, length): ([u16; 2], u32), ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let (network, ip) = ([network[0], network[1]].map(u32::from), [first, second].map(u32::from));
    (((network[0] << 16) | network[1]) ^ ((ip[0] << 16) | ip[1])) >> (32 - length) == 0
}
