//! `/v1/discord-webhooks`: stored Discord webhooks. An address is accepted and never answered.
//!
//! A key with an owner has the USER webhooks of that owner, and nothing else; other keys change them as admins.

mod body;
mod view;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::api::answer::ApiAnswer;
use crate::api::json::{ApiJson, NoBody};
use crate::api::list::{PageParams, Paging};
use crate::api::path::ApiPath;
use crate::api::problem::{Fault, ProblemDetails};
use crate::api::role::{Reader, WebhookManager};
use crate::api::state::ApiState;
use crate::model::{By, DestinationId, IdempotencyClaim, Scope, StoredWebhook, WebhookUrl};

use body::{AddressToTest, ReplacedWebhook, WebhookFilters, WebhookPatch, WebhookToStore};
use view::{DiscordWebhook, SavedWebhook, WebhookTestResult};

/// Lists the stored webhooks that the key sees, oldest first.
///
/// Admins see those of their company, a key with an owner the USER webhooks of that owner. PUBLIC ones are listed to
/// every key, without `webhook_url` and without their health.
#[utoipa::path(get, path = "/v1/discord-webhooks", tag = "discord-webhooks", security(("bearer" = ["reader"])),
    params(PageParams, WebhookFilters),
    responses((status = 200, description = "A page of webhooks; `Link` leads to the next one.", body = Vec<DiscordWebhook>)))]
pub(in crate::api) async fn list(
    State(api): State<ApiState>,
    Reader(principal): Reader,
    paging: Paging<WebhookFilters>,
) -> Result<Response, ProblemDetails> {
    let most = u32::try_from(paging.fetch()).unwrap_or(u32::MAX);
    let found =
        api.hub.visible_webhooks(&principal, paging.filters.to_filter(), paging.after(), most).await?;
    let page = paging.page(found, |webhook| webhook.webhook().id);
    Ok(page.array(|webhook| DiscordWebhook::of_visible(&webhook)))
}

/// A stored webhook.
#[utoipa::path(get, path = "/v1/discord-webhooks/{id}", tag = "discord-webhooks", security(("bearer" = ["reader"])),
    params(("id" = String, Path, description = "The webhook's id: `dst_…`.")),
    responses((status = 200, description = "The webhook.", body = DiscordWebhook)))]
pub(in crate::api) async fn show(
    State(api): State<ApiState>,
    Reader(principal): Reader,
    ApiPath(id): ApiPath<DestinationId>,
) -> Result<ApiAnswer, ProblemDetails> {
    let webhook = api.hub.visible_webhook(id, &principal).await?;
    Ok(ApiAnswer::new(StatusCode::OK, &DiscordWebhook::of_visible(&webhook)))
}

/// Stores a webhook.
///
/// Discord is asked about the address first: one that it does not know is refused with its answer. If Discord cannot be
/// reached, the webhook is stored all the same, with a warning. Each owner has an address once: the second time is 409,
/// with the id of the first. Admins store any webhook, a key with an owner those of scope USER of that owner.
#[utoipa::path(post, path = "/v1/discord-webhooks", tag = "discord-webhooks", security(("bearer" = ["admin"])),
    request_body = WebhookToStore,
    responses((status = 201, description = "The webhook, without its address.", body = SavedWebhook)))]
pub(in crate::api) async fn create(
    State(api): State<ApiState>,
    WebhookManager(principal): WebhookManager,
    body: ApiJson<WebhookToStore>,
) -> Result<ApiAnswer, ProblemDetails> {
    let by = By::key(&principal, "discord-webhook.add");
    let warnings = body.warnings;
    let view = move |stored: &StoredWebhook| SavedWebhook::of(stored, &warnings);
    let once = body.once.map(|claim| ApiAnswer::keep(claim, StatusCode::CREATED, view.clone()));
    let url = address(&api, &body.value.webhook_url)?;
    let about = body.value.into_webhook(default_scope(&by));
    ApiAnswer::of(api.webhooks.add(about, &url, once, &by).await?, StatusCode::CREATED, view)
}

/// Changes a webhook: what is left out stays, null removes a value.
///
/// A new address is looked at like that of a new webhook, and what waited for the webhook is sent there. What comes while
/// `enabled` is false waits, and is sent once it is true again.
#[utoipa::path(patch, path = "/v1/discord-webhooks/{id}", tag = "discord-webhooks", security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "The webhook's id: `dst_…`.")), request_body = WebhookPatch,
    responses((status = 200, description = "The webhook after the change.", body = SavedWebhook)))]
pub(in crate::api) async fn change(
    State(api): State<ApiState>,
    WebhookManager(principal): WebhookManager,
    ApiPath(id): ApiPath<DestinationId>,
    body: ApiJson<WebhookPatch>,
) -> Result<ApiAnswer, ProblemDetails> {
    let by = By::key(&principal, "discord-webhook.change");
    let url = new_address(&api, id, body.value.webhook_url.as_deref(), &by).await?;
    let saved = api.webhooks.change(id, body.value.into_change(), url.as_ref(), &by).await?;
    Ok(ApiAnswer::new(StatusCode::OK, &SavedWebhook::of(&saved, &body.warnings)))
}

