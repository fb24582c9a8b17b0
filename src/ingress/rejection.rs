//! What a sender sees when a request is refused: one bare sentence, and nothing about us.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// When a sender that met a store that cannot write should come back.
const RETRY_AFTER_S: &str = "5";

/// Why a request was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// A signature header is missing or empty.
    Unsigned,
    /// The timestamp is well formed and outside the window.
    TooOld,
    /// Anything else about the signature.
    BadSignature,
    /// Signed, but not what it should be.
    BadJson,
    TooLarge,
    UnsupportedMedia,
    /// The body did not arrive in time.
    TooSlow,
    /// Its head can be read in two ways.
    Malformed,
    /// Its address has used up its share.
    TooMany {
        /// When to come back: at least 1.
        retry_after_s: u64,
    },
    /// Nothing is received here.
    NotFound,
    /// The store cannot write.
    Unavailable,
}

/// `{"error": "…"}`.
#[derive(Serialize)]
pub(super) struct Sentence {
    error: &'static str,
}

impl Sentence {
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
        let mut response = (status, Json(Sentence::new(error))).into_response();
        match self {
            Self::Unavailable => {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER_S));
            }
            Self::TooMany { retry_after_s } => {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(retry_after_s));
            }
            // What is left of the body is not read: the connection cannot be used again.
            Self::TooLarge | Self::TooSlow | Self::Malformed => {
                response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}
