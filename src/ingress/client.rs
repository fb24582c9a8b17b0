//! The client address, for limits and logs.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use crate::config::TrustedProxies;
use crate::model::{ClientAddress, ClientScheme};

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl ClientAddress {
    /// Reads the hops from right to left, as they were added, and trusts each only while the one before it is a trusted
    /// proxy. If `X-Forwarded-For` and `Forwarded` are both present and disagree, one of them comes from the
    /// client itself: then the peer counts.
    #[must_use]
    pub fn of(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let peer = peer.to_canonical();
        if !proxies.contains(peer) {
            return Self(peer);
        }
        let nearest = |name: &HeaderName, hop: fn(&str) -> Option<IpAddr>| {
            headers.contains_key(name).then(|| nearest(peer, headers, name, hop, proxies))
        };
        let found = match (nearest(&X_FORWARDED_FOR, address), nearest(&header::FORWARDED, forwarded)) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(found), _) | (None, Some(found)) => found,
            (None, None) => peer,
        };
        Self(found)
    }
}

impl ClientScheme {
    /// Reads what the nearest hop says, if it is a trusted proxy. If `X-Forwarded-Proto` and `Forwarded` are both present
    /// and disagree, nothing is proven.
    #[must_use]
    pub fn of(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let last = |name: &HeaderName| {
            let line = headers.get_all(name).iter().next_back()?.to_str().unwrap_or_default();
            Some(line.rsplit(',').next().unwrap_or_default().trim().to_ascii_lowercase())
        };
        let plain = last(&X_FORWARDED_PROTO).map(|proto| proto == "https");
        let standard = last(&header::FORWARDED).and_then(|hop| {
            let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
            let proto = pairs.find(|(name, _)| name.trim() == "proto")?.1;
            Some(proto.trim().trim_matches('"') == "https")
        });
        let is_https = match (plain, standard) {
            (Some(plain), Some(standard)) => plain && standard,
            (plain, standard) => plain.or(standard).unwrap_or(false),
        };
        if is_https && proxies.contains(peer.to_canonical()) { Self::Https } else { Self::Http }
    }
}

fn nearest(
    peer: IpAddr,
    headers: &HeaderMap,
    name: &HeaderName,
    hop: fn(&str) -> Option<IpAddr>,
    proxies: &TrustedProxies,
) -> IpAddr {
    let mut nearest = peer;
    let lines: Vec<&str> =
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    for text in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        // A trusted proxy did not write an unreadable hop: the last readable one counts.
        let Some(address) = hop(text) else { break };
        nearest = address;
        if !proxies.contains(address) {
            break;
        }
    }
    nearest
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(address.to_canonical())
}

/// One hop of `Forwarded` (RFC 7239): `for="[2001:db8::1]:80";proto=https`.
fn forwarded(text: &str) -> Option<IpAddr> {
    text.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| address(value.trim().trim_matches('"'))).flatten()
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        ClientAddress::of(peer.parse().unwrap(), &headers, &proxies).0.to_string()
    }

    // I-10
    #[rstest::rstest]
    #[case("192.0.2.9", &[("x-forwarded-for", "198.51.100.1")], "192.0.2.9")]
    #[case("192.0.2.9", &[("forwarded", "for=198.51.100.1"), ("x-real-ip", "198.51.100.1")], "192.0.2.9")]
    #[case("::ffff:192.0.2.9", &[], "192.0.2.9")]
    #[case("10.0.0.1", &[], "10.0.0.1")]
    #[case("10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1")]
    #[case("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1")]
    #[case("10.0.0.1", &[("x-forwarded-for", "203.0.113.5, 198.51.100.1")], "198.51.100.1")]
    #[case("10.0.0.1", &[("x-forwarded-for", "203.0.113.5"), ("x-forwarded-for", "198.51.100.1, 10.0.0.2")], "198.51.100.1")]
    #[case("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3")]
    #[case("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, unknown, 10.0.0.2")], "10.0.0.2")]
    #[case("10.0.0.1", &[("x-forwarded-for", "")], "10.0.0.1")]
    #[case("10.0.0.1", &[("x-real-ip", "198.51.100.1")], "10.0.0.1")]
    #[case("fd00::1", &[("forwarded", "for=203.0.113.5, For=\"[2001:db8::1]:4711\";proto=https")], "2001:db8::1")]
    #[case("10.0.0.1", &[("forwarded", "for=_hidden")], "10.0.0.1")]
    #[case("10.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.1")], "198.51.100.1")]
    #[case("10.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=203.0.113.7")], "10.0.0.1")]
    #[case("10.0.0.1", &[("x-forwarded-for", "\u{e9}")], "10.0.0.1")]
    fn the_nearest_hop_that_is_no_proxy_of_ours(
        #[case] peer: &str,
        #[case] lines: &[(&'static str, &str)],
        #[case] expected: &str,
    ) {
        assert_eq!(client(peer, lines), expected);
    }

    // W-3: a cookie is `Secure` where the client used HTTPS, by the word of a proxy of ours and of nobody else.
    #[rstest::rstest]
    #[case("192.0.2.9", &[("x-forwarded-proto", "https")], false)]
    #[case("10.0.0.1", &[], false)]
    #[case("10.0.0.1", &[("x-forwarded-proto", "https")], true)]
    #[case("::ffff:10.0.0.1", &[("x-forwarded-proto", "HTTPS")], true)]
    #[case("10.0.0.1", &[("x-forwarded-proto", "https, http")], false)]
    #[case("10.0.0.1", &[("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")], false)]
    #[case("10.0.0.1", &[("forwarded", "for=192.0.2.1;proto=https")], true)]
    #[case("10.0.0.1", &[("forwarded", "for=192.0.2.1;proto=https, for=10.0.0.2;proto=http")], false)]
    #[case("10.0.0.1", &[("forwarded", "for=192.0.2.1;proto=http"), ("x-forwarded-proto", "https")], false)]
    #[case("10.0.0.1", &[("forwarded", "for=192.0.2.1"), ("x-forwarded-proto", "https")], true)]
    fn only_a_trusted_proxy_says_that_it_was_https(
        #[case] peer: &str,
        #[case] lines: &[(&'static str, &str)],
        #[case] is_https: bool,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
        let scheme = ClientScheme::of(peer.parse().unwrap(), &headers, &proxies);
        assert_eq!(scheme == ClientScheme::Https, is_https);
    }
}
