//! Prometheus metrics, for `/metrics`.
//!
//! The counters belong to this process; the backlog is queried from the database at scrape time.

use std::time::Duration;

use crate::hub::{Condition, Finding, GatewayState, Hub};
use crate::model::{Attempt, Class, Message};
use crate::store::{Accepted, NextStep};
use crate::telemetry::metric::{Counter, Exposition, Gauge, Histogram};

/// What becomes of deliveries when an attempt is recorded.
const FATES: [&str; 4] = ["delivered", "dead", "parked", "retried"];

/// The counters of one hub.
#[derive(Debug)]
pub(in crate::hub) struct Metrics {
    accepted: Counter,
    duplicates: Counter,
    unrouted: Counter,
    findings: [Counter; Finding::ALL.len()],
    fates: [Counter; FATES.len()],
    attempts: [Counter; Class::ALL.len()],
    /// Latency from the start of the request to the commit.
    committed: Histogram<9>,
    /// Latency from the commit to Discord's confirmation.
    delivered: Histogram<10>,
    lanes: Gauge,
    pub(in crate::hub) removed: Counter,
    pub(in crate::hub) expired: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            accepted: Counter::default(),
            duplicates: Counter::default(),
            unrouted: Counter::default(),
            findings: std::array::from_fn(|_| Counter::default()),
            fates: std::array::from_fn(|_| Counter::default()),
            attempts: std::array::from_fn(|_| Counter::default()),
            committed: Histogram::of_millis([1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]),
            delivered: Histogram::of_millis([
                100, 300, 1000, 3000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000,
            ]),
            lanes: Gauge::default(),
            removed: Counter::default(),
            expired: Counter::default(),
        }
    }
}

impl Metrics {
    pub(in crate::hub) fn accepted(&self, accepted: Accepted, unrouted: bool, took: Duration) {
        if accepted.duplicate {
            self.duplicates.add(1);
        } else {
            self.accepted.add(1);
            self.unrouted.add(u64::from(unrouted));
        }
        self.committed.note(took);
    }

    pub(in crate::hub) fn found(&self, finding: Finding) {
        self.findings[finding as usize].add(1);
    }
}

impl Hub {
    /// Counts a recorded attempt.
    pub fn recorded(&self, message: &Message, attempt: &Attempt, next: &NextStep) {
        let metrics = &self.0.metrics;
        metrics.attempts[attempt.outcome.kind() as usize].add(1);
        let fate = match next {
            NextStep::Delivered(_) => 0,
            NextStep::Dead(_) => 1,
            NextStep::Parked(_) => 2,
            _ => 3,
        };
        metrics.fates[fate].add(message.deliveries.len() as u64);
        if fate == 0 {
            let now = self.0.clock.steady();
            for delivery in &message.deliveries {
                metrics.delivered.note(now.since(delivery.id.minted_at()));
            }
        }
    }

    /// Counts a delivery that was given up before any attempt.
    pub fn gave_up(&self) {
        self.0.metrics.fates[1].add(1);
        self.progressed();
    }

    /// Sets the number of running lanes.
    pub fn lanes_running(&self, count: usize) {
        self.0.metrics.lanes.set(count as u64);
    }

    /// All metrics in Prometheus text format. Omits what the database does not answer.
    pub async fn metrics(&self) -> String {
        let mut text = Exposition::default();
        text.gauges(
            "nuncio_build_info",
            "Always 1; the version is the label.",
            "version",
            [(env!("CARGO_PKG_VERSION"), 1)],
        );
        text.gauge("nuncio_uptime_seconds", "Since the start.", self.0.clock.elapsed().as_secs());
        self.write_counters(&mut text);
        self.write_state(&mut text).await;
        self.write_webhooks(&mut text).await;
        text.finish()
    }

