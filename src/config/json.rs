//! JSON values that keep duplicate keys of objects, so that these can be refused by name.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::config::report::InvalidValue;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// A whole number that fits 64 bits.
    Whole(u64),
    /// Any other number.
    Number,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Parses the value of a variable.
pub(super) fn parse(text: &str) -> Result<Json, InvalidValue> {
    if text.trim_start().starts_with('\'') {
        return Err(InvalidValue::new(
            "starts with a single quote",
            "Remove the quotes around it: docker (--env-file) does not.",
        ));
    }
    // Errors of serde_json name what was expected and where; with a visitor that accepts anything, never the content.
    serde_json::from_str(text).map_err(|error| {
        let quotes = if text.contains('"') {
            "Check its brackets, commas and quotes."
        } else {
            "Its double quotes were lost on the way (a shell or container tool took them): put the whole value in single quotes."
        };
        InvalidValue::new(format!("is not JSON ({error})"), quotes)
    })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Whole(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_duplicate_keys_and_whole_numbers() {
        let text = |text: &str| text.to_owned();
        assert_eq!(
            parse(r#"{"a":18446744073709551615,"a":[null,true,-1,1.5]}"#),
            Ok(Json::Object(vec![
                (text("a"), Json::Whole(u64::MAX)),
                (text("a"), Json::List(vec![Json::Null, Json::Bool(true), Json::Number, Json::Number])),
            ]))
        );
    }

    #[test]
    fn tells_where_it_breaks_but_not_what_stands_there() {
        let wrong = parse("{canary:[1]}").unwrap_err();
        assert_eq!(wrong.what, "is not JSON (key must be a string at line 1 column 2)");
        assert!(wrong.fix.contains("single quotes"));
    }
}
