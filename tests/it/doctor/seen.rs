//! The output of one `nuncio doctor --json`, read and checked for its shape.

use serde_json::Value;

/// Exit code and output of `nuncio doctor --json`.
pub struct Seen {
    pub code: i32,
    /// The codes that are not ok.
    pub wrong: Vec<String>,
    pub text: String,
}

impl Seen {
    pub fn of(code: i32, text: &str) -> Self {
        // What else it says to a person comes behind it.
        let text = text.lines().next().unwrap_or_default().to_owned();
        let said: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let checks = said["checks"].as_array().unwrap();
        assert_eq!(said["ok"], checks.iter().all(|check| check["state"] != "fail"), "{text}");
        let wrong = checks.iter().filter(|check| check["state"] != "ok").inspect(|check| {
            assert!(check["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{check}");
        });
        let wrong = wrong.map(|check| check["code"].as_str().unwrap().to_owned()).collect();
        Seen { code, wrong, text }
    }
}
