//! Sign-in by a one-time link, and sign-out.
//!
//! Opening the link changes nothing and looks nothing up, so a chat's preview or a scanner does not use it up. The button
//! on its page does.

use std::net::IpAddr;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest as _, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Form};
use serde::Deserialize;

use crate::console::page::{Frame, html};
use crate::console::session::{scheme_of, token_of};
use crate::console::signed_in::SignedIn;
use crate::console::{ConsoleState, cookie, origin, page};
use crate::model::{ClientAddress, ClientScheme};
use crate::store::EndedSessions;

/// The page after sign-in.
pub(super) const HOME: &str = "/console/discord-webhooks";
/// Longest path of a page to open after sign-in.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignIn {
    frame: Frame,
    link: String,
    next: String,
}

/// The page to open after sign-in.
#[derive(Deserialize)]
pub(super) struct NextQuery {
    #[serde(default)]
    next: String,
}

/// `GET /console/link/{link}`: a page with one button.
pub(super) async fn ask(
    Path(link): Path<String>,
    next: Result<Query<NextQuery>, QueryRejection>,
) -> Response {
    let next = next.map_or_else(|_| HOME.to_owned(), |Query(next)| path_or_home(&next.next));
    html(StatusCode::OK, &SignIn { frame: Frame::bare("Sign in"), link, next })
}

/// The button's form.
#[derive(Deserialize)]
pub(super) struct LinkExchange {
    link: String,
    #[serde(default)]
    next: String,
}

/// `POST /console/link`: exchanges the link for a session.
pub(super) async fn exchange(State(console): State<ConsoleState>, request: Request) -> Response {
    let client = request.extensions().get().map_or(IpAddr::from([0; 4]), |ClientAddress(client)| *client);
    let before = token_of(&request);
    let scheme = match origin::is_https(request.headers()) {
        true => ClientScheme::Https,
        false => scheme_of(&request),
    };
    let form = Form::<LinkExchange>::from_request(request, &()).await;
    let Ok(Form(LinkExchange { link, next })) = form else { return refused(&console, client) };
    match console.hub.exchange_console_link(&link, before.as_ref()).await {
        Ok(Some((session, token))) => {
            tracing::info!("{} signed in to the console, from {client}", session.name);
            let mut response = page::go_to(&path_or_home(&next));
            set_cookie(&mut response, &cookie::set(&token, scheme));
            response
        }
        Ok(None) => refused(&console, client),
        Err(error) => page::unavailable(&error),
    }
}

/// `POST /console/sign-out`: ends this session.
pub(super) async fn sign_out(
    State(console): State<ConsoleState>,
    Extension(signed_in): Extension<SignedIn>,
) -> Response {
    end(&console, &signed_in, EndedSessions::One(signed_in.session.id), "console.sign-out").await
}

/// `POST /console/sign-out-everywhere`: ends all sessions of this person.
pub(super) async fn sign_out_everywhere(
    State(console): State<ConsoleState>,
    Extension(signed_in): Extension<SignedIn>,
) -> Response {
    let all = EndedSessions::Of(signed_in.session.name.clone());
    end(&console, &signed_in, all, "console.sign-out-everywhere").await
}

async fn end(console: &ConsoleState, signed_in: &SignedIn, which: EndedSessions, action: &str) -> Response {
    let text = match console.hub.end_console_sessions(which, &signed_in.by(action)).await {
        Ok(1) => "This session has ended.".to_owned(),
        Ok(ended) => format!("{ended} sessions have ended, this one included."),
        Err(error) => {
            tracing::warn!(%error, "a session of the console was not ended");
            let text = "Nothing was changed. Try again in a moment; the log says what is wrong.";
            return page::message(StatusCode::SERVICE_UNAVAILABLE, "You are still signed in", text);
        }
    };
    let text = format!("{text} A new link comes from nuncio console.");
    let mut response = page::message(StatusCode::OK, "You are signed out", &text);
    for cookie in cookie::unset() {
        set_cookie(&mut response, &cookie);
    }
    response
}

/// The answer to a link that opens nothing. Says no more than that: a guess learns nothing.
fn refused(console: &ConsoleState, client: IpAddr) -> Response {
    if let Err(wait) = console.attempts.charge(client) {
        let text = format!("Too many links failed from your network. Wait {wait} seconds, then try again.");
        let mut response = page::message(StatusCode::TOO_MANY_REQUESTS, "Too many tries", &text);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        return response;
    }
    tracing::info!(
        "a sign-in to the console was refused: its link was used, is too old, or never was one, from {client}"
    );
    let text =
        "This link was used before, or is older than ten minutes. Run nuncio console again for a new one.";
    page::message(StatusCode::FORBIDDEN, "This link does not open the console", text)
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// A path of this console; anything else leads home. `//host` and `/\host` would lead elsewhere, and so would what a
/// browser drops from the path before it reads it.
fn path_or_home(next: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.?=&".contains(&byte);
    let is_ours = next == "/console" || next.starts_with("/console/");
    let is_fine = is_ours && next.len() <= LONGEST && next.bytes().all(is_plain) && !next.contains("..");
    if is_fine { next.to_owned() } else { HOME.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    // W-5: a link never leads out of the console.
    #[rstest::rstest]
    #[case("/console/discord-webhooks/new", true)]
    #[case("/console/discord-webhooks?type=VPS", true)]
    #[case("", false)]
    #[case("//evil.example", false)]
    #[case("/\\evil.example", false)]
    #[case("https://evil.example/console/", false)]
    #[case("/console/../webhooks", false)]
    #[case("/console/\nx", false)]
    #[case("/consoles", false)]
    #[case("javascript:alert(1)", false)]
    #[case("/console/%2e%2e/x", false)]
    fn only_pages_of_the_console_follow(#[case] next: &str, #[case] follows: bool) {
        assert_eq!(path_or_home(next) == next, follows);
    }
}
