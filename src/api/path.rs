//! Ids in paths.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::api::problem::ProblemDetails;

/// The id in a path. One that is malformed is not found, like one that does not exist.
pub(in crate::api) struct ApiPath<Id>(pub(in crate::api) Id);

impl<S: Sync + Send, Id: FromStr> FromRequestParts<S> for ApiPath<Id> {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemDetails> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ProblemDetails::not_found())?;
        text.parse().map(Self).map_err(|_| ProblemDetails::not_found())
    }
}
