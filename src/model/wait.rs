//! Every wait that is stored, and what kind of wait it is.
//!
//! A *duration* (rate limit, retry, grace, probe, cooldown) stands on the steady line, which nobody sets: it lasts as
//! long as it was meant to, whatever happens to the wall clock. At a start it is cut to the longest its rule can give.
//! An *appointment* (the end of a mute, an expiry, retention) is wall time that people were told. It is kept by the wall
//! clock, or by a proven time where the two differ ([`Clock::for_appointments`](crate::clock::Clock::for_appointments)).
//!
//! `tests/it/clock/table.rs` goes through the schema: a column that may hold a time and stands in neither [`WAITS`] nor
//! [`RECORDS`] is red. Waits that are not stored are [`Duration`]s on the monotonic clock, and need no table.

use std::time::Duration;

use crate::model::schedule;

const MINUTE: Duration = Duration::from_secs(60);

/// What a wait is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A span on the steady line.
    Duration {
        /// The longest that its rules can give.
        longest: Duration,
    },
    /// A wall time.
    Appointment,
}

/// Where a wait is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A column of a table.
    Column {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Which rows still wait, in SQL.
        rows: &'static str,
    },
    /// A key of `meta`, whose value is a list of milliseconds.
    Meta(&'static str),
    /// Not stored as such: it follows from when something happened, and from the configuration.
    Derived(&'static str),
}

/// One wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What waits.
    pub what: &'static str,
    /// Where it is stored.
    pub place: Place,
    /// What it is measured by.
    pub kind: Kind,
}

/// Until when all of Discord is left alone.
pub const PAUSE: &str = "discord.paused_until";
/// When the bot logged in during the last hour.
pub const LOGINS: &str = "bot.identifies";

/// All of them.
pub const WAITS: &[Wait] = &[
    Wait {
        what: "a destination: its rate limit, back-off, refusal of the key, or the next look at a closed one",
        place: Place::Column { table: "destinations", column: "not_before", rows: "deleted_at IS NULL" },
        kind: Kind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "a destination that waits for the end of an outage: when it may follow another one's success",
        place: Place::Column { table: "destinations", column: "retry_from", rows: "deleted_at IS NULL" },
        kind: Kind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "a delivery: the grace in which a decision can be undone, or the retry of a call to the platform",
        place: Place::Column { table: "deliveries", column: "due_at", rows: "status = 'pending'" },
        kind: Kind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "everything: Discord wants nothing from this address for a while",
        place: Place::Meta(PAUSE),
        kind: Kind::Duration { longest: schedule::LONGEST_WAIT },
    },
    Wait {
        what: "the bot's next login: so many in an hour",
        place: Place::Meta(LOGINS),
        // These are times gone by: none lies ahead.
        kind: Kind::Duration { longest: Duration::ZERO },
    },
    Wait {
        what: "the next ping about the same thing",
        place: Place::Column { table: "messages", column: "planned_at", rows: "FALSE" },
        kind: Kind::Duration { longest: schedule::PING_AGAIN },
    },
    Wait {
        what: "FOLD_REPEATS: the card of a repeated alert",
        place: Place::Derived("the times in the ids of its events"),
        kind: Kind::Duration { longest: Duration::MAX },
    },
    Wait {
        what: "the refusals of the last minutes, which count towards a ban",
        place: Place::Derived("attempts.started_at"),
        kind: Kind::Duration { longest: MINUTE.saturating_mul(10) },
    },
    Wait {
        what: "the end of a mute",
        place: Place::Column { table: "mutes", column: "until", rows: "summed_at IS NULL" },
        kind: Kind::Appointment,
    },
    Wait {
        what: "DECISION_EXPIRY: the end of a question",
        place: Place::Column { table: "decisions", column: "expires_at", rows: "verdict = 'open'" },
        kind: Kind::Appointment,
    },
    Wait {
        what: "RETENTION_DAYS",
        place: Place::Derived("finished_at, received_at and updated_at of what is over"),
        kind: Kind::Appointment,
    },
];

/// Columns that say when something happened: wall time, to be shown. Nothing waits for them.
pub const RECORDS: &[(&str, &[&str])] = &[
    ("meta", &["updated_at"]),
    ("companies", &["updated_at"]),
    (
        "destinations",
        &[
            "failing_since",
            "last_success_at",
            "lane_until",
            "created_at",
            "updated_at",
            "deleted_at",
            "test_success_at",
        ],
    ),
    ("events", &["occurred_at", "received_at"]),
    ("messages", &["ambiguous_since", "created_at", "finished_at", "discord_time"]),
    ("deliveries", &["finished_at"]),
    ("attempts", &["started_at", "took_ms", "retry_after_ms"]),
    ("quarantine", &["received_at"]),
    ("cards", &["state_at", "updated_at"]),
    // due_at is what the card shows; the call's delivery has the wait.
    ("decisions", &["asked_at", "decided_at", "elsewhere_at", "due_at", "settled_at", "created_at"]),
    ("audit", &["at"]),
    ("mutes", &["created_at", "summed_at"]),
    ("routes", &["created_at"]),
];
