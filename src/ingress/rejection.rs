//! HTTP responses for refused requests: one bare sentence, and no internal details.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// `Retry-After` if the store cannot write, in seconds.
const RETRY_AFTER_S: &str = "5";

/// Why a request was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// A signature header is missing or empty.
    Unsigned,
    /// The timestamp is well formed and outside the window.
    TooOld,
    /// Any other problem with the signature.
    BadSignature,
    /// The signature is valid, the body is not an event.
    BadJson,
    TooLarge,
    UnsupportedMedia,
    /// The body did not arrive in time.
    TooSlow,
    /// The framing is ambiguous.
    Malformed,
    /// The client exceeded its rate limit.
    TooMany {
        /// `Retry-After` in seconds: at least 1.
        retry_after_s: u64,
    },
    /// Unknown path.
    NotFound,
    /// The store cannot write.
    Unavailable,
}

/// `{"error": "…"}`.
#[derive(Serialize)]
pub(super) struct ErrorBody {
    error: &'static str,
}

impl ErrorBody {
    pub(super) fn new(error: &'static str) -> Self {
        Self { error }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Unsigned => (StatusCode::UNAUTHORIZED, "Missing signature or timestamp"),
            Self::TooOld => (StatusCode::UNAUTHORIZED, "Timestamp too old"),
            Self::BadSignature => (StatusCode::UNAUTHORIZED, "Invalid signature"),
            Self::BadJson => (StatusCode::BAD_REQUEST, "Invalid JSON"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Payload too large"),
            Self::UnsupportedMedia => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Request timeout"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "Bad request"),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many requests from this IP"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable"),
        };
        let mut response = (status, Json(ErrorBody::new(error))).into_response();
        match self {
            Self::Unavailable => {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER_S));
            }
            Self::TooMany { retry_after_s } => {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(retry_after_s));
            }
            // The rest of the body stays unread, so the connection cannot be reused.
            Self::TooLarge | Self::TooSlow | Self::Malformed => {
                response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}
