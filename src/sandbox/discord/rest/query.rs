//! Query strings of requests.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::Uri;
use serde_json::{Map, Value};

use super::Call;

/// Whether the query sets `key` to true (Discord: "Boolean Query Strings").
pub(super) fn flag(query: &Map<String, Value>, key: &str) -> bool {
    query.get(key).and_then(Value::as_str).is_some_and(|text| matches!(text, "true" | "True" | "1"))
}

/// The query's keys and values.
pub(super) fn query(call: &Call) -> Map<String, Value> {
    let uri: Uri = format!("/?{}", call.query).parse().unwrap_or_default();
    let pairs = Query::<HashMap<String, String>>::try_from_uri(&uri);
    pairs
        .map(|Query(pairs)| pairs)
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect()
}
