//! Access to decisions, and their times: `APPROVER_ROLES`, `OPERATOR_ROLES`, `DECISION_GRACE`, `DECISION_EXPIRY`.

use std::time::Duration;

use crate::config::limits::span_of;
use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::config::snowflake;
use crate::model::{Snowflake, schedule};

const GRACE: Duration = Duration::from_secs(10);
/// Maximum undo period. With a longer one, people assume that the decision is final.
const LONGEST_GRACE: Duration = schedule::LONGEST_WAIT;

/// How machines are approved and denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decisions {
    /// Roles whose members may decide; empty: everyone with *Manage Server*.
    pub approvers: Vec<Snowflake>,
    /// Roles whose members may use the other commands that change something; empty: everyone with *Manage Server*.
    pub operators: Vec<Snowflake>,
    /// How long a decision can be undone before it is sent to the platform.
    pub grace: Duration,
    /// How long a question stays open; `None`: until it is answered.
    pub expiry: Option<Duration>,
}

impl Decisions {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            approvers: reader.or("APPROVER_ROLES", Vec::new(), roles),
            operators: reader.or("OPERATOR_ROLES", Vec::new(), roles),
            grace: reader.or("DECISION_GRACE", GRACE, |text| {
                span(text, "10s (the default), 1m, or 0s for none.").and_then(|span| {
                    if span <= LONGEST_GRACE {
                        Ok(span)
                    } else {
                        Err(InvalidValue::new(
                            "is longer than an hour",
                            "10s (the default), 1m, or 0s for none.",
                        ))
                    }
                })
            }),
            expiry: reader.optional("DECISION_EXPIRY", |text| {
                let fix = "24h, 7d, 30m; leave it out to ask forever.";
                span(text, fix).and_then(|span| {
                    if span.is_zero() { Err(InvalidValue::new("is zero", fix)) } else { Ok(span) }
                })
            }),
        }
    }
}

fn roles(text: &str) -> Result<Vec<Snowflake>, InvalidValue> {
    let mut roles: Vec<Snowflake> = Vec::new();
    // Accepts a JSON list as well, because neighboring variables use JSON.
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    for id in text.split(',').map(|id| id.trim().trim_matches(['"', '\''])).filter(|id| !id.is_empty()) {
        let id = snowflake(id)?;
        if !roles.contains(&id) {
            roles.push(id);
        }
    }
    Ok(roles)
}

fn span(text: &str, fix: &str) -> Result<Duration, InvalidValue> {
    span_of(text).ok_or_else(|| InvalidValue::new("is not a duration", fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("12", &[12])]
    #[case("12, 13,12", &[12, 13])]
    #[case("[\"12\",\"13\"]", &[12, 13])]
    fn roles_are_ids_with_commas_between(#[case] text: &str, #[case] ids: &[u64]) {
        let expected: Vec<_> = ids.iter().copied().map(Snowflake::new).collect();
        assert_eq!(roles(text).ok(), Some(expected));
    }

    #[rstest::rstest]
    #[case("Approvers")]
    #[case("12 13")]
    #[case("<@&12>")]
    fn what_is_no_id_is_refused(#[case] text: &str) {
        assert!(roles(text).is_err());
    }
}
