//! The effective configuration: the value and origin of every variable, safe to show to an operator, even if the
//! configuration is invalid.
//!
//! Never contains a secret: of secrets, and of values that may contain one by mistake, it keeps only masked forms.

use std::collections::BTreeMap;

use crate::config::placeholder::is_placeholder;
use crate::config::report::{ConfigProblem, InvalidValue};
use crate::config::variable::{self, DATABASE_URL, ExampleValue, PLANNED, VARIABLES};
use crate::config::variables::{Origin, Variables};
use crate::config::{Config, Entrance};
use crate::secret::Secret;
use crate::signature;

/// Minimum length of a fingerprinted secret: the fingerprint of a shorter one would make it easy to brute-force.
const FINGERPRINTED: usize = 16;
/// Digits of a fingerprint.
const DIGITS: usize = 8;
/// Replacement text for a hidden value.
const HIDDEN: &str = "••••";

/// The effective configuration.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Every variable, in the order of `.env.example`.
    pub settings: Vec<Setting>,
    /// Problems of `.env` itself.
    pub problems: Vec<ConfigProblem>,
    /// Harmless oddities.
    pub notes: Vec<String>,
    /// Equal for two processes with equal configurations; `None` if the configuration is invalid.
    pub fingerprint: Option<String>,
}

/// The effective setting of one variable.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// Where the variable was set.
    pub origin: SettingOrigin,
    /// The value in effect.
    pub value: SettingValue,
    /// Why the value is refused.
    pub problems: Vec<InvalidValue>,
    /// Why a set value has no effect, or which variable overrides it.
    pub remark: Option<String>,
}

/// Where a variable was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingOrigin {
    /// In the environment of the process.
    Environment,
    /// In `.env`, at this line.
    File(usize),
    /// Not set: the default applies.
    Default,
}

/// The value in effect, in a form that is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// No value.
    Unset,
    /// A value that is not secret.
    Plain(String),
    /// A secret, with a prefix of its SHA-256 if that reveals nothing.
    Secret(Option<String>),
}

impl Effective {
    /// Evaluates `variables`.
    #[must_use]
    pub fn of(variables: &Variables, entrance: Entrance) -> Self {
        let (found, mut wrong, notes) = match Config::read(variables, entrance) {
            Ok(config) => (Some((config.fingerprint, config.encryption)), Vec::new(), config.notes),
            Err(report) => (None, report.problems, report.notes),
        };
        let known = VARIABLES.iter().map(|known| (known.name, known.example));
        // Unset ones are not listed.
        let others = [DATABASE_URL].into_iter().chain(PLANNED.iter().map(|planned| planned.name));
        let others = others.filter(|name| variables.lookup(name).is_some());
        let named: Vec<_> = known.chain(others.map(|name| (name, ExampleValue::Example("")))).collect();
        let mut settings: Vec<Setting> =
            named.into_iter().map(|(name, example)| setting(variables, name, example, &mut wrong)).collect();
        if let Some((_, key_place)) = &found {
            let key = settings.iter_mut().find(|setting| setting.name == "NUNCIO_ENCRYPTION_KEY");
            if let Some(key) = key.filter(|key| key.value == SettingValue::Unset) {
                key.remark = Some(format!("the key is in {}", key_place));
            }
        }
        Self { settings, problems: wrong, notes, fingerprint: found.map(|(fingerprint, _)| fingerprint) }
    }

    /// Number of problems.
    #[must_use]
    pub fn wrong(&self) -> usize {
        self.problems.len() + self.settings.iter().map(|setting| setting.problems.len()).sum::<usize>()
    }
}

