//! Answers of requests that are carried out once (`Idempotency-ApiKeyView`): the form in which they are kept, and repeated.

use axum::Json;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::problem::{Code, Fault, ProblemDetails};
use crate::model::{IdempotencyClaim, Idempotent, Once, Principal};

/// The header that makes a request safe to repeat.
pub(in crate::api) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Set on an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Maximum length of a key.
const LONGEST_KEY: usize = 255;

/// A status and a JSON body, which can be kept as bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::api) struct ApiAnswer {
    status: u16,
    body: Value,
    #[serde(skip)]
    is_repeated: bool,
}

impl ApiAnswer {
    /// An answer with this body.
    pub(in crate::api) fn new(status: StatusCode, body: &impl Serialize) -> Self {
        // Answers are structs of texts and numbers: always JSON.
        let body = serde_json::to_value(body).unwrap_or_default();
        Self { status: status.as_u16(), body, is_repeated: false }
    }

    /// A use case's claim: the answer to its result, made by `view`, is kept with the change.
    pub(in crate::api) fn keep<M, V: Serialize>(
        claim: IdempotencyClaim,
        status: StatusCode,
        view: impl Fn(&M) -> V + Send + Sync + 'static,
    ) -> Once<M> {
        Once::new(claim, move |made| Self::new(status, &view(made)).to_bytes())
    }

    /// The answer to what a use case has done, now or before.
    pub(in crate::api) fn of<M, V: Serialize>(
        done: Idempotent<M>,
        status: StatusCode,
        view: impl Fn(&M) -> V,
    ) -> Result<Self, ProblemDetails> {
        match done {
            Idempotent::Done(made) => Ok(Self::new(status, &view(&made))),
            Idempotent::Before(kept) => Self::from_bytes(&kept),
        }
    }

    /// The form in which it is kept.
    pub(in crate::api) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// An answer that was kept.
    pub(in crate::api) fn from_bytes(kept: &[u8]) -> Result<Self, ProblemDetails> {
        match serde_json::from_slice::<Self>(kept) {
            Ok(answer) => Ok(Self { is_repeated: true, ..answer }),
            Err(_) => {
                tracing::error!(
                    "the answer that was kept for an Idempotency-Key is not one of this version's"
                );
                Err(ProblemDetails::internal())
            }
        }
    }
}

impl IntoResponse for ApiAnswer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, Json(self.body)).into_response();
        if self.is_repeated {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// The claim of a request with the header `Idempotency-ApiKeyView`.
///
/// # Errors
/// If the header is there twice, empty, too long, or not of visible ASCII characters.
pub(in crate::api) fn claim(head: &Parts, body: &[u8]) -> Result<Option<IdempotencyClaim>, ProblemDetails> {
    let Some(key) = key(&head.headers)? else { return Ok(None) };
    let principal = head.extensions.get::<Principal>().and_then(|principal| principal.key);
    let path = head.uri.path_and_query().map_or_else(|| head.uri.path(), |path| path.as_str());
    Ok(Some(IdempotencyClaim::new(key, principal, head.method.as_str(), path, body)))
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, ProblemDetails> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| {
        second.is_none()
            && (1..=LONGEST_KEY).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    key.map(Some).ok_or_else(|| {
        let message = format!(
            "must be there once, as 1 to {LONGEST_KEY} visible ASCII characters, for instance a UUID"
        );
        ProblemDetails::faults(Code::InvalidHeader, vec![Fault::new("Idempotency-Key", "invalid", message)])
    })
}
