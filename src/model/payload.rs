//! Tolerant reading of what platforms send: every field may be absent, null, empty or of another type.
//!
//! Nothing here fails. A scalar is read as text (`1001` and `"1001"` are equal); objects and arrays are not text.

mod hidden;
mod plain;
mod quoted;
mod xtsystems;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde_json::{Number, Value};

use crate::model::{RawBody, Severity, Source};

pub use hidden::{HIDDEN, is_secret, without_secrets};
pub use quoted::quoted;

/// The first of `names` whose value in `data` is non-blank text, a number or a boolean, trimmed.
#[must_use]
pub fn text(data: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| data.get(name).and_then(scalar))
}

/// A scalar as trimmed text; `None` for null, blank text, arrays and objects.
#[must_use]
pub fn scalar(value: &Value) -> Option<String> {
    Scalar::from(value).text().map(Cow::into_owned)
}

/// The first of `names` whose value is an id: see [`Scalar::id`].
#[must_use]
pub fn id(data: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| Scalar::from(data.get(name)?).id().map(Cow::into_owned))
}

/// A JSON value, reduced to its scalar.
#[derive(Debug, Default, PartialEq)]
pub enum Scalar<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number.
    Number(Number),
    /// A boolean.
    Bool(bool),
    /// Null, an array, an object, or absent.
    #[default]
    Other,
}

impl Scalar<'_> {
    /// The value as an id: a string, or an integer known to its last digit. From 2^64 up only about sixteen digits
    /// are kept: many ids would read alike, and none as it was written.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Number(number) if number.is_f64() => None,
            Self::Bool(_) => None,
            known => known.text(),
        }
    }

    /// The value as trimmed text; `None` if blank.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        let text = match self {
            Self::Text(text) => Cow::Borrowed(text.trim()),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Other => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Other,
        }
    }
}

/// The part of a body that describes what happened: an object, or whatever the source sent instead. Each source has its
/// own reader. Parsed lazily, on first access: during a storm, many events are never parsed.
#[derive(Clone)]
pub struct Payload {
    source: Source,
    body: RawBody,
    value: OnceLock<Value>,
    severity: OnceLock<Option<Severity>>,
}

impl Payload {
    /// The payload of a `body` that `source` sent.
    #[must_use]
    pub const fn of(source: Source, body: RawBody) -> Self {
        Self { source, body, value: OnceLock::new(), severity: OnceLock::new() }
    }

    /// A payload of `source` that is parsed already.
    #[must_use]
    pub fn parsed(source: Source, data: Value) -> Self {
        Self { source, body: RawBody::new(""), value: OnceLock::from(data), severity: OnceLock::new() }
    }

    /// Sets the severity, where the caller knows it already.
    #[must_use]
    pub fn with_severity(self, severity: Option<Severity>) -> Self {
        Self { severity: OnceLock::from(severity), ..self }
    }

    /// Severity, if the event has a known one.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        *self.severity.get_or_init(|| match self.source {
            Source::XtSystems | Source::Nuncio | Source::Dispatch => xtsystems::severity(self),
        })
    }
}

impl Deref for Payload {
    type Target = Value;

    fn deref(&self) -> &Value {
        // The body was readable when it was accepted; if it no longer is, the card shows what remains.
        let read = || match self.source {
            // nuncio writes its own events and dispatches in XTSystems' format.
            Source::XtSystems | Source::Nuncio | Source::Dispatch => xtsystems::data(self.body.as_bytes()),
        };
        self.value.get_or_init(|| read().unwrap_or_default())
    }
}

impl fmt::Debug for Payload {
    /// Shows the length only: bodies hold customers' data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_when_somebody_asks_and_once() {
        let body = r#"{"x":1,"data":{"id":7,"level":"high"}}"#;
        let payload = Payload::of(Source::XtSystems, RawBody::new(body));
        assert!(payload.value.get().is_none());
        let known = payload.clone().with_severity(Some(Severity::Info));
        assert_eq!(known.severity(), Some(Severity::Info), "it is taken at its word");
        assert!(known.value.get().is_none(), "nobody asked for more");
        assert_eq!((payload.severity(), &payload["id"]), (Some(Severity::Error), &Value::from(7)));
        assert!(std::ptr::eq(&*payload, &*payload));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("{}")]
    #[case(r#"{"data":{"id":7}"#)]
    #[case(r#"[{"data":7}]"#)]
    fn of_a_spoilt_body_nothing_is_known(#[case] body: &'static str) {
        let payload = Payload::of(Source::XtSystems, RawBody::new(body));
        assert_eq!((&*payload, payload.severity()), (&Value::Null, None));
    }
}
