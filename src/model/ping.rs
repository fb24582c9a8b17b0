//! Ping rules: which roles an event pings. Only role ids that the operator configured, never anything from an event.

use crate::model::route::Pattern;
use crate::model::{Kind, Severity, Snowflake};

/// One line of `PING`: `"alert.triggered>=error": ["ROLE_ID"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingRule {
    /// The kinds it applies to.
    pub pattern: Pattern,
    /// Minimum severity; `None`: always. An event without a known severity meets no threshold.
    pub at_least: Option<Severity>,
    /// The roles to ping.
    pub roles: Vec<Snowflake>,
}

/// All rules of `PING`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pings(Vec<PingRule>);

impl Pings {
    /// Builds the set from its rules.
    #[must_use]
    pub fn new(rules: Vec<PingRule>) -> Self {
        Self(rules)
    }

    /// Every role that any rule pings.
    pub fn all_roles(&self) -> impl Iterator<Item = Snowflake> {
        self.0.iter().flat_map(|rule| rule.roles.iter().copied())
    }

    /// The roles that an event of this kind and severity pings, without duplicates, in the order of the rules.
    #[must_use]
    pub fn roles(&self, kind: &Kind, severity: Option<Severity>) -> Vec<Snowflake> {
        let kind = kind.canonical();
        let mut roles = Vec::new();
        for rule in self.0.iter().filter(|rule| rule.pattern.matches(&kind)) {
            if rule.at_least.is_none_or(|least| severity.is_some_and(|severity| severity >= least)) {
                roles.extend(
                    rule.roles.iter().filter(|role| !roles.contains(*role)).copied().collect::<Vec<_>>(),
                );
            }
        }
        roles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_from_the_threshold_on_and_each_role_once() {
        let role = Snowflake::new(7);
        let rule =
            |pattern, at_least| PingRule { pattern: Pattern::new(pattern), at_least, roles: vec![role] };
        let pings = Pings::new(vec![
            rule("alert.triggered", Some(Severity::Error)),
            rule("alert.*", Some(Severity::Critical)),
        ]);
        let alert = Kind::new("alert.triggered");
        assert_eq!(pings.roles(&alert, Some(Severity::Critical)), [role]);
        assert_eq!(pings.roles(&alert, Some(Severity::Warning)), []);
        assert_eq!(pings.roles(&alert, None), []);
    }
}
