//! I-17: a timing test of the verifier: whether its running time reveals anything about the right signature.
//!
//! The method of dudect (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", 2017): forged signatures
//! of three classes are checked in random order, and Welch's t-test shows whether their times differ. Below 4.5 no
//! difference was found.
//!
//! ```text
//! cargo run --release --example timing
//! ```

#![expect(clippy::print_stdout, reason = "a program whose output is its result")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use nuncio::secret::Secret;
use nuncio::signature::{sign, xtsystems};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

/// Checks per class.
const CHECKS: usize = 50_000;
/// The slowest checks that are left out, in percent: they show interrupts, not the verifier.
const CROPPED: usize = 5;
/// The usual threshold of the t-test.
const THRESHOLD: f64 = 4.5;
const CLASSES: [&str; 3] = ["all right but the last digit", "only the first digit right", "all wrong"];

fn main() -> ExitCode {
    let secret = Secret::new("a secret of the timing test");
    let body = r#"{"event_type":"ticket.created","data":{"id":"x"}}"#;
    let mut random = SmallRng::seed_from_u64(1);
    let mut times: [Vec<f64>; 3] = Default::default();
    let warm_up = CHECKS / 10;
    for check in 0..(CHECKS + warm_up) * CLASSES.len() {
        let class = random.random_range(0..CLASSES.len());
        // Another message each time: branch prediction of one row of digits must not be what is measured.
        let timestamp = (1_705_314_600 + check).to_string();
        let right = sign(&secret, &[timestamp.as_bytes(), body.as_bytes()]);
        let forged = forged(&right, class, &mut random);
        let began = Instant::now();
        let result = xtsystems::check_signature(
            black_box(&secret),
            timestamp.as_bytes(),
            black_box(forged.as_bytes()),
            black_box(body.as_bytes()),
        );
        let took = began.elapsed();
        if black_box(result).is_ok() {
            println!("a forged signature was accepted");
            return ExitCode::FAILURE;
        }
        if check >= warm_up * CLASSES.len() {
            times[class].push(took.as_secs_f64() * 1e9);
        }
    }
    let cropped: Vec<Vec<f64>> = times.into_iter().map(crop).collect();
    for (name, times) in CLASSES.iter().zip(&cropped) {
        println!("{name:30} {:8.1} ns on average of {}", moments(times).0, times.len());
    }
    let worst = [(0, 1), (0, 2), (1, 2)]
        .map(|(one, other)| welch(&cropped[one], &cropped[other]).abs())
        .into_iter()
        .fold(0.0, f64::max);
    println!("largest |t| {worst:.2}, below {THRESHOLD} nothing was found");
    if worst < THRESHOLD { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A wrong signature of `class`. A wrong digit may be any other, so that all classes have the same digits: the time to
/// read them reveals nothing about the right ones.
fn forged(right: &str, class: usize, random: &mut SmallRng) -> String {
    let (prefix, digits) = right.split_at("sha256=".len());
    let mut other = |digit: char| {
        let turned = (digit.to_digit(16).unwrap_or(0) + random.random_range(1..16)) % 16;
        char::from_digit(turned, 16).unwrap_or('0')
    };
    let wrong = |at: usize| match class {
        0 => at == digits.len() - 1,
        1 => at > 0,
        _ => true,
    };
    let digits = digits.chars().enumerate().map(|(at, digit)| {
        // Computed for every digit, so that all classes are as much work before the check.
        let other = other(digit);
        if wrong(at) { other } else { digit }
    });
    prefix.chars().chain(digits).collect()
}

fn crop(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times.truncate(times.len() * (100 - CROPPED) / 100);
    times
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance)
}

fn welch(one: &[f64], other: &[f64]) -> f64 {
    let ((mean_1, variance_1), (mean_2, variance_2)) = (moments(one), moments(other));
    (mean_1 - mean_2) / (variance_1 / one.len() as f64 + variance_2 / other.len() as f64).sqrt()
}