/// The setting of one variable; its problems move out of `wrong`.
fn setting(
    variables: &Variables,
    name: &'static str,
    example: ExampleValue,
    wrong: &mut Vec<ConfigProblem>,
) -> Setting {
    let (own, others) = std::mem::take(wrong).into_iter().partition(|problem| problem.variable == name);
    *wrong = others;
    let own: Vec<ConfigProblem> = own;
    let found = variables.lookup(name);
    let is_set = |name: &str| counts(variables, name).is_some();
    let remark = match found {
        Some((value, _)) if is_placeholder(value) => Some("a placeholder of the example counts as not set"),
        Some(_) if PLANNED.iter().any(|planned| planned.name == name) => {
            Some("without effect in this version")
        }
        Some(_) if name == "LOG_LEVEL" && is_set("RUST_LOG") => Some("RUST_LOG counts in its place"),
        Some(_) if name == DATABASE_URL && variables.lookup("NUNCIO_DATABASE_URL").is_some() => {
            Some("NUNCIO_DATABASE_URL counts in its place")
        }
        None if name == "NUNCIO_DATABASE_URL" && variables.lookup(DATABASE_URL).is_some() => {
            Some("DATABASE_URL counts in its place")
        }
        None if name == "RUST_LOG" && is_set("LOG_LEVEL") => Some("LOG_LEVEL counts in its place"),
        _ => None,
    };
    let origin = match found {
        Some((_, Origin::Environment)) => SettingOrigin::Environment,
        Some((_, Origin::File(line))) => SettingOrigin::File(line),
        None => own.first().map_or(SettingOrigin::Default, |problem| match problem.line() {
            Some(line) => SettingOrigin::File(line),
            None if problem.place.is_empty() => SettingOrigin::Default,
            None => SettingOrigin::Environment,
        }),
    };
    let value = match (counts(variables, name), example) {
        (Some(value), _) if variable::is_secret(name) => {
            let tells = own.is_empty() && value.len() >= FINGERPRINTED;
            SettingValue::Secret(tells.then(|| short(&signature::sha256_hex(&[value.as_bytes()]))))
        }
        (Some(value), _) => SettingValue::Plain(showable(value, !own.is_empty())),
        (None, ExampleValue::Default(value)) if own.is_empty() && remark.is_none() => {
            SettingValue::Plain(bare(value))
        }
        (None, _) => SettingValue::Unset,
    };
    Setting {
        name,
        origin,
        value,
        problems: own.into_iter().map(|problem| problem.wrong).collect(),
        remark: remark.map(str::to_owned),
    }
}

/// The text of a variable, if it is set and not a placeholder.
fn counts<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    let (value, _) = variables.lookup(name)?;
    (!value.trim().is_empty() && !is_placeholder(value)).then_some(value)
}

/// A default without the quotes that `.env.example` puts around it.
fn bare(value: &str) -> String {
    value.trim_matches('\'').to_owned()
}

fn short(digest: &str) -> String {
    digest.chars().take(DIGITS).collect()
}

/// Every variable in effect with its text: includes defaults, omits overridden variables.
pub(super) fn texts(variables: &Variables) -> BTreeMap<&'static str, String> {
    let set = |name: &'static str| counts(variables, name).map(str::to_owned);
    let text = |known: &variable::Variable| match (known.name, known.example) {
        ("NUNCIO_DATABASE_URL", ExampleValue::Default(default)) => {
            Some(set(known.name).or_else(|| set(DATABASE_URL)).unwrap_or_else(|| bare(default)))
        }
        ("RUST_LOG", ExampleValue::Default(default)) => {
            Some(set(known.name).or_else(|| set("LOG_LEVEL")).unwrap_or_else(|| bare(default)))
        }
        ("LOG_LEVEL", _) => None,
        (name, ExampleValue::Default(default)) => Some(set(name).unwrap_or_else(|| bare(default))),
        (name, _) => set(name),
    };
    VARIABLES.iter().filter_map(|known| Some((known.name, text(known)?))).collect()
}

/// A fingerprint of everything in effect. It is keyed with a secret, so that nobody else can guess other values by it;
/// with nothing if there is none. Only operators see it.
pub(super) fn fingerprint(variables: &Variables, secret: Option<&Secret>) -> String {
    let mut text = String::new();
    for (name, value) in texts(variables) {
        text.push_str(&format!("{name}={}:{value}\n", value.len()));
    }
    let unkeyed = Secret::new("");
    let signed = signature::sign(secret.unwrap_or(&unkeyed), &[b"configuration\n", text.as_bytes()]);
    short(signed.trim_start_matches("sha256="))
}

