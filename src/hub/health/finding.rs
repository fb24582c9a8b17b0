//! Rejection statistics: why the ingress refused requests, counted by the hour and logged without flooding the log.
//!
//! Everything here is bounded: the reasons are a closed set, each with a day of counters and a few addresses, and a flood
//! of one of them writes one line at once and one a minute. Nothing here reaches a sender.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::hub::Hub;
use crate::hub::health::day_counter::DayCounter;
use crate::hub::health::top_addresses::TopAddresses;
use crate::model::{Finding, Findings};

/// Minimum interval between two log lines of one continuing reason.
pub(crate) const TELL_EVERY: Duration = Duration::from_secs(60);

/// A report about one request.
#[derive(Clone, Debug)]
pub struct IngressReport {
    /// The reason.
    pub finding: Finding,
    /// The reason as a sentence for the operator, with this request's details. Contains nothing of the request but
    /// numbers.
    pub sentence: String,
    /// How many seconds the sender's clock is behind ours; negative if ahead. `None` if not measurable.
    pub seconds_behind: Option<i64>,
    /// The sender's IP address, as text.
    pub from: String,
}

/// Counters of all findings. One per hub.
#[derive(Debug)]
pub(in crate::hub) struct FindingCounters {
    pages: Mutex<[FindingPage; Finding::ALL.len()]>,
}

impl Default for FindingCounters {
    fn default() -> Self {
        Self { pages: Mutex::new(std::array::from_fn(|_| FindingPage::default())) }
    }
}

#[derive(Debug, Default)]
struct FindingPage {
    counter: DayCounter,
    addresses: TopAddresses,
    last: Option<(IngressReport, Timestamp)>,
    /// Time of the last log line, and how many reports came since.
    told_at: Option<Duration>,
    untold: u64,
}

impl FindingCounters {
    /// Counts `remark`. Returns it if it should be logged now: the first of its kind for a while.
    fn note(&self, clock: &Clock, remark: IngressReport) -> Option<IngressReport> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let page = &mut pages[remark.finding as usize];
        page.counter.count(clock);
        page.addresses.count(clock, &remark.from);
        let now = clock.elapsed();
        let is_news = page.untold == 0 && page.told_at.is_none_or(|at| now.saturating_sub(at) >= TELL_EVERY);
        page.last = Some((remark.clone(), clock.now()));
        if is_news {
            page.told_at = Some(now);
            Some(remark)
        } else {
            page.untold += 1;
            None
        }
    }

    /// Reports that came since the last log line, with their number; each at most once a minute.
    fn due(&self, clock: &Clock) -> Vec<(IngressReport, u64)> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock.elapsed();
        let mut due = Vec::new();
        for page in pages.iter_mut().filter(|page| page.untold > 0) {
            if page.told_at.is_some_and(|at| now.saturating_sub(at) < TELL_EVERY) {
                continue;
            }
            if let Some((remark, _)) = &page.last {
                due.push((remark.clone(), page.untold));
            }
            page.untold = 0;
            page.told_at = Some(now);
        }
        due
    }

    fn all(&self, clock: &Clock) -> Vec<Findings> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for page in pages.iter_mut() {
            let Some((remark, at)) = &page.last else { continue };
            found.push(Findings {
                finding: remark.finding,
                last_hour: page.counter.last_hour(clock),
                last_day: page.counter.last_day(clock),
                last_at: *at,
                sentence: remark.sentence.clone(),
                last_from: remark.from.clone(),
                addresses: page.addresses.list(clock),
                seconds_behind: remark.seconds_behind,
            });
        }
        found.retain(|findings| findings.last_day > 0);
        found.sort_by_key(|findings| std::cmp::Reverse(findings.last_day));
        found
    }
}

impl Hub {
    /// Counts a report. The first of its kind is logged at once, a flood of it once a minute.
    pub fn remark(&self, remark: IngressReport) {
        self.0.metrics.found(remark.finding);
        self.0.refused_source.refused(&self.0.clock, &remark);
        if let Some(remark) = self.0.findings.note(&self.0.clock, remark) {
            log_report(&remark, None);
        }
    }

    /// Logs the reports that came since the last log line. Call it periodically; each finding is logged at most once
    /// a minute.
    pub fn log_findings(&self) {
        for (remark, count) in self.0.findings.due(&self.0.clock) {
            log_report(&remark, Some(count));
        }
    }

    /// Findings of the last 24 hours, most frequent first.
    #[must_use]
    pub fn findings(&self) -> Vec<Findings> {
        self.0.findings.all(&self.0.clock)
    }

