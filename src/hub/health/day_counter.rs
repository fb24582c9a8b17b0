//! A day's counter: how many in the last hour and the last 24 hours, to ten minutes.

use crate::clock::Clock;

/// The width of a slot, and how many of them there are: a day.
const SLOT_MINUTES: u64 = 10;
const SLOTS: usize = 24 * 6;
const SLOTS_PER_HOUR: u64 = 6;

/// Counts per slot, the oldest of which is overwritten by the newest.
#[derive(Debug)]
pub(super) struct DayCounter {
    /// At the slot's number modulo [`SLOTS`].
    counts: [u32; SLOTS],
    /// The number of the newest slot.
    newest: u64,
}

impl Default for DayCounter {
    fn default() -> Self {
        Self { counts: [0; SLOTS], newest: 0 }
    }
}

impl DayCounter {
    /// Counts one.
    pub(super) fn count(&mut self, clock: &Clock) {
        self.advance(clock);
        let count = &mut self.counts[index(self.newest)];
        *count = count.saturating_add(1);
    }

    /// The count of the last hour.
    pub(super) fn last_hour(&mut self, clock: &Clock) -> u64 {
        self.advance(clock);
        self.sum(SLOTS_PER_HOUR)
    }

    /// The count of the last 24 hours.
    pub(super) fn last_day(&mut self, clock: &Clock) -> u64 {
        self.advance(clock);
        self.sum(SLOTS as u64)
    }

    /// Clears the slots that are more than a day old.
    fn advance(&mut self, clock: &Clock) {
        let slot = clock.elapsed().as_secs() / (SLOT_MINUTES * 60);
        for passed in self.newest + 1..=slot.min(self.newest + SLOTS as u64) {
            self.counts[index(passed)] = 0;
        }
        self.newest = self.newest.max(slot);
    }

    fn sum(&self, slots: u64) -> u64 {
        let oldest = (self.newest + 1).saturating_sub(slots);
        (oldest..=self.newest).map(|slot| u64::from(self.counts[index(slot)])).sum()
    }
}

fn index(slot: u64) -> usize {
    usize::try_from(slot % SLOTS as u64).unwrap_or(0)
}
