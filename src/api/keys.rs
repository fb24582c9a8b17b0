//! `/v1/keys`: the keys of the API.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::answer::ApiAnswer;
use crate::api::json::{ApiBody, ApiJson};
use crate::api::list::{Listing, PageParams, Paging};
use crate::api::path::ApiPath;
use crate::api::problem::ProblemDetails;
use crate::api::role::Admin;
use crate::api::rules;
use crate::api::state::ApiState;
use crate::api::word::{ApiTime, KeyState, Role, Word};
use crate::clock::Timestamp;
use crate::hub::KEY_OVERLAP;
use crate::model::{ApiKeyId, By, IssuedApiKey, NewApiKey, StoredApiKey};

/// A key to create.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(example = json!({"name": "web shop", "role": "sender", "company_id": "acme"}))]
pub(in crate::api) struct NewKey {
    /// Who or what uses it.
    #[garde(custom(rules::name))]
    name: String,
    #[garde(skip)]
    role: Role,
    /// The one company whose data it sees. Absent: that of the key that asks, or all.
    #[garde(length(chars, max = 100), inner(custom(rules::visible)))]
    company_id: Option<String>,
    /// The one customer whose USER webhooks it sees. Absent: not limited to one.
    #[garde(length(chars, max = 100), inner(custom(rules::visible)))]
    owner: Option<String>,
    /// From then on it is refused. Absent: never.
    #[garde(skip)]
    expires_at: Option<ApiTime>,
}

impl ApiBody for NewKey {}

impl From<NewKey> for NewApiKey {
    fn from(new: NewKey) -> Self {
        Self {
            name: new.name,
            role: new.role.0,
            company: new.company_id,
            owner: new.owner,
            expires_at: new.expires_at.map(|time| time.0),
        }
    }
}

/// How a key is replaced.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(example = json!({"overlap_seconds": 3600}))]
pub(in crate::api) struct Rotation {
    /// How long the old key is accepted, at most 30 days. Absent: a day; 0: it is refused at once, because it leaked.
    #[garde(range(max = 30 * 24 * 3600))]
    #[schema(minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<u64>,
}

impl ApiBody for Rotation {}

/// A key, without its text.
#[derive(Serialize, ToSchema)]
#[schema(as = Key, example = json!({
    "id": "key_0193f2c1a5b07c3e9d1f4a6b8c0d2e4f", "name": "web shop", "ending": "x7Qa", "role": "sender",
    "company_id": "acme", "owner": null, "state": "active", "created_by": "NUNCIO_API_KEY",
    "created_at": "2026-01-15T10:30:00Z", "expires_at": null, "last_used_at": "2026-01-16T08:00:00Z",
    "replaced_by": null, "revoked_at": null,
}))]
pub(in crate::api) struct ApiKeyView {
    #[schema(value_type = String)]
    id: ApiKeyId,
    name: String,
    /// The last characters of its text.
    ending: String,
    role: Role,
    /// The one company whose data it sees; null: all.
    #[schema(required = true)]
    company_id: Option<String>,
    /// The one customer whose USER webhooks it sees; null: not limited to one.
    #[schema(required = true)]
    owner: Option<String>,
    state: KeyState,
    /// Who created it.
    created_by: String,
    created_at: ApiTime,
    #[schema(required = true)]
    expires_at: Option<ApiTime>,
    /// To the minute.
    #[schema(required = true)]
    last_used_at: Option<ApiTime>,
    /// The id of the key that replaces it.
    #[schema(value_type = Option<String>, required = true)]
    replaced_by: Option<ApiKeyId>,
    #[schema(required = true)]
    revoked_at: Option<ApiTime>,
}

