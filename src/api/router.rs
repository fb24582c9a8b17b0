//! The routes, all of them, and the layers that every request passes.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use axum::{Router, middleware};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::document::complete;
use crate::api::problem::{Code, ProblemDetails};
use crate::api::state::ApiState;
use crate::api::{auth, discord_webhooks, dispatch, docs_page, envelope, keys};

/// Every route below `/v1`, as the document describes it.
fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default()
        .routes(routes!(dispatch::settings_update))
        .routes(routes!(dispatch::server_state))
        .routes(routes!(dispatch::sync_completion))
        .routes(routes!(dispatch::system_alert))
        .routes(routes!(dispatch::support_ticket))
        .routes(routes!(dispatch::node_alert))
        .routes(routes!(dispatch::billing_event))
        .routes(routes!(dispatch::custom))
        .routes(routes!(dispatch::event))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(discord_webhooks::list, discord_webhooks::create))
        .routes(routes!(discord_webhooks::test_address))
        .routes(routes!(
            discord_webhooks::show,
            discord_webhooks::change,
            discord_webhooks::replace,
            discord_webhooks::remove
        ))
        .routes(routes!(discord_webhooks::test))
}

/// The OpenAPI 3.1 document of the API.
#[must_use]
pub fn document() -> Value {
    complete(routes().into_openapi())
}

/// The API, to be merged into a listener's router. It answers below `/v1`, and at `/openapi.json` and `/docs`.
pub fn router(api: ApiState) -> Router {
    let (v1, _) = routes().split_for_parts();
    let v1 = v1
        .method_not_allowed_fallback(method_not_allowed)
        .route("/v1", any(not_found))
        .route("/v1/", any(not_found))
        .route("/v1/{*rest}", any(not_found))
        // The last is the first that a request passes.
        .layer(middleware::from_fn_with_state(api.clone(), auth::limit))
        .layer(middleware::from_fn_with_state(api.clone(), auth::authenticate));
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(page))
        .route(docs_page::STYLE_PATH, get(style))
        .merge(v1)
        .layer(middleware::from_fn(envelope::wrap))
        .with_state(api)
}

async fn not_found() -> ProblemDetails {
    ProblemDetails::not_found()
}

async fn method_not_allowed() -> ProblemDetails {
    ProblemDetails::new(
        Code::MethodNotAllowed,
        "This address has other methods: the header Allow names them.",
    )
}

async fn openapi() -> impl IntoResponse {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string_pretty(&document()).unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

async fn page() -> impl IntoResponse {
    static PAGE: LazyLock<String> = LazyLock::new(|| docs_page::html(&document()));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, docs_page::CSP),
    ];
    (headers, PAGE.as_str())
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], docs_page::STYLE)
}
