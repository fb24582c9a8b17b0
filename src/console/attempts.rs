//! The limit of failed sign-ins: five at once per network, then one more every twelve seconds. A valid link is never
//! refused, however many others failed from the same network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::model::Network;

/// Failed sign-ins that a network may make at once.
const BURST: u32 = 5;
/// Time until one more is allowed.
const REFILL: Duration = Duration::from_secs(12);
/// Number of networks beyond which unknown addresses share wider ones.
const CROWD: usize = 10_000;

/// The failed sign-ins of each network.
pub(super) struct Attempts {
    networks: Mutex<Networks>,
    clock: Clock,
}

#[derive(Default)]
struct Networks {
    /// The time when all failures of a network will be forgotten.
    forgotten_at: HashMap<Network, Duration>,
    /// When what is forgotten was last removed.
    swept_at: Duration,
}

impl Attempts {
    pub(super) fn new(clock: Clock) -> Self {
        Self { networks: Mutex::default(), clock }
    }

    /// Counts a failed sign-in. If the network has made too many: the seconds to wait, at least 1.
    pub(super) fn charge(&self, address: IpAddr) -> Result<(), u64> {
        let now = self.clock.elapsed();
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_crowded = networks.forgotten_at.len() >= CROWD;
        if is_crowded && now.saturating_sub(networks.swept_at) >= REFILL {
            networks.forgotten_at.retain(|_, at| *at > now);
            networks.swept_at = now;
            is_crowded = networks.forgotten_at.len() >= CROWD;
        }
        let forgotten_at = networks.forgotten_at.entry(Network::of(address, is_crowded)).or_insert(now);
        let after = (*forgotten_at).max(now) + REFILL;
        match after.checked_sub(now + REFILL * BURST).filter(|wait| !wait.is_zero()) {
            None => {
                *forgotten_at = after;
                Ok(())
            }
            Some(wait) => Err(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    // W-4. Control: with `after` never stored, the sixth is allowed.
    #[test]
    fn five_at_once_and_then_one_every_twelve_seconds() {
        let clock = Clock::system();
        let attempts = Attempts::new(clock.clone());
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!((0..100).filter(|_| attempts.charge(address).is_ok()).count(), 5);
        let wait = attempts.charge(address).unwrap_err();
        assert!((1..=12).contains(&wait), "{wait}");
        assert_eq!(attempts.charge("192.0.2.2".parse().unwrap()), Ok(()));
        clock.advance(Duration::from_secs(wait));
        assert_eq!(attempts.charge(address), Ok(()));
        assert!(attempts.charge(address).is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!((0..100).filter(|_| attempts.charge(address).is_ok()).count(), 5);
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::new(Clock::system());
        for number in 0..200_000_u32 {
            let _ = attempts.charge(Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)).into());
        }
        let networks = attempts.networks.lock().unwrap().forgotten_at.len();
        assert!(networks <= CROWD + 0x1_0000, "{networks}");
    }
}
