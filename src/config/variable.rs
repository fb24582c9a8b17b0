//! The table of every environment variable: `.env.example`, the reference in
//! `docs/configuration.md` and all notes about names are generated from it.

mod table;

pub use table::{PLANNED, VARIABLES};

/// A section of `.env.example`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableGroup {
    /// The bot and the channels.
    Discord,
    /// The listener for webhooks.
    Webhook,
    /// The API and the dispatcher.
    Api,
    /// The platform's API.
    XtSystems,
    /// Database, keys and logs.
    Storage,
}

impl VariableGroup {
    const ALL: [Self; 5] = [Self::Discord, Self::Webhook, Self::Api, Self::XtSystems, Self::Storage];

    const fn title(self) -> &'static str {
        match self {
            Self::Discord => "Discord: the bot, and which channel gets what",
            Self::Webhook => "The listener that XTSystems sends its events to",
            Self::Api => "The API, and the messages that it dispatches",
            Self::XtSystems => "XTSystems",
            Self::Storage => "Data and logs",
        }
    }
}

/// The form of a variable in `.env.example`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExampleValue {
    /// A line to fill in: `NAME=<placeholder>`.
    FillIn(&'static str),
    /// A commented-out line with the default.
    Default(&'static str),
    /// A commented-out line with an example; the default is no value.
    Example(&'static str),
}

/// A variable that this version reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// Its section of `.env.example`.
    pub group: VariableGroup,
    /// Its form in `.env.example`.
    pub example: ExampleValue,
    /// Its purpose, in one sentence.
    pub meaning: &'static str,
}

const fn variable(
    name: &'static str,
    group: VariableGroup,
    example: ExampleValue,
    meaning: &'static str,
) -> Variable {
    Variable { name, group, example, meaning }
}

/// Many programs use `DATABASE_URL`: it is ours only in our own `.env`.
pub(super) const DATABASE_URL: &str = "DATABASE_URL";

/// Prefixes of names that the old bot read and nuncio does not use.
pub(super) const IGNORED: &[&str] = &["GITHUB_", "AGIXT_"];

/// Whether the variable's value is JSON.
pub(super) fn is_json(name: &str) -> bool {
    matches!(name, "DISCORD_WEBHOOK_CHANNELS" | "PING" | "MONITOR_CHANNELS" | "SOURCES")
}

/// Whether the variable's value is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    matches!(
        name,
        "DISCORD_TOKEN"
            | "WEBHOOK_SECRET"
            | "WEBHOOK_SECRET_PREVIOUS"
            | "XTSYSTEMS_API_KEY"
            | "NUNCIO_API_KEY"
            | "NUNCIO_ENCRYPTION_KEY"
            | "SOURCES"
    )
}

/// Whether a new value takes effect on a configuration reload; all others wait for a restart.
pub fn is_reloadable(name: &str) -> bool {
    matches!(
        name,
        "DISCORD_WEBHOOK_CHANNELS"
            | "MONITOR_CHANNELS"
            | "PING"
            | "APPROVER_ROLES"
            | "OPERATOR_ROLES"
            | "DECISION_GRACE"
            | "DECISION_EXPIRY"
            | "WEBHOOK_SECRET"
            | "WEBHOOK_SECRET_PREVIOUS"
            | "WEBHOOK_BODY_LIMIT"
            | "RATE_LIMIT"
            | "RATE_LIMIT_SCOPE"
            | "TRUSTED_PROXIES"
            | "NUNCIO_API_KEY"
            | "API_RATE_LIMIT"
            | "ALLOW_PRIVATE_TARGETS"
            | "DISPATCH_NAME"
            | "DISPATCH_ICON_URL"
            | "DISPATCH_FOOTER"
    )
}

/// Whether this version or a later one uses the name.
pub(super) fn is_known(name: &str) -> bool {
    name == DATABASE_URL
        || VARIABLES.iter().any(|known| known.name == name)
        || PLANNED.iter().any(|planned| planned.name == name)
}

/// The name that `name` was probably meant to be: at most two letters away (one, for short names).
pub(super) fn misspelt(name: &str) -> Option<&'static str> {
    if is_known(name) {
        return None;
    }
    VARIABLES
        .iter()
        .chain(PLANNED)
        .map(|known| known.name)
        .map(|known| (distance(name, known), known))
        .filter(|(distance, known)| *distance <= if known.len() < 8 { 1 } else { 2 })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The edit distance of two names (Levenshtein).
#[must_use]
pub fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

/// The text of `.env.example`.
#[must_use]
pub fn example() -> String {
    let mut text = String::from(
        "# The configuration of nuncio: `nuncio setup` asks for it and writes it. Or by hand: `cp .env.example .env`, then fill in\n\
         # what is not commented out.\n\
         # The real environment wins over this file. A value with a # or with blanks at an end belongs in single quotes.\n\
         # Made from the table in src/config/variable.rs: `UPDATE_ENV_EXAMPLE=1 cargo test --lib variable`.\n",
    );
    for group in VariableGroup::ALL {
        text.push_str("\n# ---- ");
        text.push_str(group.title());
        text.push_str(" ----\n");
        let planned = PLANNED.iter().map(|variable| (variable, "Planned, without effect in this version. "));
        let all = VARIABLES.iter().map(|variable| (variable, "")).chain(planned);
        for (variable, state) in all.filter(|(variable, _)| variable.group == group) {
            let (comment, value) = match variable.example {
                ExampleValue::FillIn(value) => ("", value),
                ExampleValue::Default(value) | ExampleValue::Example(value) => ("#", value),
            };
            text.push('\n');
            for line in wrapped(&format!("{state}{}", variable.meaning)) {
                text.push_str("# ");
                text.push_str(&line);
                text.push('\n');
            }
            text.push_str(&format!("{comment}{}={value}\n", variable.name));
        }
    }
    text
}

/// The tables of `docs/configuration.md`, one per section.
#[must_use]
pub fn reference() -> String {
    let mut text = String::new();
    for group in VariableGroup::ALL {
        text.push_str(&format!(
            "\n### {}\n\n| variable | default | meaning |\n| --- | --- | --- |\n",
            group.title()
        ));
        for variable in VARIABLES.iter().filter(|variable| variable.group == group) {
            let default = match variable.example {
                ExampleValue::Default(value) => format!("`{value}`"),
                ExampleValue::FillIn(_) | ExampleValue::Example(_) => "–".to_owned(),
            };
            let at_once = if is_reloadable(variable.name) { " Counts at once after SIGHUP." } else { "" };
            let meaning = variable.meaning.replace('|', "\\|").replace('<', "&lt;");
            text.push_str(&format!("| `{}` | {default} | {meaning}{at_once} |\n", variable.name));
        }
    }
    text.push('\n');
    text
}

/// Wraps `text` to lines of at most 100 characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].len() + 1 + word.len() > 100 {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests;
