//! A streaming parser for bodies that uses hardly any memory: it checks everything, and keeps only what accepting
//! needs.
//!
//! Discarded parts are parsed as strictly as kept ones: a later parse of the same bytes finds valid JSON, and in it
//! what was found here. Of two fields with one name the later counts.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::payload::Scalar;
use crate::samples::MARK;

/// The fields of `data` that are needed before an event has a card.
pub(super) const NAMES: [&str; 11] = [
    "id",
    "asset_id",
    "seq_id",
    "source",
    "alert_type",
    "title",
    "message",
    "severity",
    "level",
    "priority",
    "company_name",
];

/// The values of the fields in [`NAMES`].
#[derive(Debug, Default)]
pub(super) struct DataFields<'a>([Scalar<'a>; NAMES.len()]);

impl<'a> DataFields<'a> {
    /// Looks up an id by the rules of `payload::id`.
    pub(super) fn id(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        names.iter().find_map(|name| self.0[index_of(name)?].id())
    }

    /// Looks up a text by the rules of `payload::text`.
    pub(super) fn text(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        names.iter().find_map(|name| self.0[index_of(name)?].text())
    }
}

fn index_of(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| *known == name)
}

/// The body's top level. Unknown keys are ignored; a duplicate of a key that decides what an event is gets the body
/// refused: two parsers might use different ones.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    pub(super) event_type: Option<Scalar<'a>>,
    pub(super) data: Option<DataFields<'a>>,
    pub(super) company_id: Option<Scalar<'a>>,
    pub(super) timestamp: Option<Scalar<'a>>,
    /// See [`MARK`].
    pub(super) sample: Option<Scalar<'a>>,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
                let mut envelope = Envelope::default();
                while let Some(FieldName(key)) = map.next_key()? {
                    match &*key {
                        "event_type" if envelope.event_type.is_some() => {
                            return Err(A::Error::duplicate_field("event_type"));
                        }
                        "data" if envelope.data.is_some() => return Err(A::Error::duplicate_field("data")),
                        "company_id" if envelope.company_id.is_some() => {
                            return Err(A::Error::duplicate_field("company_id"));
                        }
                        "timestamp" if envelope.timestamp.is_some() => {
                            return Err(A::Error::duplicate_field("timestamp"));
                        }
                        "event_type" => envelope.event_type = Some(map.next_value_seed(Keep::Scalar)?),
                        "data" => {
                            map.next_value_seed(Keep::Names(envelope.data.insert(DataFields::default())))?;
                        }
                        "company_id" => envelope.company_id = Some(map.next_value_seed(Keep::Scalar)?),
                        "timestamp" => envelope.timestamp = Some(map.next_value_seed(Keep::Scalar)?),
                        MARK if envelope.sample.is_some() => return Err(A::Error::duplicate_field(MARK)),
                        MARK => envelope.sample = Some(map.next_value_seed(Keep::Scalar)?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// A field's name, borrowed from the body unless it contains escapes.
#[derive(Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

/// What to keep of the value being parsed.
enum Keep<'s, 'a> {
    Nothing,
    Scalar,
    Names(&'s mut DataFields<'a>),
}

impl<'de> DeserializeSeed<'de> for Keep<'_, 'de> {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_, 'de> {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        // No JSON number is infinite.
        Ok(serde_json::Number::from_f64(number).map_or(Scalar::Other, Scalar::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(match self {
            Self::Scalar => Scalar::Text(Cow::Owned(text.to_owned())),
            Self::Nothing | Self::Names(_) => Scalar::Other,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar<'de>, A::Error> {
        while list.next_element_seed(Keep::Nothing)?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        if let Self::Names(values) = self {
            while let Some(FieldName(name)) = map.next_key()? {
                match index_of(&name) {
                    Some(index) => values.0[index] = map.next_value_seed(Keep::Scalar)?,
                    None => drop(map.next_value_seed(Keep::Nothing)?),
                }
            }
        } else {
            while map.next_key_seed(Keep::Nothing)?.is_some() {
                map.next_value_seed(Keep::Nothing)?;
            }
        }
        Ok(Scalar::Other)
    }
}
