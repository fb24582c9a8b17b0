//! Values of the model as JSON: words of closed sets, and times.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Timestamp;
use crate::model::dispatch::{BillingKind, NodeResource, ServerState, SupportAction};
use crate::model::{ApiKeyState, ApiRole, Category, Scope, Severity};

/// A closed set of the model, whose values are words in JSON.
pub(in crate::api) trait Words: Copy + fmt::Debug + 'static {
    /// Name and description of its schema.
    const SCHEMA: (&'static str, &'static str);

    /// All values.
    fn all() -> Vec<Self>;

    /// The word of a value.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident = $type:ident,)+) => {$(
        $(#[doc = $doc])+
        pub(in crate::api) type $name = Word<$type>;

        impl Words for $type {
            const SCHEMA: (&'static str, &'static str) = (stringify!($name), concat!($($doc),+));

            fn all() -> Vec<Self> {
                Self::ALL.to_vec()
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    )+};
}

words! {
    /// What a key may do; each role includes the ones after it.
    Role = ApiRole,
    /// Whether a key is accepted.
    KeyState = ApiKeyState,
    /// What a stored Discord webhook is for.
    WebhookCategory = Category,
    /// Whose messages a stored Discord webhook receives.
    WebhookScope = Scope,
    /// State of a server.
    NewServerState = ServerState,
    /// How bad an alert is.
    AlertSeverity = Severity,
    /// What happened to a support ticket.
    SupportTicketAction = SupportAction,
    /// A resource of a node.
    NodeAlertType = NodeResource,
    /// What a billing event is about.
    BillingType = BillingKind,
}

/// A word of the closed set `T`. Fields name it by its alias: `role: Role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Word<T>(pub(in crate::api) T);

impl<T: Words> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = T::all().into_iter().find(|value| value.word() == text);
        found.map(Self).ok_or_else(|| {
            let words: Vec<&str> = T::all().into_iter().map(T::word).collect();
            serde::de::Error::custom(format!("must be one of {}", words.join(", ")))
        })
    }
}

impl<T: Words> PartialSchema for Word<T> {
    fn schema() -> RefOr<Schema> {
        let words = T::all().into_iter().map(T::word);
        let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
        schema.description(Some(T::SCHEMA.1.trim())).into()
    }
}

impl<T: Words> ToSchema for Word<T> {
    fn name() -> Cow<'static, str> {
        T::SCHEMA.0.into()
    }
}

/// A time, as RFC 3339 text in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct ApiTime(pub(in crate::api) Timestamp);

impl Serialize for ApiTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for ApiTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = Timestamp::parse_rfc3339(&text).map(Self);
        time.ok_or_else(|| serde::de::Error::custom("must be a time like 2026-01-15T10:30:00Z"))
    }
}

impl PartialSchema for ApiTime {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, answered in UTC."))
            .examples(["2026-01-15T10:30:00Z"])
            .into()
    }
}

impl ToSchema for ApiTime {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Time")
    }
}
