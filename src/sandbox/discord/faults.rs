//! Misbehaviour on demand: what the next requests to the API meet in place of a good answer.
//!
//! Faults are taken in the order they were set, by whichever request comes first (or comes first on a path). They
//! touch the API only, never the page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::clock::Clock;

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered like this and has no effect.
    Status {
        /// The status.
        status: u16,
        /// Headers, beside the content type.
        headers: Vec<(String, String)>,
        /// The body; one that begins with `{` is JSON, every other HTML.
        body: String,
    },
    /// It waits so long before it takes effect, which it does also when the client has hung up by then.
    Delay(Duration),
    /// The connection is dropped; it has no effect.
    CutBefore,
    /// It takes effect, then the connection is dropped without an answer.
    CutAfter,
    /// It takes effect and is never answered.
    HangAfter,
    /// It takes effect and is answered 200 with a page of HTML.
    Garbage,
    /// It takes effect; its answer breaks off in the middle.
    Truncated,
    /// It takes effect; its answer comes in pieces over so long.
    Slow(Duration),
}

impl Fault {
    /// An answer of this status as Discord's edge would give it, without JSON.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, headers: Vec::new(), body: format!("<html><title>{status}</title></html>") }
    }

    /// An error of Discord's own: `{"message": …, "code": …}`.
    #[must_use]
    pub fn refusal(status: u16, code: u32, message: &str) -> Self {
        let body = json!({"message": message, "code": code}).to_string();
        Self::Status { status, headers: vec![("Via".to_owned(), "1.1 google".to_owned())], body }
    }

    /// A 429 of this scope (`user`, `global` or `shared`) with both a body and a header that ask to wait.
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

/// The faults still to come. Clones share them.
#[derive(Clone)]
pub struct Faults(Arc<Mutex<Plan>>, Clock);

#[derive(Default)]
struct Plan {
    rules: VecDeque<Rule>,
    broken_until: Duration,
}

struct Rule {
    left: usize,
    path: Option<String>,
    fault: Fault,
}

impl Faults {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Arc::default(), clock)
    }

    /// The next `n` requests meet `fault`.
    pub fn next(&self, n: usize, fault: Fault) {
        self.plan().rules.push_back(Rule { left: n, path: None, fault });
    }

    /// The next `n` requests whose method and path (`POST /api/v10/channels/1/messages`) contain `part` meet
    /// `fault`.
    pub fn next_on(&self, part: &str, n: usize, fault: Fault) {
        self.plan().rules.push_back(Rule { left: n, path: Some(part.to_owned()), fault });
    }

    /// Every request is answered 503 for `span`, from now on.
    pub fn break_for(&self, span: Duration) {
        self.plan().broken_until = self.1.elapsed() + span;
    }

    /// Forgets all faults.
    pub fn clear(&self) {
        *self.plan() = Plan::default();
    }

    /// How many requests will still meet a fault, those of [`Faults::break_for`] not counted.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.plan().rules.iter().map(|rule| rule.left).sum()
    }

    /// What the request `METHOD path` meets.
    pub(super) fn take(&self, request: &str) -> Option<Fault> {
        let now = self.1.elapsed();
        let mut plan = self.plan();
        if now < plan.broken_until {
            return Some(Fault::status(503));
        }
        let meets = |rule: &Rule| rule.path.as_ref().is_none_or(|part| request.contains(part.as_str()));
        let at = plan.rules.iter().position(|rule| rule.left > 0 && meets(rule))?;
        let rule = &mut plan.rules[at];
        rule.left -= 1;
        let fault = rule.fault.clone();
        plan.rules.retain(|rule| rule.left > 0);
        Some(fault)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
