//! Fault injection: what the next API requests get instead of a good answer.
//!
//! Faults apply in the order they were set, to the first request that comes (or the first on a path). They affect the
//! API only, never the page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use crate::clock::Clock;

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers like this; the request has no effect.
    Status {
        /// The HTTP status.
        status: u16,
        /// Headers, besides the content type.
        headers: Vec<(String, String)>,
        /// The body: JSON if it begins with `{`, otherwise HTML.
        body: String,
    },
    /// Delays the request for this time. It takes effect even if the client has hung up by then.
    Delay(Duration),
    /// Drops the connection; the request has no effect.
    CutBefore,
    /// The request takes effect, then the connection is dropped without an answer.
    CutAfter,
    /// The request takes effect and is never answered.
    HangAfter,
    /// The request takes effect and is answered 200 with an HTML page.
    WrongBody,
    /// The request takes effect; its answer is truncated in the middle.
    Truncated,
    /// The request takes effect; its answer arrives in pieces over this time.
    Slow(Duration),
    /// The request has no effect and is answered 200 with the newest message of another caller's request: a stale
    /// answer on its connection.
    Stale,
    /// The request has no effect and is answered 200, with an id and with what was sent.
    FalseSuccess,
    /// The request takes effect; in its answer these headers replace those of the same names.
    WrongHeaders(Vec<(String, String)>),
}

impl Fault {
    /// An answer with this status as Discord's edge gives it, without JSON.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, headers: Vec::new(), body: format!("<html><title>{status}</title></html>") }
    }

    /// An HTML page with this status, from a proxy in front of Discord.
    #[must_use]
    pub fn page(status: u16) -> Self {
        let body = format!("<html><title>{status} Log in</title></html>");
        Self::Status { status, headers: Vec::new(), body }
    }

    /// A Discord error: `{"message": …, "code": …}`.
    #[must_use]
    pub fn refusal(status: u16, code: u32, message: &str) -> Self {
        let body = json!({"message": message, "code": code}).to_string();
        Self::Status { status, headers: vec![("Via".to_owned(), "1.1 google".to_owned())], body }
    }

    /// A 429 with this scope (`user`, `global` or `shared`), whose body and header both ask to wait.
    #[must_use]
    pub fn rate_limited(retry_after: Duration, scope: &str) -> Self {
        let seconds = retry_after.as_secs_f64();
        let global = scope == "global";
        let mut headers = vec![
            ("Retry-After".to_owned(), format!("{}", seconds.ceil())),
            ("X-RateLimit-Scope".to_owned(), scope.to_owned()),
            ("Via".to_owned(), "1.1 google".to_owned()),
        ];
        if global {
            headers.push(("X-RateLimit-Global".to_owned(), "true".to_owned()));
        }
        let message = "You are being rate limited.";
        let body = json!({"message": message, "retry_after": seconds, "global": global}).to_string();
        Self::Status { status: 429, headers, body }
    }
}

/// The queue of pending faults. Clones share it.
#[derive(Clone)]
pub struct Faults(Arc<Mutex<Plan>>, Clock);

#[derive(Default)]
struct Plan {
    rules: VecDeque<Rule>,
    broken_until: Duration,
    storm: Option<Storm>,
}

struct Rule {
    left: usize,
    path: Option<String>,
    body: Option<String>,
    fault: Fault,
}

impl Rule {
    fn meets(&self, request: &str, body: &[u8]) -> bool {
        let holds = |part: &String| body.windows(part.len().max(1)).any(|window| window == part.as_bytes());
        self.left > 0
            && self.path.as_ref().is_none_or(|part| request.contains(part.as_str()))
            && self.body.as_ref().is_none_or(holds)
    }
}

/// A random share of requests fails, each in one of the ways in which requests to Discord fail.
struct Storm {
    path: String,
    share: f64,
    span: Duration,
    random: SmallRng,
    /// Whether some answers come from something other than Discord.
    foreign: bool,
}

/// Statuses that proxies, firewalls and login pages return in place of Discord.
const FOREIGN: [u16; 12] = [200, 204, 302, 400, 401, 403, 404, 407, 413, 418, 429, 451];

impl Storm {
    /// The fault for the next request, if any. One seed yields one sequence.
    fn draw(&mut self) -> Option<Fault> {
        let ways = if self.foreign { 10 + FOREIGN.len() } else { 9 };
        let (bad, way) = (self.random.random_bool(self.share), self.random.random_range(0..ways));
        bad.then(|| match way {
            0 => Fault::rate_limited(self.span, "shared"),
            1 => Fault::status(500),
            2 => Fault::status(502),
            3 => Fault::CutBefore,
            4 => Fault::CutAfter,
            5 => Fault::HangAfter,
            6 => Fault::Slow(self.span),
            7 => Fault::Truncated,
            8 => Fault::WrongBody,
            9 => Fault::Stale,
            way => Fault::page(FOREIGN[way - 10]),
        })
    }
}

