//! Problems: the only error body of the API (RFC 9457, `application/problem+json`), and its mapping from the hub's errors.
//!
//! A problem says what is wrong and what to do. It never holds a secret, a stored address or an inner error: those are
//! logged where they are handled, with the request's id.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::hub::{Conflict, Error};

/// The media type of a problem.
pub(in crate::api) const PROBLEM_JSON: &str = "application/problem+json";
/// `Retry-After` if the first request is not answered yet, in seconds.
const IN_FLIGHT_RETRY_S: u64 = 2;
/// `Retry-After` if the database cannot be used, in seconds.
const UNAVAILABLE_RETRY_S: u64 = 5;

/// Longest pointer and message of a fault, in bytes.
const LONGEST_TEXT: usize = 600;

macro_rules! codes {
    ($($(#[doc = $means:literal])+ $variant:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// The kind of a problem, as a word that programs compare.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::api) enum Code {
            $($(#[doc = $means])+ $variant,)+
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub(in crate::api) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word.
            pub(in crate::api) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Its HTTP status.
            pub(in crate::api) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// A short title, alike for all problems of this kind.
            pub(in crate::api) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What it means and what to do, for the documentation.
            pub(in crate::api) const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($means),+),)+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON. Nothing was read of it.
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not JSON";
    /// A query parameter is unknown, twice there, or not readable.
    InvalidQuery = "invalid_query", BAD_REQUEST, "The query is not valid";
    /// The cursor is of another list, another filter or another key, or was changed. Start again without it.
    InvalidCursor = "invalid_cursor", BAD_REQUEST, "The cursor is not valid";
    /// A header is twice there or malformed.
    InvalidHeader = "invalid_header", BAD_REQUEST, "A header is not valid";
    /// There is no API key, or it is unknown, revoked or expired. `nuncio keys create` makes one.
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid API key is needed";
    /// A key was sent in the query string, where logs and histories keep it. Send it as a header, and rotate that key.
    KeyInQuery = "key_in_query", UNAUTHORIZED, "An API key does not belong into the query string";
    /// The key's role may not do this.
    Forbidden = "forbidden", FORBIDDEN, "The key may not do this";
    /// Nothing has this address, or the key may not see it.
    NotFound = "not_found", NOT_FOUND, "Not found";
    /// The path exists, but not with this method; `Allow` names those that do.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body did not arrive whole.
    Incomplete = "incomplete_body", BAD_REQUEST, "The body did not arrive whole";
    /// The current state does not allow it; `detail` says why.
    Conflict = "conflict", CONFLICT, "Conflict";
    /// It exists already, as `id`.
    AlreadyExists = "already_exists", CONFLICT, "It exists already";
    /// The first request with this `Idempotency-ApiKeyView` is not answered yet. Try again after `Retry-After`.
    InFlight = "in_flight", CONFLICT, "The first request is not answered yet";
    /// The body is longer than 1 MiB.
    TooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is not sent as `application/json`, or it is compressed.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported media type";
    /// Values of the body are not valid; `errors` names each with its JSON pointer.
    InvalidBody = "invalid_body", UNPROCESSABLE_ENTITY, "The body is not valid";
    /// This `Idempotency-ApiKeyView` was used for another request. Use a new key for each thing to do.
    KeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request";
    /// More requests than `API_RATE_LIMIT` allows. Try again after `Retry-After`.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    /// A mistake in nuncio. The log has the reason under `request_id`.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
    /// The database cannot be used at the moment. Try again after `Retry-After`.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Temporarily unavailable";
}

/// One fault of a request: where it is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::api) struct Fault {
    /// Where: a JSON pointer into the body (`/embed/title`), `?name` for a query parameter, the name of a header.
    pub(in crate::api) pointer: String,
    /// The kind of the fault: `missing`, `wrong_type`, `unknown_field`, `duplicate_field`, `unknown_word`, `invalid`.
    pub(in crate::api) code: &'static str,
    /// A sentence for a person.
    pub(in crate::api) message: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub(in crate::api) fn new(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { pointer: shortened(pointer.into()), code, message: shortened(message.into()) }
    }
}

/// Names of fields come from the body: however long they are, a problem is not.
fn shortened(text: String) -> String {
    if text.len() <= LONGEST_TEXT {
        text
    } else {
        text.chars().take(LONGEST_TEXT / 4).chain(['…']).collect()
    }
}

/// Why a request failed. The layer in `envelope.rs` writes its body, which names the request's id.
#[derive(Clone, Debug)]
pub(in crate::api) struct ProblemDetails {
    code: Code,
    detail: String,
    errors: Vec<Fault>,
    id: Option<String>,
    retry_after_s: Option<u64>,
}

/// The body of a problem (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "/docs#invalid_body",
    "title": "The body is not valid",
    "status": 422,
    "detail": "1 value is not valid: /name.",
    "code": "invalid_body",
    "request_id": "req_0193f2c1a5b07c3e9d1f4a6b8c0d2e4f",
    "errors": [{"pointer": "/name", "code": "missing", "message": "\"name\" is missing"}],
}))]
pub(in crate::api) struct ProblemBody<'a> {
    /// Where the kind of problem is explained.
    r#type: String,
    /// A short title, alike for all problems of this kind.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong here and what to do, for a person.
    detail: &'a str,
    /// The kind of problem, for programs.
    code: &'a str,
    /// The id of the request, as in `X-Request-Id` and in the log.
    request_id: &'a str,
    /// Every fault of the request.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Fault],
    /// The id of what exists already.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl ProblemDetails {
    /// A problem that `detail` explains.
    pub(in crate::api) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), id: None, retry_after_s: None }
    }

    /// Faults of the body, all at once.
    pub(in crate::api) fn invalid_body(errors: Vec<Fault>) -> Self {
        Self::faults(Code::InvalidBody, errors)
    }

    /// A fault of the query or of a header.
    pub(in crate::api) fn faults(code: Code, errors: Vec<Fault>) -> Self {
        let named: Vec<&str> = errors.iter().map(|fault| fault.pointer.as_str()).take(5).collect();
        let more = if errors.len() > named.len() { ", …" } else { "" };
        let counted = if errors.len() == 1 { "1 value is" } else { &format!("{} values are", errors.len()) };
        let named: Vec<&str> =
            named.into_iter().map(|name| if name.is_empty() { "the body itself" } else { name }).collect();
        let detail = format!("{counted} not valid: {}{more}.", named.join(", "));
        Self { errors, ..Self::new(code, detail) }
    }

    /// Nothing is there, or the key may not see it: the two look alike.
    pub(in crate::api) fn not_found() -> Self {
        Self::new(Code::NotFound, "Nothing has this address, or this key may not see it.")
    }

    /// A mistake of ours, which was logged.
    pub(in crate::api) fn internal() -> Self {
        Self::new(
            Code::Internal,
            "nuncio failed to answer this request. Its log says why, under the request_id.",
        )
    }

    /// `detail`, with the seconds after which the same request may succeed.
    pub(in crate::api) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// With the id of what exists already.
    pub(in crate::api) fn with_id(mut self, id: impl std::fmt::Display) -> Self {
        self.id = Some(id.to_string());
        self
    }

    /// Its kind.
    pub(in crate::api) const fn code(&self) -> Code {
        self.code
    }

    /// The response, as the request `request_id` receives it.
    pub(in crate::api) fn write(&self, request_id: &str) -> Response {
        let body = ProblemBody {
            r#type: format!("/docs#{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            request_id,
            errors: &self.errors,
            id: self.id.as_deref(),
        };
        // A struct of texts and numbers is always JSON.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.code.status(), [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let mut set = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
        if self.code.status() == StatusCode::UNAUTHORIZED {
            set(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"nuncio\""));
        }
        if let Some(seconds) = self.retry_after_s {
            set(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self.code, Code::TooLarge | Code::Incomplete) {
            // The rest of the body stays unread, so the connection cannot be used again.
            set(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The hub words its errors for the middle of a line.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

impl From<Error> for ProblemDetails {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(text) => Self::new(Code::NotFound, sentence(&text)),
            Error::Invalid { field, reason } => {
                Self::invalid_body(vec![Fault::new(format!("/{field}"), "invalid", reason)])
            }
            Error::Forbidden(refusal) => Self::new(Code::Forbidden, sentence(&refusal.to_string())),
            Error::Conflict(Conflict::Stored(id)) => {
                Self::new(Code::AlreadyExists, format!("This webhook is stored already, as {id}."))
                    .with_id(id)
            }
            Error::Conflict(Conflict::OtherBody) => {
                Self::new(Code::KeyReused, sentence(&Conflict::OtherBody.to_string()))
            }
            Error::Conflict(Conflict::InFlight) => {
                Self::new(Code::InFlight, sentence(&Conflict::InFlight.to_string()))
                    .retry_after(IN_FLIGHT_RETRY_S)
            }
            Error::Conflict(conflict) => Self::new(Code::Conflict, sentence(&conflict.to_string())),
            Error::Unavailable(error) => {
                tracing::warn!(%error, "a request of the API failed: the database cannot be used");
                Self::unavailable()
            }
        }
    }
}

impl From<crate::store::Error> for ProblemDetails {
    fn from(error: crate::store::Error) -> Self {
        Error::from(error).into()
    }
}

impl ProblemDetails {
    fn unavailable() -> Self {
        Self::new(Code::Unavailable, "nuncio's database cannot be used at the moment. Try again soon.")
            .retry_after(UNAVAILABLE_RETRY_S)
    }
}