    fn write_counters(&self, text: &mut Exposition) {
        let metrics = &self.0.metrics;
        text.counter(
            "nuncio_events_accepted_total",
            "Events stored and acknowledged.",
            metrics.accepted.sum(),
        );
        text.counter("nuncio_events_duplicate_total", "Repetitions of events.", metrics.duplicates.sum());
        text.counter(
            "nuncio_events_unrouted_total",
            "Events that no key of the map matched when they came.",
            metrics.unrouted.sum(),
        );
        text.counters(
            "nuncio_requests_refused_total",
            "Requests that were not accepted, by reason.",
            "reason",
            Finding::ALL
                .into_iter()
                .filter(|finding| finding.is_refusal())
                .map(|finding| (finding.as_str(), metrics.findings[finding as usize].sum())),
        );
        text.counter(
            "nuncio_previous_secret_total",
            "Events signed with WEBHOOK_SECRET_PREVIOUS.",
            metrics.findings[Finding::PreviousSecret as usize].sum(),
        );
        text.counters(
            "nuncio_deliveries_total",
            "What came of deliveries: retried ones come up again.",
            "outcome",
            FATES.into_iter().zip(&metrics.fates).map(|(fate, counter)| (fate, counter.sum())),
        );
        text.counters(
            "nuncio_attempts_total",
            "Requests for messages, by what came of them.",
            "class",
            Class::ALL.into_iter().map(|class| (class.as_str(), metrics.attempts[class as usize].sum())),
        );
        text.histogram(
            "nuncio_accept_commit_seconds",
            "From a whole, verified request to its commit.",
            &metrics.committed,
        );
        text.histogram(
            "nuncio_accept_delivered_seconds",
            "From the commit of an event to its delivery.",
            &metrics.delivered,
        );
        text.gauge("nuncio_lanes_running", "Destinations that are being served now.", metrics.lanes.value());
        text.counter(
            "nuncio_retention_removed_total",
            "Rows removed by RETENTION_DAYS.",
            metrics.removed.sum(),
        );
        text.counter(
            "nuncio_deliveries_expired_total",
            "Deliveries given up because their destination was closed for too long.",
            metrics.expired.sum(),
        );
    }

    async fn write_state(&self, text: &mut Exposition) {
        let (store, now) = (&self.0.store, self.0.clock.steady());
        let gateway = self.gateway();
        let state = |word, is| (word, u64::from(is));
        text.gauges(
            "nuncio_gateway_state",
            "The bot's connection: 1 for the state it is in.",
            "state",
            [
                state("off", gateway == GatewayState::Off),
                state("starting", gateway == GatewayState::Starting),
                state("connected", matches!(gateway, GatewayState::Connected { .. })),
                state("lost", matches!(gateway, GatewayState::Lost { .. })),
                state("stopped", gateway == GatewayState::Stopped),
            ],
        );
        text.gauges(
            "nuncio_condition",
            "Current problems: 1 while the condition lasts.",
            "condition",
            Condition::ALL
                .into_iter()
                .map(|condition| (condition.as_str(), u64::from(self.conditions().holds(condition)))),
        );
        text.gauge("nuncio_database_bytes", "Size of the database file.", store.file_bytes());
        text.gauge("nuncio_database_wal_bytes", "Size of its write-ahead log.", store.wal_bytes());
        if let Ok(backlog) = store.backlog().await {
            text.gauges(
                "nuncio_outbox",
                "Deliveries that wait, whose message may be on its way, and that were given up.",
                "status",
                [("pending", backlog.pending), ("sending", backlog.sending), ("dead", backlog.dead)],
            );
            text.gauge("nuncio_events_unrouted", "Events that wait for a route.", backlog.unrouted);
        }
        if let Ok(oldest) = store.oldest_waiting().await {
            let age = oldest.map(|since| now.since(since).as_secs()).unwrap_or_default();
            text.gauge(
                "nuncio_outbox_oldest_seconds",
                "Age of the delivery that has waited longest and that people miss.",
                age,
            );
        }
        if let Ok(standing) = store.destination_counts(now).await {
            text.gauge(
                "nuncio_destinations_cooling",
                "Destinations left alone for a while.",
                standing.cooling,
            );
            text.gauge(
                "nuncio_destinations_closed",
                "Destinations that need a person: their deliveries wait.",
                standing.closed,
            );
        }
    }
}
