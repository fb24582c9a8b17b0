//! The style sheet and the icon: compiled in, and cached for good by a name that changes with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::signature::sha256_hex;

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

/// `style-<the first digits of its hash>.css`.
static STYLE_NAME: LazyLock<String> =
    LazyLock::new(|| format!("style-{}.css", sha256_hex(&[STYLE.as_bytes()]).get(..12).unwrap_or_default()));

/// The path of the style sheet.
pub(super) fn style_path() -> String {
    format!("/console/assets/{}", *STYLE_NAME)
}

/// `GET /console/assets/{file}`
pub(super) async fn file(Path(file): Path<String>) -> Response {
    let (kind, text) = match file.as_str() {
        "icon.svg" => ("image/svg+xml", ICON),
        name if name == *STYLE_NAME => ("text/css; charset=utf-8", STYLE),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, text).into_response()
}
