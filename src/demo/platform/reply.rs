//! Requests and answers of the platform's API, between HTTP and the model.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer of the API.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiReply {
    pub(super) status: u16,
    pub(super) body: Value,
    /// The allowed methods of the path, for a 405.
    pub(super) allow: Option<&'static str>,
}

impl ApiReply {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body, allow: None }
    }

    pub(super) fn created(body: Value) -> Self {
        Self { status: 201, body, allow: None }
    }

    /// An error in the platform's format.
    pub(super) fn detail(status: u16, detail: &str) -> Self {
        Self { status, body: json!({"detail": detail}), allow: None }
    }

    /// A 405, in the format of the platform's framework.
    pub(super) fn not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::detail(405, "Method Not Allowed") }
    }
}

impl IntoResponse for ApiReply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (status, json, self.body.to_string()).into_response();
        if let Some(allow) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

/// The request body as JSON: null if it is empty, an error answer if it is not JSON.
pub(super) fn json_of(bytes: &Bytes) -> Result<Value, ApiReply> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|_| ApiReply::detail(422, "the body is not JSON"))
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