    /// Findings of the last 24 hours whose requests were refused, most frequent first.
    #[must_use]
    pub fn refusals(&self) -> Vec<Findings> {
        let mut findings = self.findings();
        findings.retain(|findings| findings.finding.is_refusal());
        findings
    }
}

/// Writes the log line. A failing store needs an operator; everything else is for the sender to fix.
fn log_report(remark: &IngressReport, more: Option<u64>) {
    let IngressReport { finding, sentence, seconds_behind, from } = remark;
    let text = match more {
        None => sentence.clone(),
        Some(1) => format!("once more: {sentence}"),
        Some(count) => format!("{count} times more, the last one: {sentence}"),
    };
    let (reason, behind_s) = (finding.as_str(), *seconds_behind);
    match finding {
        Finding::NotStored | Finding::NotAccepted => tracing::error!(reason, from, "{text}"),
        _ => tracing::warn!(reason, from, behind_s, "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AddressCount;

    fn remark(finding: Finding) -> IngressReport {
        IngressReport {
            finding,
            sentence: "no".to_owned(),
            seconds_behind: None,
            from: "192.0.2.1".to_owned(),
        }
    }

    #[test]
    fn a_flood_is_told_once_and_then_once_a_minute() {
        let (book, clock) = (FindingCounters::default(), Clock::system());
        assert!(book.note(&clock, remark(Finding::Mismatch)).is_some());
        for _ in 0..9_999 {
            assert!(book.note(&clock, remark(Finding::Mismatch)).is_none());
        }
        // Another kind is logged at once.
        assert!(book.note(&clock, remark(Finding::Unsigned)).is_some());
        assert!(book.due(&clock).is_empty());
        clock.advance(TELL_EVERY);
        let due: Vec<_> =
            book.due(&clock).into_iter().map(|(remark, count)| (remark.finding, count)).collect();
        assert_eq!(due, [(Finding::Mismatch, 9_999)]);
        assert!(book.note(&clock, remark(Finding::Mismatch)).is_none());
        clock.advance(TELL_EVERY);
        assert_eq!(book.due(&clock).len(), 1);
        // After a quiet minute the next one is logged at once again.
        clock.advance(TELL_EVERY);
        assert!(book.note(&clock, remark(Finding::Mismatch)).is_some());
    }

    #[test]
    fn counts_are_of_the_last_hour_and_the_last_day() {
        let (book, clock) = (FindingCounters::default(), Clock::system());
        let counts = |book: &FindingCounters, clock: &Clock| {
            book.all(clock).first().map(|found| (found.last_hour, found.last_day))
        };
        book.note(&clock, remark(Finding::Skewed));
        book.note(&clock, remark(Finding::Skewed));
        assert_eq!(counts(&book, &clock), Some((2, 2)));
        clock.advance(Duration::from_secs(2 * 3600));
        book.note(&clock, remark(Finding::Skewed));
        assert_eq!(counts(&book, &clock), Some((1, 3)));
        clock.advance(Duration::from_secs(23 * 3600));
        assert_eq!(counts(&book, &clock), Some((0, 1)));
        clock.advance(Duration::from_secs(1000 * 24 * 3600));
        assert_eq!(counts(&book, &clock), None);
    }

    // Control: with one table of addresses for all reasons, the second is named for both.
    #[test]
    fn addresses_are_counted_for_each_reason() {
        let (book, clock) = (FindingCounters::default(), Clock::system());
        let from = |finding, from: &str| IngressReport { from: from.to_owned(), ..remark(finding) };
        for number in 1..=12 {
            book.note(&clock, from(Finding::Mismatch, &format!("192.0.2.{number}")));
        }
        book.note(&clock, from(Finding::Unsigned, "198.51.100.1"));
        let found = book.all(&clock);
        assert_eq!((found[0].addresses.len(), found[0].from_others()), (8, 4));
        let unsigned = [AddressCount { address: "198.51.100.1".to_owned(), last_day: 1 }];
        assert_eq!((&*found[1].addresses, found[1].from_others()), (&unsigned[..], 0));
    }

    #[test]
    fn every_finding_has_its_page_and_its_name() {
        for (at, finding) in Finding::ALL.into_iter().enumerate() {
            assert_eq!(finding as usize, at);
        }
        let names: std::collections::HashSet<_> = Finding::ALL.map(Finding::as_str).into();
        assert_eq!(names.len(), Finding::ALL.len());
    }
}
