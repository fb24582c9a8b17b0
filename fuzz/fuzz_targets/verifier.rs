//! The verifier takes nothing that was not signed, and what was signed in one way only.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio::clock::Timestamp;
use nuncio::secret::Secret;
use nuncio::signature::{sign, xtsystems};

const NOW: Timestamp = Timestamp::from_secs(1_705_314_600);

// The input: timestamp and signature to the first and second line feed, then the body.
fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let timestamp = parts.next().unwrap_or_default();
    let signature = parts.next().unwrap_or_default();
    let body = parts.next().unwrap_or_default();
    let secret = Secret::new("a secret of the fuzzer");

    // Nobody guesses a MAC.
    let refused = xtsystems::check(&secret, timestamp, signature, body, NOW).expect_err("it was not signed");
    assert!(refused.to_string().len() < 200, "{refused}");
    let _ = xtsystems::mistake(&secret, timestamp, signature, body);

    // Signed rightly, it is accepted exactly if it has its form; the same MAC has no other reading.
    let right = sign(&secret, &[timestamp, body]);
    let has_form = timestamp.len() == 10
        && timestamp.iter().all(u8::is_ascii_digit)
        && body.first() == Some(&b'{')
        && std::str::from_utf8(timestamp)
            .is_ok_and(|text| text.parse::<i64>().is_ok_and(|at| (at - NOW.as_secs()).abs() <= 300));
    let result = xtsystems::check(&secret, timestamp, right.as_bytes(), body, NOW);
    assert_eq!(result.is_ok(), has_form, "{result:?}");
    let whole = [timestamp, body].concat();
    for split in (0..whole.len().min(40)).filter(|split| *split != timestamp.len()) {
        let (timestamp, body) = whole.split_at(split);
        assert!(!has_form || xtsystems::check(&secret, timestamp, right.as_bytes(), body, NOW).is_err());
    }
});
