//! Redaction of secrets in what platforms send: a value whose field name suggests a secret is never shown on Discord.

use serde_json::Value;

/// Replacement text for a redacted value.
pub const HIDDEN: &str = "(hidden)";

/// Words in a field name that mark its value as secret. `pass` alone is not one: tests pass.
const SECRETS: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "key",
    "keys",
    "credential",
    "credentials",
    "authorization",
    "cookie",
];
/// Endings that mark a secret in names without separators.
const ENDS: [&str; 6] = ["password", "passwd", "secret", "token", "apikey", "passphrase"];

/// Whether a field name marks a secret: `api_key`, `accessToken`, `DB-PASSWORD`, but not `keyboard`.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    words(name).iter().any(|word| {
        let word = word.trim_end_matches(|last: char| last.is_ascii_digit());
        SECRETS.contains(&word) || ENDS.iter().any(|end| word.ends_with(end))
    })
}

/// `value` with every secret redacted, at any depth, and whether there was one.
#[must_use]
pub fn without_secrets(value: &Value) -> (Value, bool) {
    match value {
        Value::Object(fields) => {
            let mut any = false;
            let shown = fields.iter().map(|(name, value)| {
                let (shown, has) = match is_secret(name) && !value.is_null() {
                    true => (HIDDEN.into(), true),
                    false => without_secrets(value),
                };
                any |= has;
                (name.clone(), shown)
            });
            (Value::Object(shown.collect()), any)
        }
        Value::Array(items) => {
            let (shown, has): (Vec<Value>, Vec<bool>) = items.iter().map(without_secrets).unzip();
            (shown.into(), has.contains(&true))
        }
        scalar => (scalar.clone(), false),
    }
}

/// The lower-case words of a name: `apiKey` and `API_KEY` are "api" and "key".
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase() || letter.is_numeric();
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[rstest::rstest]
    #[case("password", true)]
    #[case("DB-PASSWORD", true)]
    #[case("userPassword2", true)]
    #[case("api_key", true)]
    #[case("apiKey", true)]
    #[case("APIKEY", true)]
    #[case("access_token", true)]
    #[case("accesstoken", true)]
    #[case("X-Auth-Token", true)]
    #[case("client secret", true)]
    #[case("key", true)]
    #[case("keyboard", false)]
    #[case("monkey", false)]
    #[case("compass", false)]
    #[case("secretary", false)]
    #[case("title", false)]
    #[case("", false)]
    fn a_name_says_whether_its_value_is_a_secret(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_secret(name), expected);
    }

    #[test]
    fn secrets_are_hidden_at_any_depth() {
        let received = json!({"host": "a", "login": {"user": "bob", "password": "x"}, "list": [{"token": [1]}], "key": null});
        let shown = json!({"host": "a", "login": {"user": "bob", "password": "(hidden)"}, "list": [{"token": "(hidden)"}], "key": null});
        assert_eq!(without_secrets(&received), (shown, true));
        assert_eq!(without_secrets(&json!([1, {"a": "b"}])), (json!([1, {"a": "b"}]), false));
    }
}
