//! Values that callers send as text or as a number, and that are shown as written: ids, amounts, durations.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::model::dispatch::seconds;

/// A text, or a number.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::api) enum TextOrNumber {
    Text(String),
    Number(serde_json::Number),
}

impl TextOrNumber {
    /// As written.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }

    /// A duration: text as written, a number in seconds.
    pub(super) fn into_duration(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.as_f64().map_or_else(|| number.to_string(), seconds),
        }
    }
}

impl<'de> Deserialize<'de> for TextOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Number(number) => Ok(Self::Number(number)),
            _ => Err(serde::de::Error::custom("must be text or a number")),
        }
    }
}

impl PartialSchema for TextOrNumber {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Number]))
            .description(Some("Text, or a number, which is shown as written."))
            .into()
    }
}

impl ToSchema for TextOrNumber {}
