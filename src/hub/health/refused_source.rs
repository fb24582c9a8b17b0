//! Detection of a misconfigured source: if its every request is refused, that is a problem in `/health`, and after
//! five minutes a card in `default`.
//!
//! A streak of refusals begins with the first refusal after an accepted event, and ends with the next accepted one.
//! It becomes a problem at the third refusal, so that one stray request raises no alarm; but at the first if no event
//! was ever accepted, because then the source is just being set up. As there is only one signed route, a refusal at
//! it is XTSystems'.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::{Clock, Timestamp};
use crate::hub::{Finding, Hub, IngressReport, Problem, ProblemCode};
use crate::model::{DedupeKey, Kind, NewEvent, Priority, RawBody, Source};
use crate::store::{self, Incoming, Store};

/// Refusals before a source that used to be accepted becomes a problem.
const SEVERAL: u64 = 3;
/// How long a source is refused before operators get a card.
const REPORT_AFTER: Duration = Duration::from_secs(5 * 60);
/// A streak without a refusal for this long is over: the sender gave up.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Key of the reported streak: its start in milliseconds; empty once it ended.
const REPORTED: &str = "source.xtsystems.refused_since";

/// Kinds of the two cards, which report a streak and its end.
pub(crate) const REFUSED: &str = "nuncio.source.refused";
pub(crate) const ACCEPTED: &str = "nuncio.source.accepted";

/// The streak of refusals of one source.
#[derive(Debug, Default)]
pub(in crate::hub) struct RefusedSource(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether an event of the source was ever accepted.
    was_accepted: bool,
    streak: Option<Streak>,
    /// Start of the streak, if a card was posted about it and none yet about its end.
    reported: Option<Timestamp>,
    /// Whether an event was accepted after that card.
    accepted_again: bool,
}

#[derive(Clone, Debug)]
struct Streak {
    count: u64,
    since: Timestamp,
    /// Time of the first and of the last refusal, on the monotonic clock.
    first: Duration,
    last: Duration,
    finding: Finding,
    sentence: String,
}

impl Streak {
    /// For example "Every request since 14:02 UTC was refused (12), the last one because …".
    fn sentence(&self) -> String {
        let since = self.since.to_rfc3339();
        // 2024-01-15T10:30:00Z
        let (day, time) = (since.get(..10).unwrap_or_default(), since.get(11..16).unwrap_or_default());
        let requests = if self.count == 1 { "request" } else { "requests" };
        format!(
            "XTSystems is refused: all {} {requests} since {day} {time} UTC. {}. {}",
            self.count,
            capitalized(self.reason()),
            remedy(self.finding)
        )
    }

    fn reason(&self) -> &str {
        self.sentence.strip_prefix("a webhook was refused: ").unwrap_or(&self.sentence)
    }
}

/// What to do about a sender that is refused for `finding`.
const fn remedy(finding: Finding) -> &'static str {
    match finding {
        Finding::Skewed => "Check the clocks of both machines (NTP)",
        Finding::Unsigned | Finding::Mismatch | Finding::MalformedSignature | Finding::Ambiguous => {
            "Compare WEBHOOK_SECRET with the webhook's secret in XTSystems (/register-webhook sets it there); nuncio verify \
             names the part that is wrong"
        }
        _ => "nuncio verify names the part that is wrong",
    }
}

