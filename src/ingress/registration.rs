//! `GET /webhooks/config` and `POST /webhooks/register`: the JSON counterparts of `/webhook-config` and
//! `/register-webhook`, for requests with an operator's API key. Without `WEBHOOK_SECRET` there is no door to configure: 404.

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::hub::Hub;
use crate::ingress::IngressState;
use crate::ingress::insider::operator;
use crate::ingress::rejection::{ErrorBody, Rejection};
use crate::model::{AuditEntry, AuditOutcome, Principal};
use crate::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::xtsystems::{Registrar, RegistrationError, RegistrationRequest};

/// Maximum body size of a registration request, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

#[derive(Serialize)]
struct Configuration {
    webhook_url: String,
    supported_events: Vec<&'static str>,
    discord_channels: Map<String, Value>,
    security: Security,
}

#[derive(Serialize)]
struct Security {
    signature_header: &'static str,
    timestamp_header: &'static str,
    algorithm: &'static str,
}

/// The request body of `POST /webhooks/register`; every field is optional.
#[derive(Debug, Default, Deserialize)]
struct RegistrationBody {
    webhook_url: Option<String>,
    events: Option<Vec<String>>,
    company_id: Option<String>,
}

#[derive(Serialize)]
struct RegisteredBody {
    success: bool,
    webhook_id: String,
    message: &'static str,
}

#[derive(Serialize)]
struct FailureBody {
    error: &'static str,
    details: String,
}

/// The paths. Every request to them counts against `RATE_LIMIT`.
pub(super) const PATHS: [&str; 2] = [CONFIG, REGISTER];
const CONFIG: &str = "/webhooks/config";
const REGISTER: &str = "/webhooks/register";

/// The routes of both paths.
pub(super) fn routes() -> Router<IngressState> {
    Router::new().route(CONFIG, get(show)).route(REGISTER, post(register))
}

async fn show(State(ingress): State<IngressState>, headers: HeaderMap) -> Response {
    if ingress.live().routes.is_empty() {
        return Rejection::NotFound.into_response();
    }
    if operator(&ingress.0.hub, &headers).await.is_none() {
        return no_key();
    }
    let found = ingress.0.hub.overview();
    answer(
        StatusCode::OK,
        Configuration {
            webhook_url: ingress.0.registrar.url().to_owned(),
            supported_events: found.kinds,
            discord_channels: found.map.into_iter().map(|(key, ids)| (key, ids.into())).collect(),
            security: Security {
                signature_header: SIGNATURE_HEADER,
                timestamp_header: TIMESTAMP_HEADER,
                algorithm: "HMAC-SHA256",
            },
        },
    )
}

async fn register(State(ingress): State<IngressState>, request: Request) -> Response {
    if ingress.live().routes.is_empty() {
        return Rejection::NotFound.into_response();
    }
    let Some(principal) = operator(&ingress.0.hub, request.headers()).await else { return no_key() };
    let Ok(body) = to_bytes(request.into_body(), BODY_LIMIT).await else {
        return Rejection::TooLarge.into_response();
    };
    let Ok(requested) = read(&body) else { return Rejection::BadJson.into_response() };
    let (registrar, hub) = (ingress.0.registrar.clone(), ingress.0.hub.clone());
    // A client that disconnects must not leave the platform half configured, or the audit log without an entry.
    let done =
        tokio::spawn(async move { register_and_audit(&registrar, &hub, requested, &principal).await }).await;
    match done {
        Ok(Ok(registered)) => answer(StatusCode::OK, registered),
        Ok(Err(details)) => failed(details),
        Err(_) => failed("The registration was interrupted by an error in nuncio: the log says which. Ask again; nothing is registered twice.".to_owned()),
    }
}

fn read(body: &Bytes) -> serde_json::Result<RegistrationBody> {
    if body.is_empty() { Ok(RegistrationBody::default()) } else { serde_json::from_slice(body) }
}

/// Registers the webhook and records the outcome in the audit log; an error is the reason.
async fn register_and_audit(
    registrar: &Registrar,
    hub: &Hub,
    requested: RegistrationBody,
    principal: &Principal,
) -> Result<RegisteredBody, String> {
    let wanted = RegistrationRequest {
        url: requested.webhook_url,
        events: requested.events,
        company: requested.company_id,
    };
    let done = registrar.register(&wanted).await;
    let (outcome, detail) = match &done {
        Ok(registration) => (AuditOutcome::Done, format!("to {}", registration.url)),
        Err(why @ RegistrationError::Failed(_)) => (AuditOutcome::Failed, why.to_string()),
        Err(why) => (AuditOutcome::Refused, why.to_string()),
    };
    let entry = AuditEntry::new(principal.actor(), "api.register-webhook", "webhook");
    if let Err(error) = hub.audit(AuditEntry { outcome, detail, ..entry }).await {
        tracing::error!(%error, "a registration took effect, but could not be written to the audit log");
    }
    let registration = done.map_err(|why| why.to_string())?;
    Ok(RegisteredBody {
        success: true,
        webhook_id: registration.registered.webhook().id.clone(),
        message: "Webhook registered successfully in XTSystems",
    })
}

fn failed(details: String) -> Response {
    answer(StatusCode::INTERNAL_SERVER_ERROR, FailureBody { error: "Failed to register webhook", details })
}

/// A response that must not be cached.
fn answer(status: StatusCode, body: impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn no_key() -> Response {
    let error =
        ErrorBody::new("This needs Authorization: Bearer with NUNCIO_API_KEY or an admin key of no company");
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], Json(error)).into_response()
}
