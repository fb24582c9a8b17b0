//! The draft configuration: the variables that were found, overridden by the answers.

use crate::config::{Config, Report, Variables};
use crate::setup::{Prompt, SetupStop};

pub(super) const URL: &str = "XTSYSTEMS_API_URL";
pub(super) const KEY: &str = "XTSYSTEMS_API_KEY";
pub(super) const TOKEN: &str = "DISCORD_TOKEN";
pub(super) const GUILD: &str = "DISCORD_GUILD_ID";
pub(super) const MAP: &str = "DISCORD_WEBHOOK_CHANNELS";
pub(super) const APPROVERS: &str = "APPROVER_ROLES";
pub(super) const OPERATORS: &str = "OPERATOR_ROLES";
pub(super) const SECRET: &str = "WEBHOOK_SECRET";
pub(super) const PREVIOUS: &str = "WEBHOOK_SECRET_PREVIOUS";
pub(super) const PORT: &str = "WEBHOOK_PORT";
pub(super) const PUBLIC_URL: &str = "PUBLIC_URL";

/// The variables that setup writes, in the order of a new file. It does not ask for Discord's address, but writes down
/// the one that it used.
pub(super) const WRITTEN: [&str; 12] = [
    TOKEN,
    "DISCORD_API_URL",
    GUILD,
    MAP,
    APPROVERS,
    OPERATORS,
    SECRET,
    PREVIOUS,
    PORT,
    PUBLIC_URL,
    URL,
    KEY,
];

/// The variables with the answers in them. Every value is accepted, except that the secret may be missing.
pub(super) struct EnvDraft {
    variables: Variables,
}

impl EnvDraft {
    /// Starts with the variables found. A wrong value that setup asks for is left out and reported.
    ///
    /// # Errors
    /// If a variable is wrong that setup does not ask for.
    pub(super) fn new(found: &Variables, prompt: &mut dyn Prompt) -> Result<Self, SetupStop> {
        let mut variables = found.clone();
        let problems = Config::from_variables(found).err().map(|report| report.problems).unwrap_or_default();
        let (ours, others): (Vec<_>, Vec<_>) =
            problems.into_iter().partition(|problem| WRITTEN.contains(&problem.variable.as_str()));
        if !others.is_empty() {
            let report =
                Report { problems: others, placeholders: Vec::new(), notes: Vec::new(), bare: false };
            return Err(SetupStop::Configuration(report));
        }
        for problem in ours.iter().filter(|problem| !problem.place.is_empty()) {
            let found_wrong = format!("{} ({}) {}.", problem.variable, problem.place, problem.wrong.what);
            let is_there = found.value(&problem.variable).is_some() || problem.wrong.what.contains("quote");
            match problem.variable.as_str() {
                _ if !is_there => {}
                // The operator need not supply a better one.
                SECRET => prompt.say(&format!("{found_wrong} A new one is made.")),
                _ => prompt.wrong(&found_wrong, &problem.wrong.fix)?,
            }
            variables.set(&problem.variable, None);
        }
        Ok(Self { variables })
    }

    /// The value of a variable.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.variables.value(name)
    }

    /// The value of a variable, possibly empty; `None` if it is not set, or a placeholder.
    pub(super) fn decided(&self, name: &str) -> Option<&str> {
        self.variables.is_decided(name).then(|| self.variables.value(name).unwrap_or_default())
    }

    /// Stores an answer.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.variables.set(name, Some(value));
    }

    /// The configuration so far.
    ///
    /// # Errors
    /// If it is not accepted as a whole, although its parts were.
    pub(super) fn config(&self) -> Result<Config, SetupStop> {
        let mut variables = self.variables.clone();
        if variables.value(SECRET).is_none() {
            variables.set(SECRET, Some("only until there is one"));
        }
        Config::from_variables(&variables).map_err(SetupStop::Configuration)
    }
}