/// Whether a refusal for `finding` counts: only the mistakes of a misconfigured sender do. A stranger's invalid HTTP,
/// or a full database, proves nothing about a source.
const fn counts(finding: Finding) -> bool {
    matches!(
        finding,
        Finding::Unsigned
            | Finding::Ambiguous
            | Finding::MalformedTimestamp
            | Finding::Skewed
            | Finding::MalformedSignature
            | Finding::Mismatch
            | Finding::Unreadable
            | Finding::TooLarge
            | Finding::UnsupportedMedia
    )
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl RefusedSource {
    /// Loads the reported streak of an earlier process from `store`.
    pub(in crate::hub) async fn load(store: &Store) -> store::Result<Self> {
        let reported = store.meta(REPORTED).await?.and_then(|since| since.parse().ok());
        Ok(Self(Mutex::new(State {
            was_accepted: store.newest_event().await?.is_some(),
            streak: None,
            reported: reported.map(Timestamp::from_millis),
            accepted_again: false,
        })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal.
    pub(in crate::hub) fn refused(&self, clock: &Clock, remark: &IngressReport) {
        if !counts(remark.finding) {
            return;
        }
        let now = clock.elapsed();
        let mut state = self.state();
        let going_on = state.streak.take().filter(|streak| now.saturating_sub(streak.last) < FORGOTTEN_AFTER);
        let (count, since, first) = going_on
            .map_or_else(|| (0, clock.now(), now), |streak| (streak.count, streak.since, streak.first));
        state.streak = Some(Streak {
            count: count + 1,
            since,
            first,
            last: now,
            finding: remark.finding,
            sentence: remark.sentence.clone(),
        });
    }

    /// Ends the streak: an event was accepted.
    pub(in crate::hub) fn accepted(&self) {
        let mut state = self.state();
        state.was_accepted = true;
        state.accepted_again = state.reported.is_some();
        state.streak = None;
    }

    fn problem(&self, clock: &Clock) -> Option<Problem> {
        let state = self.state();
        let streak = state.streak.as_ref()?;
        let is_recent = clock.elapsed().saturating_sub(streak.last) < FORGOTTEN_AFTER;
        let is_one = is_recent && (streak.count >= SEVERAL || !state.was_accepted);
        is_one.then(|| Problem::new(ProblemCode::SourceRefused, streak.sentence()))
    }

    /// The card that is due now.
    fn due(&self) -> Option<RefusalReport> {
        let state = self.state();
        match (&state.streak, state.reported) {
            (Some(streak), None) => {
                let is_long = streak.last.saturating_sub(streak.first) >= REPORT_AFTER;
                let is_due = state.was_accepted && streak.count >= SEVERAL && is_long;
                is_due.then(|| RefusalReport::Refused(streak.clone()))
            }
            // Only an accepted event ends the streak: a restart forgets the streak, but not the card.
            (_, Some(since)) if state.accepted_again => Some(RefusalReport::Accepted(since)),
            _ => None,
        }
    }
}

enum RefusalReport {
    Refused(Streak),
    Accepted(Timestamp),
}

impl RefusalReport {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => REFUSED,
            Self::Accepted(_) => ACCEPTED,
        }
    }

    const fn since(&self) -> Timestamp {
        match self {
            Self::Refused(streak) => streak.since,
            Self::Accepted(since) => *since,
        }
    }

    fn data(&self) -> Value {
        let since = self.since().as_secs();
        match self {
            Self::Refused(streak) => json!({
                "count": streak.count, "since": since, "reason": capitalized(streak.reason()),
                "remedy": remedy(streak.finding),
            }),
            Self::Accepted(_) => json!({"since": since}),
        }
    }
}

impl Hub {
    /// The problem of a source whose every request is refused, if there is one.
    pub(in crate::hub) fn refused_source_problem(&self) -> Option<Problem> {
        self.0.refused_source.problem(&self.0.clock)
    }

    /// Posts a card to the `default` route's channels about a source that has been refused for five minutes, and
    /// another one once it is accepted again. Call it each second. Its dedupe key is the streak, so a crash causes no
    /// second card.
    ///
    /// # Errors
    /// If the database cannot store the event: the next call retries.
    pub async fn report_refused_source(&self) -> store::Result<()> {
        let Some(report) = self.0.refused_source.due() else { return Ok(()) };
        let (kind, since, now) = (report.kind(), report.since(), self.0.clock.now());
        let key = RawBody::new(format!("{kind} {}", since.as_millis()).into_bytes());
        let body = json!({"event_type": kind, "data": report.data()}).to_string();
        let event = NewEvent {
            source: Source::Nuncio,
            kind: Kind::new(kind),
            company: String::new(),
            subject: String::new(),
            dedupe: DedupeKey::of_body(&key),
            cause: None,
            occurred_at: now,
            received_at: now,
            severity: None,
            company_name: None,
            body: RawBody::new(body.into_bytes()),
        };
        let is_refused = matches!(report, RefusalReport::Refused(_));
        let mut plan = self.0.routing.now().default_plan();
        plan.iter_mut().for_each(|planned| {
            planned.priority = if is_refused { Priority::Urgent } else { Priority::Normal }
        });
        self.0
            .store
            .accept(Incoming { event, plan, unrouted: false, company_name: None, asks: None })
            .await?;
        let kept = if is_refused { since.as_millis().to_string() } else { String::new() };
        self.0.store.set_meta(REPORTED, kept).await?;
        let mut state = self.0.refused_source.state();
        state.reported = is_refused.then_some(since);
        state.accepted_again = false;
        Ok(())
    }
}
