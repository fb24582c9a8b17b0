//! Pages for browsers: the start page, and the answer to a GET on the webhook's URL.

use std::fmt::Write as _;
use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::ingress::insider::is_insider;
use crate::ingress::rejection::{ErrorBody, Rejection};
use crate::ingress::{IngressState, not_found};

/// The page loads nothing and may not be framed.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// `GET /`: nuncio's state in a few lines. Only insiders see which guilds and channels have a problem.
pub(super) async fn page(
    State(ingress): State<IngressState>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let peer = peer.map(|axum::Extension(ConnectInfo(peer))| peer);
    let is_insider = is_insider(&ingress, peer, &headers).await;
    let health = ingress.0.hub.health().await;
    let backlog = health.backlog.unwrap_or_default();
    let state = if health.problems.is_empty() { "Everything works." } else { "Something needs a look:" };
    let mut problems = String::new();
    for problem in &health.problems {
        // Writing to a String cannot fail.
        let words = if is_insider { problem.sentence() } else { problem.code.to_owned() };
        let _ = write!(problems, "<li>{}</li>", escape(&words));
    }
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <title>nuncio</title><h1>nuncio {version}</h1><p>{state}</p><ul>{problems}</ul>\
         <p>Waiting to be delivered: {pending}. Without a route: {unrouted}.</p>\
         <p>{doors}; <a href=/health>/health</a> says the same as JSON.</p></html>",
        version = env!("CARGO_PKG_VERSION"),
        pending = backlog.pending + backlog.sending,
        unrouted = backlog.unrouted,
        doors = match ingress.live().routes.first() {
            Some(route) => format!("Webhooks are received at <code>POST {}</code>", escape(&route.path)),
            None => "No webhooks are received; the API is at <code>/v1</code>".to_owned(),
        },
    );
    ([(header::CONTENT_SECURITY_POLICY, POLICY), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], Html(html))
}

/// `GET` on the webhook's URL.
pub(super) async fn explain_post(State(ingress): State<IngressState>) -> Response {
    if ingress.live().routes.is_empty() {
        return Rejection::NotFound.into_response();
    }
    (
        StatusCode::METHOD_NOT_ALLOWED,
        [(header::ALLOW, "POST")],
        "This is nuncio's webhook address. It works: XTSystems sends its events here with POST.\n",
    )
        .into_response()
}

/// Any other method on the webhook's URL.
pub(super) async fn method_not_allowed(State(ingress): State<IngressState>, request: Request) -> Response {
    if ingress.live().routes.is_empty() {
        return not_found(State(ingress), request).await.into_response();
    }
    let error = ErrorBody::new("Method not allowed");
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], Json(error)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