impl Faults {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Arc::default(), clock)
    }

    /// Applies `fault` to the next `n` requests.
    pub fn next(&self, n: usize, fault: Fault) {
        self.plan().rules.push_back(Rule { left: n, path: None, body: None, fault });
    }

    /// Applies `fault` to the next `n` requests whose method and path (`POST /api/v10/channels/1/messages`) contain
    /// `part`.
    pub fn next_on(&self, part: &str, n: usize, fault: Fault) {
        self.plan().rules.push_back(Rule { left: n, path: Some(part.to_owned()), body: None, fault });
    }

    /// [`Faults::next_on`], only for requests whose body contains `text` too.
    pub fn next_about(&self, part: &str, text: &str, n: usize, fault: Fault) {
        let (path, body) = (Some(part.to_owned()), Some(text.to_owned()));
        self.plan().rules.push_back(Rule { left: n, path, body, fault });
    }

    /// From now on a `share` (0 to 1) of the requests whose method and path contain `part` gets a fault, drawn with
    /// `seed` from nine: a 429 and a slow answer of `span`, a 500, a 502, a lost request, a lost answer, no answer, a
    /// truncated answer, and an HTML answer.
    pub fn storm(&self, seed: u64, part: &str, share: f64, span: Duration) {
        let (path, random) = (part.to_owned(), SmallRng::seed_from_u64(seed));
        self.plan().storm = Some(Storm { path, share: share.clamp(0.0, 1.0), span, random, foreign: false });
    }

    /// [`Faults::storm`], plus the faults of proxies in front of Discord: pages with any status, and stale answers.
    pub fn foreign_storm(&self, seed: u64, part: &str, share: f64, span: Duration) {
        self.storm(seed, part, share, span);
        if let Some(storm) = &mut self.plan().storm {
            storm.foreign = true;
        }
    }

    /// Answers every request with 503 for `span`, from now on.
    pub fn break_for(&self, span: Duration) {
        self.plan().broken_until = self.1.elapsed() + span;
    }

    /// Removes all faults.
    pub fn clear(&self) {
        *self.plan() = Plan::default();
    }

    /// How many requests will still get a fault, not counting [`Faults::break_for`].
    #[must_use]
    pub fn pending(&self) -> usize {
        self.plan().rules.iter().map(|rule| rule.left).sum()
    }

    /// The fault for the request `METHOD path` with this body.
    pub(super) fn take(&self, request: &str, body: &[u8]) -> Option<Fault> {
        let now = self.1.elapsed();
        let mut plan = self.plan();
        if now < plan.broken_until {
            return Some(Fault::status(503));
        }
        if let Some(at) = plan.rules.iter().position(|rule| rule.meets(request, body)) {
            let rule = &mut plan.rules[at];
            rule.left -= 1;
            if rule.left > 0 {
                return Some(rule.fault.clone());
            }
            return plan.rules.remove(at).map(|rule| rule.fault);
        }
        plan.storm.as_mut().filter(|storm| request.contains(&storm.path))?.draw()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<Option<Fault>> {
        let faults = Faults::new(Clock::system());
        faults.storm(seed, "POST ", 0.3, Duration::from_secs(1));
        (0..1000).map(|_| faults.take("POST /x", b"")).collect()
    }

    #[test]
    fn a_storm_is_its_seed_and_its_share() {
        let bad = drawn(1).iter().flatten().count();
        assert!((250..350).contains(&bad), "{bad} of 1000");
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn a_storm_keeps_to_its_path_and_a_rule_to_what_it_is_about() {
        let faults = Faults::new(Clock::system());
        faults.storm(1, "POST ", 1.0, Duration::from_secs(1));
        assert_eq!(faults.take("GET /x", b""), None);
        assert!(faults.take("POST /x", b"").is_some());
        faults.next_about("GET ", "poison", 1, Fault::CutBefore);
        assert_eq!(faults.take("GET /x", b"{\"content\":\"sweet\"}"), None);
        assert_eq!(faults.take("GET /x", b"{\"content\":\"poison\"}"), Some(Fault::CutBefore));
        assert_eq!(faults.take("GET /x", b"{\"content\":\"poison\"}"), None, "that was the one");
    }
}
