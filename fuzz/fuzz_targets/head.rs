//! The head of a request: where it ends and how long its body is does not depend on the pieces it comes in, and who
//! sent it is an address that a proxy of ours named, or the peer.

#![no_main]

use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use nuncio::config::TrustedProxies;
use nuncio::ingress::ClientAddress;
use nuncio::ingress::framing::{Framing, FramingResult};

fuzz_target!(|input: &[u8]| {
    let mut whole = Framing::default();
    whole.feed(input);
    let mut bytewise = Framing::default();
    for byte in input {
        bytewise.feed(std::slice::from_ref(byte));
    }
    for request in 0..4 {
        assert_eq!(whole.result(request), bytewise.result(request));
    }
    assert_eq!(whole.is_between_requests(), bytewise.is_between_requests());
    assert_eq!(whole.is_in_head(), bytewise.is_in_head());
    // What is not believed stays so, whatever follows.
    if let FramingResult::Ambiguous(flaw) = whole.result(0) {
        whole.feed(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(whole.result(0), FramingResult::Ambiguous(flaw));
    }

    let mut headers = HeaderMap::new();
    for (at, line) in input.split(|byte| *byte == b'\n').enumerate() {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(if at % 2 == 0 { "x-forwarded-for" } else { "forwarded" }, value);
        }
    }
    let (peer, proxy) = ([192, 0, 2, 1].into(), [10, 0, 0, 1].into());
    let proxies = TrustedProxies::new(["10.0.0.0/8".parse().expect("a network")]);
    assert_eq!(ClientAddress::of(peer, &headers, &proxies), ClientAddress(peer), "a stranger named another address");
    let _ = ClientAddress::of(proxy, &headers, &proxies);
});
