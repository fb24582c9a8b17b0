//! Role pings: `PING`, such as `{"alert.triggered>=error":["ROLE_ID"],"machine.registered":["ROLE_ID"]}`.

use crate::config::ids;
use crate::config::json::{self, Json};
use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::model::Severity;
use crate::model::ping::{PingRule, Pings};
use crate::model::route::{Pattern, is_pattern};

const PING: &str = "PING";
const SHAPE: &str =
    r#"It looks like {"alert.triggered>=error":["ROLE_ID"],"machine.registered":["ROLE_ID"]}."#;

pub(super) fn read(reader: &mut Reader<'_>) -> Pings {
    let entries = match reader.optional(PING, json::parse) {
        Some(Json::Object(entries)) => entries,
        Some(_) => {
            reader.problem(PING, InvalidValue::new("is not a JSON object", SHAPE));
            return Pings::default();
        }
        None => return Pings::default(),
    };
    let mut rules: Vec<PingRule> = Vec::new();
    for (at, (key, value)) in entries.iter().enumerate() {
        let rule = if entries[..at].iter().any(|(earlier, _)| earlier == key) {
            Err(InvalidValue::new("is there twice", "Keep one of them; a key may have a list of roles."))
        } else {
            rule(reader, key, value)
        };
        match rule {
            Ok(rule) => rules.push(rule),
            Err(wrong) => reader
                .problem(PING, InvalidValue::new(format!("at {key:?}: this key {}", wrong.what), wrong.fix)),
        }
    }
    Pings::new(rules)
}

fn rule(reader: &mut Reader<'_>, key: &str, value: &Json) -> Result<PingRule, InvalidValue> {
    let (pattern, word) = key.split_once(">=").map_or((key, None), |(pattern, word)| (pattern, Some(word)));
    if !is_pattern(pattern.trim()) {
        return Err(InvalidValue::new("names no kind of event", SHAPE));
    }
    let at_least = word
        .map(|word| {
            Severity::from_word(word).ok_or_else(|| {
                InvalidValue::new(
                    "has a severity that nuncio does not know",
                    "Severities are info, warning, error and critical.",
                )
            })
        })
        .transpose()?;
    let found = ids::roles(value).map_err(|what| InvalidValue::new(what, SHAPE))?;
    if found.placeholders > 0 {
        reader.placeholder(format!("{PING} at {key:?}"));
    }
    if found.is_imprecise {
        reader.note(format!("{PING} at {key:?}: a role id is a number without quotes; most tools round numbers that large, so check it and put it in quotes"));
    }
    Ok(PingRule { pattern: Pattern::new(pattern.trim()), at_least, roles: found.ids })
}
