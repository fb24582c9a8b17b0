//! The addresses that most of one day's reports came from: a bounded table, whoever fills it.
//!
//! A full table gives up the address with the fewest reports, and among equals the one that was silent the longest. A
//! flood from many addresses therefore takes no memory and hides no address that keeps sending.

use std::time::Duration;

use crate::clock::Clock;
use crate::hub::health::day_counter::DayCounter;
use crate::model::AddressCount;

/// The most addresses that are counted for one reason.
const COUNTED: usize = 16;
/// The most addresses that are listed for one reason.
const LISTED: usize = 8;

/// The addresses of one reason.
#[derive(Debug, Default)]
pub(super) struct TopAddresses(Vec<AddressEntry>);

#[derive(Debug)]
struct AddressEntry {
    address: String,
    counter: DayCounter,
    last: Duration,
}

impl TopAddresses {
    /// Counts a report from `address`.
    pub(super) fn count(&mut self, clock: &Clock, address: &str) {
        let last = clock.elapsed();
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.address == address) {
            entry.counter.count(clock);
            entry.last = last;
            return;
        }
        if self.0.len() >= COUNTED {
            let mut counts =
                self.0.iter_mut().map(|entry| (entry.counter.last_day(clock), entry.last)).enumerate();
            let Some((least, _)) = counts.by_ref().min_by_key(|(_, key)| *key) else { return };
            self.0.swap_remove(least);
        }
        let mut entry = AddressEntry { address: address.to_owned(), counter: DayCounter::default(), last };
        entry.counter.count(clock);
        self.0.push(entry);
    }

    /// The addresses with the most reports of the last 24 hours, most first.
    pub(super) fn list(&mut self, clock: &Clock) -> Vec<AddressCount> {
        let counts = self.0.iter_mut().map(|entry| AddressCount {
            address: entry.address.clone(),
            last_day: entry.counter.last_day(clock),
        });
        let mut counts: Vec<_> = counts.filter(|count| count.last_day > 0).collect();
        counts.sort_by(|one, other| {
            other.last_day.cmp(&one.last_day).then_with(|| one.address.cmp(&other.address))
        });
        counts.truncate(LISTED);
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(top: &mut TopAddresses, clock: &Clock) -> Vec<(String, u64)> {
        top.list(clock).into_iter().map(|count| (count.address, count.last_day)).collect()
    }

    // Control: with the first entry given up in place of the least, the address that keeps sending is gone.
    #[test]
    fn a_flood_from_many_addresses_takes_no_room_and_hides_nobody_who_keeps_sending() {
        let (mut top, clock) = (TopAddresses::default(), Clock::system());
        for _ in 0..3 {
            top.count(&clock, "192.0.2.1");
        }
        for number in 0..1_000_u32 {
            top.count(&clock, &std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string());
        }
        assert_eq!(top.0.len(), COUNTED);
        let listed = listed(&mut top, &clock);
        assert_eq!(listed.len(), LISTED);
        assert_eq!(listed[0], ("192.0.2.1".to_owned(), 3));
    }

    #[test]
    fn the_most_come_first_and_a_day_later_none() {
        let (mut top, clock) = (TopAddresses::default(), Clock::system());
        for address in ["192.0.2.2", "192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            top.count(&clock, address);
        }
        let counts = [("192.0.2.2", 2), ("192.0.2.1", 1), ("192.0.2.3", 1)];
        assert_eq!(listed(&mut top, &clock), counts.map(|(address, count)| (address.to_owned(), count)));
        clock.advance(Duration::from_secs(25 * 3600));
        top.count(&clock, "192.0.2.3");
        assert_eq!(listed(&mut top, &clock), [("192.0.2.3".to_owned(), 1)]);
    }
}
