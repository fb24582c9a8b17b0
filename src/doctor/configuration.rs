//! The configuration: everything that `serve` would refuse, and oddities in the rest.

use std::collections::BTreeSet;

use crate::config::{Config, ConfigProblem, Report};
use crate::doctor::Check;
use crate::doctor::code::Code;

/// A secret with fewer different bytes is not random.
const FEWEST_BYTES: usize = 8;
/// Common placeholders and weak passwords.
const GUESSED: [&str; 4] = ["password", "changeme", "123456789", "qwertz"];

/// Every problem of a refused configuration.
pub(super) fn refused(report: &Report) -> Vec<Check> {
    let problems = report.problems.iter().map(|problem| {
        let place = if problem.place.is_empty() { String::new() } else { format!(" ({})", problem.place) };
        let found = format!("{}{place} {}.", problem.variable, problem.wrong.what);
        Check::fail(code(problem), found, problem.wrong.fix.replace('\n', " "))
    });
    problems.chain(report.notes.iter().filter_map(|note| of_note(note))).collect()
}

fn code(problem: &ConfigProblem) -> Code {
    let what = problem.wrong.what.as_str();
    match problem.variable.as_str() {
        ".env" => Code::EnvFileUnreadable,
        _ if what.starts_with("starts with a") && what.ends_with("quote") => Code::QuotesTakenLiterally,
        "WEBHOOK_SECRET" if what.starts_with("is shorter") => Code::SecretTooShort,
        "WEBHOOK_SECRET" if ["is not set", "is empty", "still holds a placeholder"].contains(&what) => {
            Code::SecretMissing
        }
        "DISCORD_TOKEN" => Code::DiscordTokenMalformed,
        _ => Code::ConfigurationRefused,
    }
}

/// The oddities of an accepted configuration.
pub(super) fn accepted(config: &Config) -> Vec<Check> {
    let mut checks = vec![Check::ok(
        Code::Configuration,
        format!("Every variable is accepted (fingerprint {}).", config.fingerprint),
    )];
    checks.extend(config.notes.iter().filter_map(|note| of_note(note)));
    if config.webhook.secret.as_ref().is_some_and(|secret| is_weak(secret.expose())) {
        checks.push(Check::warn(
            Code::SecretWeak,
            "WEBHOOK_SECRET is long enough, but it looks made up: whoever guesses it can send events as XTSystems.",
            "Make a new one with: openssl rand -hex 32. Put it into WEBHOOK_SECRET, the old one into \
             WEBHOOK_SECRET_PREVIOUS, `kill -HUP` nuncio or restart it, and run /register-webhook.",
        ));
    }
    if config.routes.routes().is_empty() && config.needs_bot() {
        checks.push(Check::warn(
            Code::MapEmpty,
            "DISCORD_WEBHOOK_CHANNELS names no channel: events are kept, and none is shown unless /webhook-config routes it.",
            "Set DISCORD_WEBHOOK_CHANNELS, for example to {\"default\":[\"CHANNEL_ID\"]}.",
        ));
    }
    checks
}

/// A check for a note of the configuration; `None` if another check covers it.
fn of_note(note: &str) -> Option<Check> {
    if note.starts_with(".env holds secrets") {
        return None;
    }
    let remedy = "nuncio starts all the same. Change what the sentence names, if it was not meant so; nuncio config shows \
                  what every variable is set to and where.";
    let end = if note.ends_with(['.', '?']) { "" } else { "." };
    Some(Check::warn(Code::ConfigurationNote, format!("{note}{end}"), remedy))
}

fn is_weak(secret: &str) -> bool {
    let bytes: BTreeSet<u8> = secret.bytes().collect();
    let lower = secret.to_ascii_lowercase();
    bytes.len() < FEWEST_BYTES || GUESSED.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("aaaaaaaaaaaaaaaaaaaaaaaa", true)]
    #[case("my-password-for-nuncio", true)]
    #[case("9f86d081884c7d659a2feaa0c55ad015", false)]
    #[case("correct horse battery staple", false)]
    fn a_secret_that_was_made_up_is_weak(#[case] secret: &str, #[case] expected: bool) {
        assert_eq!(is_weak(secret), expected, "{secret}");
    }
}