/// Masks `value`: passwords in URLs, tokens of Discord webhooks, and, if the value was `refused` and so may be
/// anything, strings that look like a token.
pub(super) fn showable(value: &str, refused: bool) -> String {
    let mut example = String::new();
    for (at, piece) in value.split("://").enumerate() {
        if at > 0 {
            example.push_str("://");
        }
        let authority = piece.split(['/', '"', ' ']).next().unwrap_or_default().len();
        match piece[..authority].rfind('@').filter(|_| at > 0) {
            Some(end) => example.extend([HIDDEN, &piece[end..]]),
            None => example.push_str(piece),
        }
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let mut clean = String::new();
    let mut rest = example.as_str();
    while let Some(start) = rest.find(is_part) {
        let length = rest[start..].find(|letter| !is_part(letter)).unwrap_or(rest.len() - start);
        let (before, word) = (&rest[..start], &rest[start..start + length]);
        clean.push_str(before);
        let is_mixed = word.contains(|letter: char| letter.is_ascii_alphabetic())
            && word.contains(|letter: char| letter.is_ascii_digit());
        let is_token = is_of_webhook(&clean) || (refused && is_mixed && length >= FINGERPRINTED);
        clean.push_str(if is_token { HIDDEN } else { word });
        rest = &rest[start + length..];
    }
    clean.push_str(rest);
    clean.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Whether `before` ends with a Discord webhook's URL up to its token.
fn is_of_webhook(before: &str) -> bool {
    let Some(before) = before.strip_suffix('/') else { return false };
    let Some((before, id)) = before.rsplit_once('/') else { return false };
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) && before.ends_with("/webhooks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("http://localhost:20437", "http://localhost:20437")]
    #[case("postgres://nuncio:canary@db/x", "postgres://••••@db/x")]
    #[case("https://a@b@c/d@e", "https://••••@c/d@e")]
    #[case("https://discord.com/api/webhooks/12/canary_-1", "https://discord.com/api/webhooks/12/••••")]
    #[case("/webhooks/xtsystems", "/webhooks/xtsystems")]
    #[case(r#"{"default":["dst_0123456789abcdef0123"]}"#, r#"{"default":["dst_0123456789abcdef0123"]}"#)]
    fn passwords_are_hidden(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(showable(value, false), expected);
    }

    #[rstest::rstest]
    #[case("99999", "99999")]
    #[case("canary0123456789abcdef", "••••")]
    #[case("x canary0123456789abcdef.y", "x ••••.y")]
    #[case("123456789012345678901234", "123456789012345678901234")]
    fn what_was_refused_may_be_a_token_in_the_wrong_line(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(showable(value, true), expected);
    }

    #[test]
    fn every_variable_that_is_called_one_is_a_secret() {
        let names = VARIABLES.iter().chain(PLANNED).map(|known| known.name);
        for name in names.filter(|name| ["TOKEN", "SECRET", "KEY"].iter().any(|word| name.contains(word))) {
            assert!(variable::is_secret(name), "{name}");
        }
    }

    #[test]
    fn the_fingerprint_is_of_what_counts() {
        let of = |text: &str| {
            let text = format!("WEBHOOK_SECRET=0123456789abcdef\n{text}");
            Effective::of(&Variables::from_dotenv(&text), Entrance::Configured).fingerprint.unwrap()
        };
        assert_eq!(of(""), of("WEBHOOK_PORT=3000\nDISCORD_TOKEN=your_discord_bot_token_here\nOTHER=1"));
        assert_eq!(of("NUNCIO_DATABASE_URL=sqlite://a.db"), of("DATABASE_URL=sqlite://a.db"));
        assert_ne!(of(""), of("WEBHOOK_PORT=3001"));
        assert_ne!(of(""), of("NUNCIO_API_KEY=0123456789abcdef"));
        assert_eq!(of("").len(), DIGITS);
    }
}