/// Replaces a webhook: what is left out gets its default, but for the address, which stays.
#[utoipa::path(put, path = "/v1/discord-webhooks/{id}", tag = "discord-webhooks", security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "The webhook's id: `dst_…`.")), request_body = ReplacedWebhook,
    responses((status = 200, description = "The webhook after the change.", body = SavedWebhook)))]
pub(in crate::api) async fn replace(
    State(api): State<ApiState>,
    WebhookManager(principal): WebhookManager,
    ApiPath(id): ApiPath<DestinationId>,
    body: ApiJson<ReplacedWebhook>,
) -> Result<ApiAnswer, ProblemDetails> {
    let by = By::key(&principal, "discord-webhook.change");
    let url = new_address(&api, id, body.value.webhook_url.as_deref(), &by).await?;
    let change = body.value.into_change(default_scope(&by), principal.owner.clone());
    let saved = api.webhooks.change(id, change, url.as_ref(), &by).await?;
    Ok(ApiAnswer::new(StatusCode::OK, &SavedWebhook::of(&saved, &body.warnings)))
}

/// Removes a webhook: nothing is sent to it any more, and what waits for it is canceled.
#[utoipa::path(delete, path = "/v1/discord-webhooks/{id}", tag = "discord-webhooks", security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "The webhook's id: `dst_…`.")),
    responses((status = 204, description = "It is removed.")))]
pub(in crate::api) async fn remove(
    State(api): State<ApiState>,
    WebhookManager(principal): WebhookManager,
    ApiPath(id): ApiPath<DestinationId>,
) -> Result<StatusCode, ProblemDetails> {
    api.hub.remove_webhook(id, &By::key(&principal, "discord-webhook.remove")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test through a webhook, also through a disabled one, and answers with Discord's own result.
#[utoipa::path(post, path = "/v1/discord-webhooks/{id}/test", tag = "discord-webhooks", security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "The webhook's id: `dst_…`.")), request_body = NoBody,
    responses((status = 200, description = "Whether it arrived, and what Discord answered.", body = WebhookTestResult)))]
pub(in crate::api) async fn test(
    State(api): State<ApiState>,
    WebhookManager(principal): WebhookManager,
    ApiPath(id): ApiPath<DestinationId>,
    body: ApiJson<NoBody>,
) -> Result<ApiAnswer, ProblemDetails> {
    let by = By::key(&principal, "discord-webhook.test");
    let sending = async { Ok(WebhookTestResult::of(&api.webhooks.test(id, &by).await?)) };
    once(&api, body.once, sending).await
}

/// Sends a test to an address before it is stored, and answers with Discord's own result.
#[utoipa::path(post, path = "/v1/discord-webhooks/test", tag = "discord-webhooks", security(("bearer" = ["admin"])),
    request_body = AddressToTest,
    responses((status = 200, description = "Whether it arrived, and what Discord answered.", body = WebhookTestResult)))]
pub(in crate::api) async fn test_address(
    State(api): State<ApiState>,
    WebhookManager(principal): WebhookManager,
    body: ApiJson<AddressToTest>,
) -> Result<ApiAnswer, ProblemDetails> {
    let by = By::key(&principal, "discord-webhook.test");
    let url = address(&api, &body.value.webhook_url)?;
    let sending = async { Ok(WebhookTestResult::of(&api.webhooks.test_address(&url, &by).await?)) };
    once(&api, body.once, sending).await
}

/// Sends a test once for each `Idempotency-ApiKeyView`.
async fn once(
    api: &ApiState,
    claim: Option<IdempotencyClaim>,
    sending: impl Future<Output = Result<WebhookTestResult, ProblemDetails>>,
) -> Result<ApiAnswer, ProblemDetails> {
    let Some(claim) = claim else { return Ok(ApiAnswer::new(StatusCode::OK, &sending.await?)) };
    let _held = api.hub.hold_key(&claim)?;
    if let Some(kept) = api.hub.earlier_answer(&claim).await? {
        return ApiAnswer::from_bytes(&kept);
    }
    let answer = ApiAnswer::new(StatusCode::OK, &sending.await?);
    api.hub.keep_answer(claim, answer.to_bytes()).await?;
    Ok(answer)
}

/// Parses an address. The fault never repeats it.
fn address(api: &ApiState, text: &str) -> Result<WebhookUrl, ProblemDetails> {
    api.webhooks.parse(text).map_err(|why| {
        let message = format!("is no address of a Discord webhook: {why}");
        ProblemDetails::invalid_body(vec![Fault::new("/webhook_url", "invalid", message)])
    })
}

/// The new address of a webhook, if the request has one. The mark that answers show means the address that it has.
async fn new_address(
    api: &ApiState,
    id: DestinationId,
    given: Option<&str>,
    by: &By,
) -> Result<Option<WebhookUrl>, ProblemDetails> {
    let Some(given) = given else { return Ok(None) };
    let old = api.hub.changeable_webhook(id, by).await?;
    if given == old.mark.to_string() {
        return Ok(None);
    }
    address(api, given).map(Some)
}

/// The scope of a webhook whose scope is left out.
fn default_scope(by: &By) -> Scope {
    let is_owners = by.principal.as_ref().is_some_and(|principal| principal.owner.is_some());
    if is_owners { Scope::User } else { Scope::Admin }
}
