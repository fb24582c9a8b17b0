//! Query strings, read as strictly as bodies.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::api::problem::{Code, Fault, ProblemDetails};
use crate::api::suggest;

/// The query of a request. Unknown and repeated parameters are refused.
pub(in crate::api) struct ApiQuery<T>(pub(in crate::api) T);

impl<S: Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        read(&parts.uri, &pairs(&parts.uri)?, &[]).map(Self)
    }
}

/// The parameters of a query, decoded.
pub(in crate::api) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, ProblemDetails> {
    Query::try_from_uri(uri)
        .map(|Query(pairs)| pairs)
        .map_err(|_| ProblemDetails::new(Code::InvalidQuery, "The query string is not readable."))
}

/// Reads the parameters of `T`, beside which only those of `others` may be there.
pub(in crate::api) fn read<T: DeserializeOwned + IntoParams>(
    uri: &Uri,
    pairs: &[(String, String)],
    others: &[&str],
) -> Result<T, ProblemDetails> {
    let own = T::into_params(|| None);
    let known = || own.iter().map(|parameter| parameter.name.as_str()).chain(others.iter().copied());
    let mut faults = Vec::new();
    for (at, (name, _)) in pairs.iter().enumerate() {
        let fault = |code, message| Fault::new(format!("?{name}"), code, message);
        if !known().any(|known| known == name) {
            let meant = suggest::did_you_mean(name, known());
            faults.push(fault("unknown_field", format!("there is no parameter {name:?} here.{meant}")));
        } else if pairs[..at].iter().any(|(earlier, _)| earlier == name) {
            faults.push(fault("duplicate_field", format!("{name:?} is there twice")));
        }
    }
    if !faults.is_empty() {
        return Err(ProblemDetails::faults(Code::InvalidQuery, faults));
    }
    // Its text names the parameter and what is wrong with the value.
    Query::try_from_uri(uri)
        .map(|Query(read)| read)
        .map_err(|error| ProblemDetails::new(Code::InvalidQuery, format!("{}.", error.body_text())))
}
