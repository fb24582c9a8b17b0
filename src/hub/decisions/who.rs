//! Authorization of button presses. Pure: based on what Discord reports about the person with this very click.

use crate::hub::{Entrypoint, Hub, Person, Refusal, Rules};
use crate::model::{DecisionAction, Snowflake};

impl Hub {
    /// Checks whether `person` may press this button on a card.
    pub fn may(&self, person: &Person, press: DecisionAction) -> Result<(), Refusal> {
        self.check_guild(person, Entrypoint::Card)?;
        self.rules().may(person, press)
    }

    /// Checks whether `person` may use commands that change something other than a decision.
    pub fn may_operate(&self, person: &Person) -> Result<(), Refusal> {
        self.check_guild(person, Entrypoint::Command)?;
        self.rules().may(person, DecisionAction::Take)
    }
}

impl Rules {
    /// Checks whether `person` may press this button, in one of the operator's guilds.
    pub fn may(&self, person: &Person, press: DecisionAction) -> Result<(), Refusal> {
        let has = |roles: &[Snowflake]| {
            if roles.is_empty() {
                person.may_manage
            } else {
                roles.iter().any(|role| person.roles.contains(role))
            }
        };
        if person.guild.is_none() {
            return Err(Refusal::NoGuild);
        }
        if person.is_timed_out {
            return Err(Refusal::TimedOut);
        }
        match press {
            // Everyone who can see the card may see its details.
            DecisionAction::Details => Ok(()),
            DecisionAction::Approve
            | DecisionAction::Deny
            | DecisionAction::Undo
            | DecisionAction::TryAgain => {
                has(&self.approvers).then_some(()).ok_or_else(|| Refusal::NotApprover(self.approvers.clone()))
            }
            DecisionAction::Resend
            | DecisionAction::Take
            | DecisionAction::Note
            | DecisionAction::Close
            | DecisionAction::OnIt
            | DecisionAction::Mute => {
                has(&self.operators).then_some(()).ok_or_else(|| Refusal::NotOperator(self.operators.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPROVER: Snowflake = Snowflake::new(11);
    const OPERATOR: Snowflake = Snowflake::new(12);
    const OTHER: Snowflake = Snowflake::new(13);

    /// The intended role for each button: written a second time, independent of the code under test.
    fn belongs_to(press: DecisionAction) -> &'static str {
        match press {
            DecisionAction::Approve
            | DecisionAction::Deny
            | DecisionAction::Undo
            | DecisionAction::TryAgain => "approvers",
            DecisionAction::Resend
            | DecisionAction::Take
            | DecisionAction::Note
            | DecisionAction::Close
            | DecisionAction::OnIt
            | DecisionAction::Mute => "operators",
            DecisionAction::Details => "everybody",
        }
    }

    // D-4: every combination there is.
    #[test]
    fn the_matrix_of_who_may_press_what() {
        let flags = [false, true];
        let role_sets: [&[Snowflake]; 5] = [&[], &[APPROVER], &[OPERATOR], &[APPROVER, OPERATOR], &[OTHER]];
        let mut cases = 0;
        for (approvers, operators) in flags.into_iter().flat_map(|a| flags.map(|o| (a, o))) {
            let rules = Rules {
                approvers: if approvers { vec![APPROVER] } else { Vec::new() },
                operators: if operators { vec![OPERATOR] } else { Vec::new() },
                ..Rules::default()
            };
            for (in_guild, is_timed_out) in flags.into_iter().flat_map(|g| flags.map(|t| (g, t))) {
                for (may_manage, roles) in flags.into_iter().flat_map(|m| role_sets.map(|r| (m, r))) {
                    let person = Person {
                        id: Snowflake::new(1),
                        name: "Somebody".to_owned(),
                        guild: in_guild.then_some(Snowflake::new(2)),
                        roles: roles.to_vec(),
                        may_manage,
                        is_timed_out,
                    };
                    for press in DecisionAction::ALL {
                        cases += 1;
                        let by_role =
                            |is_set: bool, role| if is_set { roles.contains(&role) } else { may_manage };
                        let expected = in_guild
                            && !is_timed_out
                            && match belongs_to(press) {
                                "approvers" => by_role(approvers, APPROVER),
                                "operators" => by_role(operators, OPERATOR),
                                _ => true,
                            };
                        assert_eq!(
                            rules.may(&person, press).is_ok(),
                            expected,
                            "{press:?} {person:?} {rules:?}"
                        );
                    }
                }
            }
        }
        assert_eq!(cases, 4 * 4 * 10 * DecisionAction::ALL.len());
    }
}
