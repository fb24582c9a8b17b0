//! Who is signed in. Every page but those of sign-in passes here, and so does every change, with the session's token in
//! its form.

use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use crate::console::form::Fields;
use crate::console::origin::is_safe;
use crate::console::signed_in::SignedIn;
use crate::console::{ConsoleState, cookie, page};
use crate::model::{ClientScheme, ConsoleToken};
use crate::signature;

/// The field of every form that carries the session's token.
const FORM_TOKEN: &str = "token";

/// The token in this request's cookie.
pub(super) fn token_of<B>(request: &axum::http::Request<B>) -> Option<ConsoleToken> {
    cookie::token(request.headers(), scheme_of(request))
}

/// The scheme of this request.
pub(super) fn scheme_of<B>(request: &axum::http::Request<B>) -> ClientScheme {
    request.extensions().get().copied().unwrap_or(ClientScheme::Http)
}

/// Lets a request pass if its cookie is that of a session and, unless it only reads, its form carries the session's
/// token.
pub(super) async fn signed_in_only(
    State(console): State<ConsoleState>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = token_of(&request) else { return page::signed_out() };
    let session = match console.hub.console_session(&token).await {
        Ok(Some(session)) => session,
        Ok(None) => return page::signed_out(),
        Err(error) => return page::unavailable(&error),
    };
    let (mut head, mut body) = request.into_parts();
    let form_token = token.form_token();
    if !is_safe(&head.method) {
        let form = Form::from_request(Request::from_parts(head.clone(), body), &()).await;
        let Ok(Form(fields)) = form else {
            let text = "The form is too large, or no form. Nothing was changed. Go back and try again.";
            return page::message(StatusCode::BAD_REQUEST, "Not understood", text);
        };
        let fields = Fields::new(fields);
        if !signature::same(&form_token, fields.text(FORM_TOKEN)) {
            let text = "This form belongs to an earlier session, so nothing was changed. Open the page anew and try again.";
            return page::message(StatusCode::FORBIDDEN, "Refused", text);
        }
        head.extensions.insert(fields);
        body = Body::empty();
    }
    head.extensions.insert(SignedIn { session, form_token });
    next.run(Request::from_parts(head, body)).await
}
