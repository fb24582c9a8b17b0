//! All routes of the console, in one table.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, any, get, post};

use crate::console::{ConsoleState, assets, discord_webhooks, headers, origin, page, session, sign_in};

/// The largest form.
const LARGEST_FORM: usize = 32 * 1024;

/// A route of the console.
#[derive(Clone, Debug)]
pub struct ConsoleRoute {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// Whether it is only for somebody who is signed in.
    pub needs_session: bool,
}

/// A line of the table: method, path, and what answers there.
type RouteLine = (Method, &'static str, MethodRouter<ConsoleState>);

/// The routes for everybody.
fn open() -> Vec<RouteLine> {
    vec![
        (Method::GET, "/console/link/{link}", get(sign_in::ask)),
        (Method::POST, "/console/link", post(sign_in::exchange)),
        (Method::GET, "/console/assets/{file}", get(assets::file)),
    ]
}

/// The routes for whoever is signed in.
fn signed_in() -> Vec<RouteLine> {
    const WEBHOOKS: &str = sign_in::HOME;
    const WEBHOOK: &str = "/console/discord-webhooks/{id}";
    vec![
        (Method::GET, "/console", get(async || page::go_to(sign_in::HOME))),
        (Method::POST, "/console/sign-out", post(sign_in::sign_out)),
        (Method::POST, "/console/sign-out-everywhere", post(sign_in::sign_out_everywhere)),
        (Method::GET, WEBHOOKS, get(discord_webhooks::list)),
        (Method::POST, WEBHOOKS, post(discord_webhooks::add)),
        (Method::GET, "/console/discord-webhooks/new", get(discord_webhooks::new)),
        (Method::GET, WEBHOOK, get(discord_webhooks::edit)),
        (Method::POST, WEBHOOK, post(discord_webhooks::save)),
        (Method::POST, "/console/discord-webhooks/{id}/address", post(discord_webhooks::replace)),
        (Method::POST, "/console/discord-webhooks/{id}/on", post(discord_webhooks::switch_on)),
        (Method::POST, "/console/discord-webhooks/{id}/off", post(discord_webhooks::switch_off)),
        (Method::POST, "/console/discord-webhooks/{id}/test", post(discord_webhooks::test)),
        (Method::GET, "/console/discord-webhooks/{id}/remove", get(discord_webhooks::ask_to_remove)),
        (Method::POST, "/console/discord-webhooks/{id}/remove", post(discord_webhooks::remove)),
    ]
}

/// All routes, for tests that hold each of them to the same rules.
#[must_use]
pub fn routes() -> Vec<ConsoleRoute> {
    let of = |lines: Vec<RouteLine>, needs_session| {
        lines.into_iter().map(move |(method, path, _)| ConsoleRoute { method, path, needs_session })
    };
    of(open(), false).chain(of(signed_in(), true)).collect()
}

/// The router of the console, with the layers that every request passes.
pub fn router(console: &ConsoleState) -> Router {
    let of = |lines: Vec<RouteLine>| {
        lines.into_iter().fold(Router::new(), |router, (_, path, handler)| router.route(path, handler))
    };
    let signed_in = of(signed_in()).layer(from_fn_with_state(console.clone(), session::signed_in_only));
    of(open())
        .merge(signed_in)
        .route("/console/", any(async || page::go_to("/console")))
        .route("/console/{*rest}", any(async || page::not_found()))
        .layer(from_fn(origin::same_only))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(from_fn(headers::secure))
        .with_state(console.clone())
}
