//! Kinds that nobody wants to hear of for a while.

use crate::clock::Timestamp;
use crate::model::route::Pattern;
use crate::model::{Kind, MuteId};

/// What is muted, until when, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Its id.
    pub id: MuteId,
    /// A kind, or a glob, as the person wrote it.
    pub pattern: String,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

impl Mute {
    /// Whether an event of `kind` that comes at `now` is not delivered. What asks people for a decision always is:
    /// somebody waits for the answer.
    #[must_use]
    pub fn silences(&self, kind: &Kind, now: Timestamp) -> bool {
        now < self.until
            && !asks_for_a_decision(kind)
            && Pattern::new(&self.pattern).matches(&kind.canonical())
    }
}

/// Whether events of this kind wait for somebody's decision.
#[must_use]
pub fn asks_for_a_decision(kind: &Kind) -> bool {
    let kind = kind.canonical();
    kind == "machine.registered" || kind.starts_with("decision.")
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
        let mute = Mute {
            id: MuteId::new(),
            pattern: pattern.to_owned(),
            until: Timestamp::from_secs(10),
            reason: String::new(),
            by: String::new(),
            since: Timestamp::default(),
        };
        assert_eq!(mute.silences(&Kind::new(kind), Timestamp::from_secs(at)), silent);
    }
}
