//! Mutes: event kinds that are silenced for a while.

use crate::clock::Timestamp;
use crate::model::route::Pattern;
use crate::model::{Kind, KindMeaning, MuteId, Severity, Source};

/// A mute: what is silenced, until when, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Identifies the mute.
    pub id: MuteId,
    /// A kind or a glob, as the operator wrote it.
    pub pattern: String,
    /// The one muted alert; `None` mutes whatever the pattern matches.
    pub alert: Option<MutedAlert>,
    /// End of the mute.
    pub until: Timestamp,
    /// The operator's reason.
    pub reason: String,
    /// Display name of the operator.
    pub by: String,
    /// Start of the mute.
    pub since: Timestamp,
}

/// One alert that was muted from its card.
///
/// The button on a card must not silence what the operator has not seen: not other machines, not other alerts of this
/// one, and not this alert once it is worse than what the card showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutedAlert {
    /// The subject of its events: the same source, type, customer and title.
    pub subject: String,
    /// Display name of the alert.
    pub label: String,
    /// The alert's severity when it was muted, if known.
    pub severity: Option<Severity>,
}

/// Result of adding a mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Muted {
    /// The mute was added.
    Now(Mute),
    /// An equal mute was active: it continues with the new end.
    Renewed {
        /// The mute after the change.
        now: Mute,
        /// The mute before the change.
        before: Mute,
    },
    /// The alert is already muted, by this mute.
    Already(Mute),
    /// This very click or command was processed before.
    Replayed,
}

impl Mute {
    /// Display name of what is muted.
    #[must_use]
    pub fn name(&self) -> &str {
        self.alert.as_ref().map_or(&self.pattern, |alert| &alert.label)
    }

    /// Whether an event of `kind` about `subject` at `now` is suppressed. An event that asks for a decision never is:
    /// its sender waits for the answer.
    #[must_use]
    pub fn silences(&self, kind: &Kind, subject: &str, severity: Option<Severity>, now: Timestamp) -> bool {
        let is_meant =
            self.alert.as_ref().is_none_or(|alert| alert.subject == subject && severity <= alert.severity);
        now < self.until
            && is_meant
            && KindMeaning::of(Source::XtSystems, kind).can_be_muted()
            && Pattern::new(&self.pattern).matches(&kind.canonical())
    }
}

/// The text for an event that came at `at` and was muted: "muted until 23:32 UTC by Alice". Omits the date if the
/// mute ends on the same day. `mute`: its end and its author; `None` if no longer known.
#[must_use]
pub fn muted_words(mute: Option<(Timestamp, &str)>, at: Timestamp) -> String {
    let Some((until, by)) = mute else { return "muted".to_owned() };
    let (until, at) = (until.to_rfc3339(), at.to_rfc3339());
    let (day, time) = (until.get(..10).unwrap_or_default(), until.get(11..16).unwrap_or_default());
    let day = if at.starts_with(day) { String::new() } else { format!("{day} ") };
    let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
    format!("muted until {day}{time} UTC{by}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("alert.*", "alert.triggered", 9, true)]
    #[case("alert.*", "alert.triggered", 10, false)]
    #[case("alert_triggered", "alert.triggered", 0, true)]
    #[case("alert.*", "ticket.created", 0, false)]
    #[case("*", "machine.registered", 0, false)]
    #[case("*", "machine.approved", 0, true)]
    fn silences_what_it_names_until_it_ends(
        #[case] pattern: &str,
        #[case] kind: &str,
        #[case] at: i64,
        #[case] silent: bool,
    ) {
        let mute = mute(pattern, None);
        assert_eq!(mute.silences(&Kind::new(kind), "", None, Timestamp::from_secs(at)), silent);
    }

    fn mute(pattern: &str, alert: Option<MutedAlert>) -> Mute {
        Mute {
            id: MuteId::new(),
            pattern: pattern.to_owned(),
            alert,
            until: Timestamp::from_secs(10),
            reason: String::new(),
            by: String::new(),
            since: Timestamp::default(),
        }
    }

    #[rstest::rstest]
    #[case(Some((1_705_325_520, "Alice")), "muted until 13:32 UTC by Alice")]
    #[case(Some((1_705_411_920, "Alice")), "muted until 2024-01-16 13:32 UTC by Alice")]
    #[case(Some((1_705_325_520, "")), "muted until 13:32 UTC")]
    #[case(None, "muted")]
    fn what_was_muted_says_until_when_and_by_whom(#[case] mute: Option<(i64, &str)>, #[case] words: &str) {
        let mute = mute.map(|(until, by)| (Timestamp::from_secs(until), by));
        assert_eq!(muted_words(mute, Timestamp::from_secs(1_705_314_600)), words);
    }

    // Controls: without the check of the subject another machine is silenced, without the check of the severity a
    // worse alert.
    #[rstest::rstest]
    #[case("alert:a", Some(Severity::Warning), true)]
    #[case("alert:a", Some(Severity::Info), true)]
    #[case("alert:a", None, true)]
    #[case("alert:a", Some(Severity::Error), false)]
    #[case("alert:b", Some(Severity::Warning), false)]
    #[case("", Some(Severity::Warning), false)]
    fn one_alert_that_is_muted_is_the_only_one_and_only_while_it_gets_no_worse(
        #[case] subject: &str,
        #[case] severity: Option<Severity>,
        #[case] silent: bool,
    ) {
        let alert = MutedAlert {
            subject: "alert:a".to_owned(),
            label: "Disk full".to_owned(),
            severity: Some(Severity::Warning),
        };
        let mute = mute("alert.*", Some(alert));
        let silences = mute.silences(&Kind::new("alert.triggered"), subject, severity, Timestamp::default());
        assert_eq!(silences, silent);
    }
}
