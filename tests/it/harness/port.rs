//! Free ports, for what is configured before it starts, and for what nobody must answer.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port of the range, and how many it has: below those that Linux gives to whoever asks for any port (from
/// 32768 on), so that no other test gets one of these in the time until it is used.
const RANGE: (u16, u16) = (12_000, 20_000);

/// A port that nobody uses, and that no other test gets. A second run of the tests begins elsewhere.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let (first, count) = RANGE;
    let start = std::process::id() % u32::from(count) * 61;
    loop {
        let given = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = first + u16::try_from((start + given) % u32::from(count)).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
