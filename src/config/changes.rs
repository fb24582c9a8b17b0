//! Configuration reload: which changes take effect at once, and which wait for a restart.

use crate::config::effective::texts;
use crate::config::report::{ConfigProblem, InvalidValue, Report};
use crate::config::variable::{VARIABLES, is_reloadable};
use crate::config::variables::Variables;
use crate::config::{Config, Entrance, variable};

/// A reloaded configuration.
#[derive(Debug)]
pub struct Reloaded {
    /// The variables in effect: the new value of each reloadable variable, the old value of the others.
    pub variables: Variables,
    /// The configuration made from `variables`.
    pub config: Config,
    /// Variables whose new value is in effect.
    pub in_effect: Vec<&'static str>,
    /// Variables whose new value waits for a restart.
    pub at_restart: Vec<&'static str>,
}

impl Reloaded {
    /// Compares `new` with the variables of the `running` process.
    ///
    /// # Errors
    /// All problems of `new`: then none of it takes effect.
    pub fn between(running: &Variables, new: &Variables, entrance: Entrance) -> Result<Self, Report> {
        if running.has_file && !new.has_file {
            // An editor may be writing it right now. Without it, most of the configuration would be the defaults.
            let wrong = InvalidValue::new("is not there any more", "Put it back.");
            let problem = ConfigProblem { variable: ".env".to_owned(), place: String::new(), wrong };
            return Err(Report::of(problem));
        }
        Config::read(new, entrance)?;
        let mut variables = new.clone();
        for known in VARIABLES.iter().map(|known| known.name).chain([variable::DATABASE_URL]) {
            if !is_reloadable(known) {
                variables.take_from(running, known);
            }
        }
        let config = Config::read(&variables, entrance)?;
        let (before, wanted, now) = (texts(running), texts(new), texts(&variables));
        let differs = |one: &std::collections::BTreeMap<&str, String>,
                       other: &std::collections::BTreeMap<&str, String>| {
            let names = VARIABLES.iter().map(|known| known.name);
            names.filter(|name| one.get(name) != other.get(name)).collect::<Vec<_>>()
        };
        let (in_effect, at_restart) = (differs(&before, &now), differs(&now, &wanted));
        Ok(Self { in_effect, at_restart, variables, config })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "WEBHOOK_SECRET=0123456789abcdef\n";

    fn variables(text: &str) -> Variables {
        Variables::from_dotenv(&format!("{SECRET}{text}"))
    }

    fn between(running: &Variables, new: &Variables) -> Result<Reloaded, Report> {
        Reloaded::between(running, new, Entrance::Configured)
    }

    #[test]
    fn what_counts_at_once_is_told_from_what_waits() {
        let running = variables("WEBHOOK_PORT=1\nRATE_LIMIT=1/1s\nDATABASE_URL=sqlite://a.db\n");
        let new = variables(
            "WEBHOOK_PORT=2\nRATE_LIMIT=2/1s\nNUNCIO_API_KEY=0123456789abcdef\nDATABASE_URL=sqlite://b.db\nOTHER=1\n",
        );
        let reloaded = between(&running, &new).unwrap();
        assert_eq!(reloaded.in_effect, ["RATE_LIMIT", "NUNCIO_API_KEY"]);
        assert_eq!(reloaded.at_restart, ["WEBHOOK_PORT", "NUNCIO_DATABASE_URL"]);
        assert_eq!((reloaded.config.webhook.port, reloaded.config.rate_limit.burst.get()), (1, 2));
        // Each reload reports what still waits, and the fingerprint covers what is in effect.
        let again = between(&reloaded.variables, &new).unwrap();
        assert_eq!((again.in_effect.len(), again.at_restart.len()), (0, 2));
        assert_ne!(again.config.fingerprint, Config::from_variables(&new).unwrap().fingerprint);
        assert_eq!(again.config.fingerprint, reloaded.config.fingerprint);
    }

    #[test]
    fn a_wrong_value_refuses_all_of_it() {
        let report = between(&variables(""), &variables("RATE_LIMIT=2/1s\nWEBHOOK_PORT=x")).unwrap_err();
        assert_eq!(report.problems[0].variable, "WEBHOOK_PORT");
    }

    #[test]
    fn a_file_that_is_gone_is_no_empty_one() {
        let without = Variables::from_map([("WEBHOOK_SECRET", "0123456789abcdef")]);
        let report = between(&variables("RATE_LIMIT=2/1s"), &without).unwrap_err();
        assert_eq!(report.problems[0].variable, ".env");
        assert!(between(&without, &without).is_ok());
    }
}
