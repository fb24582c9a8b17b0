//! The roles of handlers, as extractors: a handler that takes one is called by keys of that role only.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::api::problem::{Code, Problem};
use crate::model::{ApiRole, Principal};

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        pub(in crate::api) struct $name(pub(in crate::api) Principal);

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
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
pub(in crate::api) struct WebhookAdmin(pub(in crate::api) Principal);

impl<S: Sync> FromRequestParts<S> for WebhookAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let is_owners =
            parts.extensions.get::<Principal>().is_some_and(|principal| principal.owner.is_some());
        principal_with(parts, if is_owners { ApiRole::Sender } else { ApiRole::Admin }).map(Self)
    }
}

fn principal_with(parts: &Parts, needed: ApiRole) -> Result<Principal, Problem> {
    // The layer in `auth.rs` has put it there; without it, nobody is let in.
    let principal = parts.extensions.get::<Principal>().ok_or_else(Problem::internal)?;
    if principal.may(needed) {
        return Ok(principal.clone());
    }
    let detail = format!("This needs a key of the role {needed}; this key's role is {}.", principal.role);
    Err(Problem::new(Code::Forbidden, detail))
}
