//! Whom a dispatch is for, as callers say it.

use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::dispatch::text_or_number::TextOrNumber;
use crate::api::word::{WebhookCategory, WebhookScope};
use crate::model::dispatch::DispatchOptions;

/// Whom a dispatch is for.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
pub(in crate::api) struct DispatchOptionsBody {
    /// Webhooks of these categories, instead of the function's own.
    types: Option<Vec<WebhookCategory>>,
    /// Webhooks of these scopes. Absent or empty: `["ADMIN"]`. `USER` needs `user_id`.
    scopes: Option<Vec<WebhookScope>>,
    /// The customer whose webhooks the scope `USER` means.
    #[garde(custom(identifier))]
    user_id: Option<TextOrNumber>,
    /// `false`: also webhooks that are disabled.
    only_enabled: Option<bool>,
    /// The company whose webhooks are meant, where the key is for all. Absent: those of none.
    company_id: Option<String>,
}

impl DispatchOptionsBody {
    /// The options, or their defaults.
    pub(super) fn read(options: Option<Self>) -> DispatchOptions {
        let options = options.unwrap_or_default();
        DispatchOptions {
            types: options.types.unwrap_or_default().into_iter().map(|word| word.0).collect(),
            scopes: options.scopes.unwrap_or_default().into_iter().map(|word| word.0).collect(),
            user_id: options.user_id.map(TextOrNumber::into_text),
            only_enabled: options.only_enabled.unwrap_or(true),
            company_id: options.company_id,
        }
    }
}

/// Text that shows something.
pub(super) fn filled(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("must not be empty")) } else { Ok(()) }
}

/// An id, if there is one: it is not empty.
fn identifier(id: &Option<TextOrNumber>, context: &()) -> garde::Result {
    match id {
        Some(TextOrNumber::Text(text)) => filled(text, context),
        Some(TextOrNumber::Number(_)) | None => Ok(()),
    }
}
