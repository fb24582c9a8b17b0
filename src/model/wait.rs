//! Stored waits, and the clock that measures each.
//!
//! A *duration* (rate limit, retry, grace, probe, cooldown) is in steady time, which setting the clock does not move:
//! it lasts as long as intended, whatever happens to the wall clock. At startup it is capped at the longest that its
//! rule can give. An *appointment* (the end of a mute, an expiry, retention) is wall time that people were shown. It
//! follows the wall clock, or a proven time where the two differ
//! ([`Clock::for_appointments`](crate::clock::Clock::for_appointments)).
//!
//! `tests/it/clock/table.rs` checks the schema: it fails on a column that may hold a time and is listed in neither
//! [`WAITS`] nor [`RECORDS`]. Waits that are not stored are [`Duration`]s on the monotonic clock, and need no table.

use std::time::Duration;

use crate::model::schedule;

const MINUTE: Duration = Duration::from_secs(60);

/// The clock that measures a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitKind {
    /// A span in steady time.
    Duration {
        /// The longest that its rules allow.
        longest: Duration,
    },
    /// A wall-clock time.
    Appointment,
}

/// Storage of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStorage {
    /// A column of a table.
    Column {
        /// Table name.
        table: &'static str,
        /// Column name.
        column: &'static str,
        /// SQL condition for the rows that still wait.
        rows: &'static str,
    },
    /// A key of `meta`, whose value is a list of milliseconds.
    Meta(&'static str),
    /// Not stored: derived from the time of an event and the configuration.
    Derived(&'static str),
}

/// One kind of stored wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Description of the wait.
    pub what: &'static str,
    /// Storage of the wait.
    pub storage: WaitStorage,
    /// The clock that measures it.
    pub kind: WaitKind,
}

/// Key of the end of a global Discord pause.
pub const PAUSE: &str = "discord.paused_until";
/// Key of the bot's logins during the last hour.
pub const LOGINS: &str = "bot.identifies";

/// All stored waits.
pub const WAITS: &[Wait] = &[
    Wait {
        what: "a destination: its rate limit, back-off, refusal of the key, or the next look at a closed one",
        storage: WaitStorage::Column {
            table: "destinations",
            column: "not_before",
            rows: "deleted_at IS NULL",
        },
        kind: WaitKind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "a destination that waits for the end of an outage: when it may follow another one's success",
        storage: WaitStorage::Column {
            table: "destinations",
            column: "retry_from",
            rows: "deleted_at IS NULL",
        },
        kind: WaitKind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "a delivery: the grace in which a decision can be undone, or the retry of a call to the platform",
        storage: WaitStorage::Column { table: "deliveries", column: "due_at", rows: "status = 'pending'" },
        kind: WaitKind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "everything: Discord wants nothing from this address for a while",
        storage: WaitStorage::Meta(PAUSE),
        kind: WaitKind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "the bot's next login: so many in an hour",
        storage: WaitStorage::Meta(LOGINS),
        // These are past times: none lies ahead.
        kind: WaitKind::Duration { longest: Duration::ZERO },
    },
    Wait {
        what: "the next ping about the same thing",
        storage: WaitStorage::Column { table: "messages", column: "planned_at", rows: "FALSE" },
        kind: WaitKind::Duration { longest: schedule::PING_AGAIN },
    },
    Wait {
        what: "FOLD_REPEATS: the card of a repeated alert",
        storage: WaitStorage::Derived("the times in the ids of its events, one of them in cards.since_at"),
        kind: WaitKind::Duration { longest: Duration::MAX },
    },
    Wait {
        what: "the refusals of the last minutes, which count towards a ban",
        storage: WaitStorage::Derived("attempts.started_at"),
        kind: WaitKind::Duration { longest: MINUTE.saturating_mul(10) },
    },
    Wait {
        what: "the end of a mute",
        storage: WaitStorage::Column { table: "mutes", column: "until", rows: "summed_at IS NULL" },
        kind: WaitKind::Appointment,
    },
    Wait {
        what: "DECISION_EXPIRY: the end of a question",
        storage: WaitStorage::Column { table: "decisions", column: "expires_at", rows: "verdict = 'open'" },
        kind: WaitKind::Appointment,
    },
    Wait {
        what: "the end of an API key",
        storage: WaitStorage::Column { table: "api_keys", column: "expires_at", rows: "revoked_at IS NULL" },
        kind: WaitKind::Appointment,
    },
    Wait {
        what: "the end of a one-time link to the console",
        storage: WaitStorage::Column { table: "console_links", column: "expires_at", rows: "TRUE" },
        kind: WaitKind::Appointment,
    },
    Wait {
        what: "the end of a session of the console",
        storage: WaitStorage::Derived("console_sessions.used_at and created_at"),
        kind: WaitKind::Appointment,
    },
    Wait {
        what: "the end of an Idempotency-Key",
        storage: WaitStorage::Derived("idempotency.claimed_at"),
        kind: WaitKind::Appointment,
    },
    Wait {
        what: "RETENTION_DAYS",
        storage: WaitStorage::Derived("finished_at, received_at and updated_at of what is over"),
        kind: WaitKind::Appointment,
    },
];

/// Columns that record when something happened: wall time for display. No wait depends on them.
pub const RECORDS: &[(&str, &[&str])] = &[
    ("meta", &["updated_at"]),
    ("companies", &["updated_at"]),
    (
        "destinations",
        &["failing_since", "last_success_at", "created_at", "updated_at", "deleted_at", "test_success_at"],
    ),
    ("events", &["occurred_at", "received_at"]),
    ("messages", &["ambiguous_since", "created_at", "finished_at", "discord_time", "started_at", "took_ms"]),
    ("deliveries", &["finished_at"]),
    ("attempts", &["started_at", "took_ms", "retry_after_ms"]),
    ("quarantine", &["received_at"]),
    // since_at is the time in the id of its first event, which no start moves.
    ("cards", &["since_at", "state_at", "updated_at"]),
    // due_at is for the card; the wait itself belongs to the call's delivery.
    ("decisions", &["asked_at", "decided_at", "approved_upstream_at", "due_at", "settled_at", "created_at"]),
    ("audit", &["at"]),
    ("mutes", &["created_at", "summed_at"]),
    ("routes", &["created_at"]),
    ("api_keys", &["created_at", "last_used_at", "revoked_at"]),
    ("idempotency", &["claimed_at"]),
    ("console_sessions", &["created_at", "used_at"]),
];
