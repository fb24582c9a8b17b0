//! The door: `POST /webhooks/{source}`, `/health`, and a page that says nuncio is there.
//!
//! A request becomes a [`NewEvent`](crate::model::NewEvent) or a [`Rejection`]; the extractor in [`signed`] does
//! limit → verify → parse, in this order, over the raw bytes. A sender learns one of a few bare sentences; the
//! operator learns the reason, in the log. Nothing is written before the signature holds.

mod health;
mod home;
mod listener;
mod rejection;
mod signed;
mod xtsystems;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Serialize;

use crate::clock::Clock;
use crate::config::Webhook;
use crate::hub::Hub;
use crate::ingress::rejection::Rejection;
use crate::ingress::signed::Signed;
use crate::model::EventId;

pub use listener::serve;

/// What the handlers share.
#[derive(Clone)]
struct Door(Arc<Inner>);

struct Inner {
    hub: Hub,
    clock: Clock,
    webhook: Webhook,
}

/// The routes of the door.
pub fn router(hub: Hub, webhook: Webhook, clock: Clock) -> Router {
    let path = webhook.path.clone();
    Router::new()
        .route(&path, post(receive).get(home::friendly))
        .route("/", get(home::page))
        .route("/health", get(health::report).post(health::report))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(async || (StatusCode::NOT_FOUND, Json(rejection::Sentence::new("Not found"))))
        .method_not_allowed_fallback(async || {
            (StatusCode::METHOD_NOT_ALLOWED, Json(rejection::Sentence::new("Method not allowed")))
        })
        .with_state(Door(Arc::new(Inner { hub, clock, webhook })))
}

/// The answer to an event that was accepted.
#[derive(Serialize)]
struct Receipt {
    success: bool,
    message: &'static str,
    event_id: EventId,
    duplicate: bool,
}

/// `POST /webhooks/xtsystems`: answers 200 once the event and its deliveries are on disk.
async fn receive(State(door): State<Door>, Signed(event): Signed) -> Result<impl IntoResponse, Rejection> {
    let accepted = door.0.hub.accept(event).await.map_err(Rejection::unavailable)?;
    Ok(Json(Receipt {
        success: true,
        message: "Webhook processed successfully",
        event_id: accepted.event_id,
        duplicate: accepted.duplicate,
    }))
}
