//! Pages: what all of them have around their content, and those that only say something.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

use crate::console::flash::Flash;
use crate::console::signed_in::SignedIn;
use crate::console::{ConsoleState, assets};
use crate::store;

/// What is around the content of a page.
pub(super) struct Frame {
    /// Its title.
    pub(super) title: String,
    /// The path of the style sheet.
    pub(super) style: String,
    /// Who is signed in, if anybody.
    pub(super) person: Option<String>,
    /// The text that forms carry.
    pub(super) form_token: String,
    /// What happened before.
    pub(super) flash: Option<Flash>,
}

impl Frame {
    /// The frame for nobody in particular.
    pub(super) fn bare(title: &str) -> Self {
        let (title, style) = (title.to_owned(), assets::style_path());
        Self { title, style, person: None, form_token: String::new(), flash: None }
    }

    /// The frame for whoever is signed in, with what waits for them.
    pub(super) fn of(console: &ConsoleState, signed_in: &SignedIn, title: &str) -> Self {
        Self {
            person: Some(signed_in.session.name.clone()),
            form_token: signed_in.form_token.expose().to_owned(),
            flash: console.flashes.take(signed_in.session.id),
            ..Self::bare(title)
        }
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct TextPage<'a> {
    frame: Frame,
    text: &'a str,
    command: &'a str,
}

/// A page as the answer.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the console could not be rendered. Please report this");
            (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be rendered; the log says why.\n")
                .into_response()
        }
    }
}

/// A page that only says something.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    html(status, &TextPage { frame: Frame::bare(title), text, command: "" })
}

/// The answer to whoever is not signed in.
pub(super) fn signed_out() -> Response {
    let text = "The console opens with a one-time link. On the machine where nuncio runs, in its folder, run this command \
                and open the link that it prints:";
    let page = TextPage { frame: Frame::bare("You are not signed in"), text, command: "nuncio console" };
    html(StatusCode::UNAUTHORIZED, &page)
}

/// The answer when the database fails.
pub(super) fn unavailable(error: &store::Error) -> Response {
    tracing::warn!(%error, "a page of the console was not shown: the database does not answer");
    message(
        StatusCode::SERVICE_UNAVAILABLE,
        "The database does not answer",
        "Nothing was changed. Try again in a moment; the log and /health say what is wrong.",
    )
}

/// The answer for what does not exist.
pub(super) fn not_found() -> Response {
    message(StatusCode::NOT_FOUND, "Not found", "There is nothing here. It may have been removed.")
}

/// Sends the browser to the page at `path`, which is one of ours.
pub(super) fn go_to(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}
