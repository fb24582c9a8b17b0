//! Authentication: exactly one API key, in a header, for every path below `/v1`.
//!
//! It is a layer, so that no route can forget it: a handler that runs has a [`Principal`]. A request that fails here is
//! charged to its address, since there is no key that it could be charged to.

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::api::problem::{Code, ProblemDetails};
use crate::api::state::ApiState;
use crate::model::{ClientAddress, Principal};
use crate::secret::Secret;

/// The other header that may carry the key.
const X_API_KEY: &str = "x-api-key";
/// How a stored key begins.
const KEY_PREFIX: &str = "nun_";
/// Query parameters by which keys are sent elsewhere.
const KEY_PARAMETERS: [&str; 7] =
    ["access_token", "api-key", "api_key", "apikey", "authorization", "token", X_API_KEY];

/// Lets requests with a valid key pass, as its [`Principal`].
pub(in crate::api) async fn authenticate(
    State(api): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    match principal(&api, request.uri(), request.headers()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(problem) if problem.code() == Code::Unavailable => problem.into_response(),
        Err(problem) => {
            let client = request.extensions().get::<ClientAddress>().copied();
            api.limits
                .charge(api.hub.api_config().rate_limit, client)
                .err()
                .unwrap_or(problem)
                .into_response()
        }
    }
}

/// Lets as many requests of each key pass as `API_RATE_LIMIT` says.
pub(in crate::api) async fn limit(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    api.limits.pass(api.hub.api_config().rate_limit, request, next).await
}

async fn principal(api: &ApiState, uri: &Uri, headers: &HeaderMap) -> Result<Principal, ProblemDetails> {
    if has_key(uri) {
        let detail = "This request has an API key in its query string, where logs and histories keep it. Send it as \
                      Authorization: Bearer, and rotate that key: nuncio keys rotate.";
        return Err(ProblemDetails::new(Code::KeyInQuery, detail));
    }
    let given = given_key(headers)?;
    api.hub.authenticate(&given).await?.ok_or_else(|| {
        let detail = "This API key is unknown, revoked or expired. nuncio keys list shows the keys, nuncio keys create \
                      makes one.";
        ProblemDetails::new(Code::Unauthorized, detail)
    })
}

/// The key of the request: from one header, which is there once.
fn given_key(headers: &HeaderMap) -> Result<Secret, ProblemDetails> {
    let unauthorized = |detail: &str| ProblemDetails::new(Code::Unauthorized, detail);
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| (bearer as Reading, value));
    let plain = headers.get_all(X_API_KEY).iter().map(|value| (text as Reading, value));
    let mut given = bearer.chain(plain);
    let (read, value) = given.next().ok_or_else(|| {
        unauthorized(
            "This needs an API key, as Authorization: Bearer … or X-API-Key: …. nuncio keys create makes one.",
        )
    })?;
    if given.next().is_some() {
        return Err(unauthorized("This request has several API keys: send one, in one header."));
    }
    read(value).filter(|key| !key.is_empty()).map(Secret::new).ok_or_else(|| {
        unauthorized("The header holds no API key: it is Authorization: Bearer, one space, and the key.")
    })
}

type Reading = fn(&HeaderValue) -> Option<&str>;

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, key) = text(value)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

/// Whether the query string holds a key. Any value that looks like one counts.
fn has_key(uri: &Uri) -> bool {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return false };
    pairs.iter().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        KEY_PARAMETERS.contains(&name.as_str()) || value.contains(KEY_PREFIX) || name.contains(KEY_PREFIX)
    })
}
