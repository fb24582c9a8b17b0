//! The roles of handlers, as extractors: a handler that takes one is called by keys of that role only.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::api::problem::{Code, ProblemDetails};
use crate::model::{ApiRole, Principal};

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        pub(in crate::api) struct $name(pub(in crate::api) Principal);

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = ProblemDetails;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
                principal_with(parts, ApiRole::$name).map(Self)
            }
        }
    )+};
}

roles! {
    /// Keys that may do everything of their company.
    Admin,
    /// Keys that may dispatch and send events, and admins.
    Sender,
    /// Keys that may read: all of them.
    Reader,
}

/// Keys that may change stored webhooks: admins, and keys with an owner that may send, for the webhooks of that owner.
pub(in crate::api) struct WebhookManager(pub(in crate::api) Principal);

impl<S: Sync> FromRequestParts<S> for WebhookManager {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        let is_owners =
            parts.extensions.get::<Principal>().is_some_and(|principal| principal.owner.is_some());
        principal_with(parts, if is_owners { ApiRole::Sender } else { ApiRole::Admin }).map(Self)
    }
}

fn principal_with(parts: &Parts, needed: ApiRole) -> Result<Principal, ProblemDetails> {
    // The layer in `auth.rs` has put it there; without it, nobody is let in.
    let principal = parts.extensions.get::<Principal>().ok_or_else(ProblemDetails::internal)?;
    if principal.may(needed) {
        return Ok(principal.clone());
    }
    let detail = format!("This needs a key of the role {needed}; this key's role is {}.", principal.role);
    Err(ProblemDetails::new(Code::Forbidden, detail))
}