impl ApiKeyView {
    fn of(key: &StoredApiKey, now: Timestamp) -> Self {
        Self {
            id: key.id,
            name: key.about.name.clone(),
            ending: key.ending.clone(),
            role: Word(key.about.role),
            company_id: key.about.company.clone(),
            owner: key.about.owner.clone(),
            state: Word(key.state(now)),
            created_by: key.created_by.clone(),
            created_at: ApiTime(key.created_at),
            expires_at: key.about.expires_at.map(ApiTime),
            last_used_at: key.last_used_at.map(ApiTime),
            replaced_by: key.replaced_by,
            revoked_at: key.revoked_at.map(ApiTime),
        }
    }
}

/// A new key, with its text: it is shown here and never again.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct IssuedKey {
    /// The text that requests carry. nuncio keeps only its hash.
    #[schema(example = "nun_…")]
    key: String,
    #[serde(flatten)]
    about: ApiKeyView,
}

impl IssuedKey {
    fn of(issued: &IssuedApiKey) -> Self {
        let key = issued.token.secret().expose().to_owned();
        Self { key, about: ApiKeyView::of(&issued.key, issued.key.created_at) }
    }
}

/// Lists the keys, oldest first.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", security(("bearer" = ["admin"])), params(PageParams),
    responses((status = 200, description = "A page of keys.", body = Listing<ApiKeyView>)))]
pub(in crate::api) async fn list(
    State(api): State<ApiState>,
    Admin(principal): Admin,
    paging: Paging,
) -> Result<Json<Listing<ApiKeyView>>, ProblemDetails> {
    let (keys, now) = (api.hub.keys(Some(&principal)).await?, api.hub.key_time());
    Ok(paging.page_of(keys, |key| key.id).list(|key| ApiKeyView::of(&key, now)))
}

/// Creates a key.
///
/// Its text is in this answer only. A key with a company creates keys of that company.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", security(("bearer" = ["admin"])), request_body = NewKey,
    responses((status = 201, description = "The key, with its text.", body = IssuedKey)))]
pub(in crate::api) async fn create(
    State(api): State<ApiState>,
    Admin(principal): Admin,
    body: ApiJson<NewKey>,
) -> Result<ApiAnswer, ProblemDetails> {
    let by = By::key(&principal, "key.create");
    let once = body.once.map(|claim| ApiAnswer::keep(claim, StatusCode::CREATED, IssuedKey::of));
    let done = api.hub.create_key(body.value.into(), once, &by).await?;
    ApiAnswer::of(done, StatusCode::CREATED, IssuedKey::of)
}

/// Revokes a key: it is refused from the next request on.
///
/// A key that was revoked before stays as it is.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "keys", security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "The key's id: `key_…`.")),
    responses((status = 204, description = "It is revoked.")))]
pub(in crate::api) async fn revoke(
    State(api): State<ApiState>,
    Admin(principal): Admin,
    ApiPath(id): ApiPath<ApiKeyId>,
) -> Result<StatusCode, ProblemDetails> {
    api.hub.revoke_key(id, &By::key(&principal, "key.revoke")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces a key by a new one with the same rights.
///
/// The old one is accepted for a day more, or as long as `overlap_seconds` says.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate", tag = "keys", security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "The old key's id: `key_…`.")), request_body = Rotation,
    responses((status = 201, description = "The new key, with its text.", body = IssuedKey)))]
pub(in crate::api) async fn rotate(
    State(api): State<ApiState>,
    Admin(principal): Admin,
    ApiPath(id): ApiPath<ApiKeyId>,
    body: ApiJson<Rotation>,
) -> Result<ApiAnswer, ProblemDetails> {
    let by = By::key(&principal, "key.rotate");
    let overlap = body.value.overlap_seconds.map_or(KEY_OVERLAP, Duration::from_secs);
    let once = body.once.map(|claim| ApiAnswer::keep(claim, StatusCode::CREATED, IssuedKey::of));
    let done = api.hub.rotate_key(id, overlap, once, &by).await?;
    ApiAnswer::of(done, StatusCode::CREATED, IssuedKey::of)
}
