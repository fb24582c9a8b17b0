//! `/v1/dispatch/*`: what a hosting platform reports. These are the seeds' routes: every field may be written in camelCase,
//! and what is not known is left out with a warning.

mod answer;
mod bodies;
mod options;
mod text_or_number;

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::answer::ApiAnswer;
use crate::api::json::ApiJson;
use crate::api::problem::{Fault, ProblemDetails};
use crate::api::query::ApiQuery;
use crate::api::role::Sender;
use crate::api::state::ApiState;
use crate::model::dispatch::{DispatchFunction, DispatchReport, Dispatched};
use crate::model::{By, Idempotent, Principal};

use answer::{DispatchAccepted, DispatchOutcome};
use bodies::{
    BillingEventBody, CustomBody, DispatchBody, EventBody, NodeAlertBody, ServerStateBody,
    SettingsUpdateBody, SupportTicketBody, SyncCompletionBody, SystemAlertBody,
};

/// How long `?wait=true` waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a dispatch is answered.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct WaitParams {
    /// Wait for the outcomes, at most ten seconds, and answer 200 with a result for each webhook. Without it the answer is
    /// 202 as soon as the dispatch is on disk.
    #[serde(default)]
    wait: bool,
}

macro_rules! handlers {
    ($($(#[doc = $doc:literal])+ $handler:ident($body:ident) at $path:literal is $function:ident;)+) => {$(
        $(#[doc = $doc])+
        #[utoipa::path(post, path = $path, tag = "dispatch", security(("bearer" = ["sender"])), params(WaitParams),
            request_body = $body, responses(
                (status = 202, description = "It is on disk, and sent from there.", body = DispatchAccepted),
                (status = 200, description = "With `?wait=true`: what became of it. Also if nothing had happened.", body = DispatchOutcome)))]
        pub(in crate::api) async fn $handler(
            State(api): State<ApiState>,
            Sender(principal): Sender,
            ApiQuery(params): ApiQuery<WaitParams>,
            body: ApiJson<$body>,
        ) -> Result<ApiAnswer, ProblemDetails> {
            dispatch(&api, &principal, DispatchFunction::$function, params.wait, body).await
        }
    )+};
}

handlers! {
    /// Settings were changed.
    ///
    /// Name them in `changed_fields`, or send `before` and `after`: they are compared, and no value is kept or shown. If
    /// nothing differs, nothing is sent.
    settings_update(SettingsUpdateBody) at "/v1/dispatch/settings-update" is SettingsUpdate;

    /// A server is online, offline, or crashed.
    server_state(ServerStateBody) at "/v1/dispatch/server-state" is ServerState;

    /// A sync has ended.
    ///
    /// Say so in `success` or `cancelled`, or send its `operations`: it is a success if all of them are.
    sync_completion(SyncCompletionBody) at "/v1/dispatch/sync-completion" is SyncCompletion;

    /// An error or an alert.
    ///
    /// The same title and error again within `FOLD_REPEATS` changes its message (×2) instead of posting another, unless it is worse.
    system_alert(SystemAlertBody) at "/v1/dispatch/system-alert" is SystemAlert;

    /// A support ticket was created, updated or resolved.
    support_ticket(SupportTicketBody) at "/v1/dispatch/support-ticket" is SupportTicket;

    /// A node is short of a resource.
    ///
    /// The same node and resource again within `FOLD_REPEATS` changes its message (×2), unless it is worse.
    node_alert(NodeAlertBody) at "/v1/dispatch/node-alert" is NodeAlert;

    /// An invoice, a payment or a subscription.
    billing_event(BillingEventBody) at "/v1/dispatch/billing-event" is BillingEvent;

    /// A card of your own.
    ///
    /// Its description is Markdown; everything else shows literally, and nothing mentions anybody. The footer is nuncio's.
    custom(CustomBody) at "/v1/dispatch/custom" is Custom;

    /// An event by its name, with any data.
    ///
    /// `sync.started`, `sync.completed`, `sync.failed`, `user.registered`, `server.created`, `server.suspended` and
    /// `support.ticket_created` have a card of their own; any other is a notification for CUSTOM webhooks.
    event(EventBody) at "/v1/dispatch/event" is Event;
}

/// Dispatches, once if the request has a key, and answers at once or with the outcomes.
async fn dispatch<T: DispatchBody>(
    api: &ApiState,
    principal: &Principal,
    function: DispatchFunction,
    waits: bool,
    body: ApiJson<T>,
) -> Result<ApiAnswer, ProblemDetails> {
    let ApiJson { value, warnings, once } = body;
    let by = By::key(principal, format!("dispatch.{}", function.as_str()));
    let (dispatch, options) = value.read()?;
    let Some(dispatch) = dispatch else { return Ok(nothing_happened(waits, warnings)) };
    if !waits {
        let view = move |dispatched: &Dispatched| DispatchAccepted::of(dispatched, &warnings);
        let once = once.map(|claim| ApiAnswer::keep(claim, StatusCode::ACCEPTED, view.clone()));
        let done = api.hub.dispatch(&dispatch, &options, once, &by).await?;
        return ApiAnswer::of(done, StatusCode::ACCEPTED, view);
    }
    // A repetition waits for nothing: it gets the first one's answer, or 409 with Retry-After.
    let _held = once.as_ref().map(|claim| api.hub.hold_key(claim)).transpose()?;
    if let Some(claim) = &once
        && let Some(kept) = api.hub.earlier_answer(claim).await?
    {
        return ApiAnswer::from_bytes(&kept);
    }
    let first = warnings.clone();
    let keep = once.clone().map(|claim| {
        ApiAnswer::keep(claim, StatusCode::ACCEPTED, move |dispatched| {
            DispatchAccepted::of(dispatched, &first)
        })
    });
    let dispatched = match api.hub.dispatch(&dispatch, &options, keep, &by).await? {
        Idempotent::Done(dispatched) => dispatched,
        Idempotent::Before(kept) => return ApiAnswer::from_bytes(&kept),
    };
    let report = api.hub.dispatch_report(&dispatched, PATIENCE).await?;
    let answer = ApiAnswer::new(StatusCode::OK, &DispatchOutcome::of(&dispatched, &report, &warnings));
    if let Some(claim) = once {
        api.hub.keep_answer(claim, answer.to_bytes()).await?;
    }
    Ok(answer)
}

/// The answer if no setting differs: nothing was stored, and nothing is sent.
fn nothing_happened(waits: bool, warnings: Vec<Fault>) -> ApiAnswer {
    let nothing = Dispatched::default();
    match waits {
        true => ApiAnswer::new(
            StatusCode::OK,
            &DispatchOutcome::of(&nothing, &DispatchReport::default(), &warnings),
        ),
        false => ApiAnswer::new(StatusCode::OK, &DispatchAccepted::of(&nothing, &warnings)),
    }
}
