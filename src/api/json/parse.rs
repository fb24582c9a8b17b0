//! Reads JSON text into a value: duplicate keys, NUL and nesting beyond [`DEEPEST`] are faults.
//!
//! `serde_json` by itself lets the last of two equal keys win. What one reader takes from the first and another from the
//! last is how a check is passed by.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::api::json::pointer::Pointer;
use crate::api::problem::{Code, Fault, ProblemDetails};

/// Maximum nesting of arrays and objects.
const DEEPEST: usize = 32;
/// Maximum number of faults in one problem.
pub(super) const MOST_FAULTS: usize = 50;

/// Reads a body; an empty one counts as `{}`. The faults leave a value that can be checked further.
///
/// # Errors
/// If it is not JSON, or too deep.
pub(super) fn parse(bytes: &[u8]) -> Result<(Value, Vec<Fault>), ProblemDetails> {
    if bytes.trim_ascii().is_empty() {
        return Ok((Value::Object(Map::new()), Vec::new()));
    }
    let mut reading = Reading::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = reading.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    match value {
        Ok(value) => Ok((value, reading.faults)),
        Err(_) if reading.too_deep => Err(ProblemDetails::invalid_body(reading.faults)),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let detail = format!("The body is not JSON: see line {line}, column {column}.");
            Err(ProblemDetails::new(Code::InvalidJson, detail))
        }
    }
}

#[derive(Default)]
struct Reading {
    at: Pointer,
    depth: usize,
    too_deep: bool,
    faults: Vec<Fault>,
}

impl Reading {
    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    fn nest<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth <= DEEPEST {
            return Ok(());
        }
        self.too_deep = true;
        let message = format!("nested more than {DEEPEST} levels deep");
        self.faults = vec![Fault::new(self.at.as_str(), "too_deep", message)];
        Err(E::custom("too deep"))
    }

    fn check(&mut self, text: &str) {
        // PostgreSQL stores no NUL, so nuncio takes none.
        if text.contains('\0') {
            self.fault(Fault::new(self.at.as_str(), "invalid", "must not contain the character NUL"));
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reading {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        self.check(text);
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.nest()?;
        let mut all = Vec::new();
        loop {
            let length = self.at.enter(all.len());
            let item = items.next_element_seed(&mut *self)?;
            self.at.leave(length);
            match item {
                Some(item) => all.push(item),
                None => break,
            }
        }
        self.depth -= 1;
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.nest()?;
        let mut all = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let length = self.at.enter(&key);
            self.check(&key);
            let value = members.next_value_seed(&mut *self)?;
            if all.contains_key(&key) {
                self.fault(Fault::new(
                    self.at.as_str(),
                    "duplicate_field",
                    format!("{key:?} is there twice"),
                ));
            }
            self.at.leave(length);
            all.insert(key, value);
        }
        self.depth -= 1;
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(String, &'static str)> {
        let faults = match parse(text.as_bytes()) {
            Ok((_, faults)) => faults,
            Err(problem) => return vec![(String::new(), problem.code().as_str())],
        };
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn what_json_says_twice_is_a_fault_wherever_it_is() {
        assert_eq!(
            faults(r#"{"a":1,"b":[{"c":1,"c":2}],"a":2}"#),
            [("/b/0/c".to_owned(), "duplicate_field"), ("/a".to_owned(), "duplicate_field")]
        );
        assert_eq!(faults("{\"a\":\"x\\u0000\"}"), [("/a".to_owned(), "invalid")]);
        assert_eq!(faults(""), []);
        assert_eq!(faults("{} {}"), [(String::new(), "invalid_json")]);
        assert_eq!(faults("{'a':1}"), [(String::new(), "invalid_json")]);
    }

    // A-10
    #[test]
    fn depth_ends_at_32_and_never_the_stack() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(faults(&nested(32)), []);
        assert_eq!(faults(&nested(33)), [(String::new(), "invalid_body")]);
        assert_eq!(faults(&nested(500_000)), [(String::new(), "invalid_body")]);
        assert_eq!(faults(&"{\"a\":".repeat(100_000)), [(String::new(), "invalid_body")]);
    }

    #[test]
    fn a_value_is_read_as_serde_json_reads_it() {
        let text = r#"{"b":[1,-2,0.5,1e400,null,true,"\u00e9"],"a":{"":18446744073709551615}}"#;
        let text = text.replace("1e400,", "");
        let (value, _) = parse(text.as_bytes()).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
    }
}
