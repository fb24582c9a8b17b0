//! Counters, gauges and histograms, and their Prometheus text format.
//!
//! Counting costs one atomic addition. Labels come from closed sets: no external text becomes one.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The content type of [`Exposition`] (Prometheus: "Text-based format").
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A monotonically increasing count.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The count so far.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A value that can go up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Replaces the value.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The current value.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A histogram of durations: counts per bucket, and their sum.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    /// Upper bounds of the buckets, ascending.
    bounds: [Duration; N],
    buckets: [AtomicU64; N],
    beyond: AtomicU64,
    micros: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    /// An empty histogram with these upper bounds, in milliseconds.
    #[must_use]
    pub fn of_millis(bounds: [u64; N]) -> Self {
        Self {
            bounds: bounds.map(Duration::from_millis),
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            beyond: AtomicU64::new(0),
            micros: AtomicU64::new(0),
        }
    }

    /// Records a duration.
    pub fn note(&self, span: Duration) {
        let at = self.bounds.iter().position(|bound| span <= *bound);
        at.map_or(&self.beyond, |at| &self.buckets[at]).fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Metrics in the Prometheus text format.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Adds a counter without labels.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value);
    }

    /// Adds a counter with one label, whose values come from a closed set.
    pub fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) {
        self.family(name, "counter", help);
        for (word, value) in values {
            self.sample(name, &[(label, word)], value);
        }
    }

    /// Adds a gauge without labels.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    /// Adds a gauge with one label.
    pub fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) {
        self.family(name, "gauge", help);
        for (word, value) in values {
            self.sample(name, &[(label, word)], value);
        }
    }

    /// Adds a gauge with one label, whose values are ids. The caller bounds how many.
    pub fn gauges_by(&mut self, name: &str, help: &str, label: &str, values: Vec<(String, f64)>) {
        self.family(name, "gauge", help);
        for (id, value) in values {
            self.sample(name, &[(label, &id)], value);
        }
    }

    /// Adds a histogram, in seconds.
    pub fn histogram<const N: usize>(&mut self, name: &str, help: &str, histogram: &Histogram<N>) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        let mut count = 0;
        for (bound, bucketed) in histogram.bounds.iter().zip(&histogram.buckets) {
            count += bucketed.load(Ordering::Relaxed);
            self.sample(&bucket, &[("le", &bound.as_secs_f64().to_string())], count);
        }
        count += histogram.beyond.load(Ordering::Relaxed);
        self.sample(&bucket, &[("le", "+Inf")], count);
        let sum = Duration::from_micros(histogram.micros.load(Ordering::Relaxed)).as_secs_f64();
        self.sample(&format!("{name}_sum"), &[], sum);
        self.sample(&format!("{name}_count"), &[], count);
    }

    /// Returns the text.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(label, word)| format!("{label}=\"{}\"", escape(word))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escape(word: &str) -> String {
    word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let histogram = Histogram::of_millis([10, 100, 1000]);
        for millis in [1, 10, 11, 5000] {
            histogram.note(Duration::from_millis(millis));
        }
        let mut text = Exposition::default();
        text.counters("a_total", "Things.", "kind", [("x", 1), ("y\"\\\n", 2)]);
        text.histogram("b_seconds", "Times.", &histogram);
        insta::assert_snapshot!(text.finish(), @r#"
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{kind="x"} 1
        a_total{kind="y\"\\\n"} 2
        # HELP b_seconds Times.
        # TYPE b_seconds histogram
        b_seconds_bucket{le="0.01"} 2
        b_seconds_bucket{le="0.1"} 3
        b_seconds_bucket{le="1"} 3
        b_seconds_bucket{le="+Inf"} 4
        b_seconds_sum 5.022
        b_seconds_count 4
        "#);
    }
}
