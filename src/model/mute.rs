//! Kinds that nobody wants to hear of for a while.

use crate::clock::Timestamp;
use crate::model::route::Pattern;
use crate::model::{Kind, KindMeaning, MuteId, Severity, Source};

/// What is muted, until when, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Its id.
    pub id: MuteId,
    /// A kind, or a glob, as the person wrote it.
    pub pattern: String,
    /// The one alert that it is about; `None`: whatever the pattern matches.
    pub alert: Option<MutedAlert>,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

/// One alert that is muted, from its card.
///
/// The button on a card must not silence what nobody looked at: not other machines, not other alerts of this one, and
/// not this one once it is worse than what the person saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutedAlert {
    /// The subject of its events: the same source, type, customer and title.
    pub subject: String,
    /// What people call it.
    pub label: String,
    /// How bad it was, if it said so.
    pub severity: Option<Severity>,
}

impl Mute {
    /// What people call that which is muted.
    #[must_use]
    pub fn name(&self) -> &str {
        self.alert.as_ref().map_or(&self.pattern, |alert| &alert.label)
    }

    /// Whether an event of `kind` about `subject` that comes at `now` is not delivered. What asks people for a decision
    /// always is: somebody waits for the answer.
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

/// What people read of an event that came at `at` and was muted: "muted until 23:32 UTC by Alice". The date is left out
/// on the day it came. `mute`: when it ended or ends, and who muted; `None` if that is not known any more.
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

    // Controls: without the look at the subject another machine is silenced, without the severity a worse alert.
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
