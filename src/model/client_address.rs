//! Where a request comes from, for limits and logs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of the client: the peer or, behind trusted proxies, the nearest hop that is not one of them. An
/// extension of every HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The network that a rate limit's bucket belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// An IPv4 address.
    V4(u32),
    /// An IPv6 /64 network.
    V6(u64),
    /// An IPv4 /16 network, if there are too many buckets.
    WideV4(u16),
    /// An IPv6 /32 network, if there are too many buckets.
    WideV6(u32),
}

impl Network {
    /// The network of `address`; with `is_crowded` a wider one.
    #[must_use]
    pub fn of(address: IpAddr, is_crowded: bool) -> Self {
        match (address.to_canonical(), is_crowded) {
            (IpAddr::V4(address), false) => Self::V4(Ipv4Addr::to_bits(address)),
            (IpAddr::V4(address), true) => Self::WideV4((Ipv4Addr::to_bits(address) >> 16) as u16),
            (IpAddr::V6(address), false) => Self::V6((Ipv6Addr::to_bits(address) >> 64) as u64),
            (IpAddr::V6(address), true) => Self::WideV6((Ipv6Addr::to_bits(address) >> 96) as u32),
        }
    }
}
