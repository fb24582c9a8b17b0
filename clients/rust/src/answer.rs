//! Reading JSON that may be anything: another server's answer, a later nuncio's, a broken one. A field that is not as
//! expected is absent, and costs no other field.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// A JSON object, its fields not read yet.
#[derive(Default)]
pub(crate) struct Object(HashMap<String, Box<RawValue>>);

impl Object {
    /// `None`: no JSON, or no object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.get()).filter(|value| *value != "null")
    }

    /// A field that is a text.
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// A field for a person: a text as it is, anything else as JSON.
    pub(crate) fn shown(&self, name: &str) -> Option<String> {
        self.string(name).or_else(|| self.raw(name).map(str::to_owned))
    }

    /// A number of any size: `1e400` is one.
    pub(crate) fn is_number(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| value.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
    }

    /// A number that counts something, else 0.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let value = self.raw(name).and_then(|value| serde_json::from_str::<f64>(value).ok());
        // Up to there every integer is exact.
        let counts = |value: &f64| value.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(value);
        value.filter(counts).map_or(0, |value| value as u64)
    }

    /// The objects of a list. What is none has no fields.
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        let list: Vec<Box<RawValue>> =
            self.raw(name).and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default();
        list.iter().map(|value| Self::parse(value.get()).unwrap_or_default()).collect()
    }
}
