//! The static files of the page: each has a fixed path, no path is computed.
//!
//! Invariant: only [`ASSETS`] are served, and the page loads nothing else.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::sandbox::discord::Face;

/// Nothing inline, and nothing from other origins except the images of embeds.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src 'self' data: http: https:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, content type and text of a file in `src/sandbox/page`.
macro_rules! asset {
    ($name:literal, $kind:expr) => {
        (concat!("/", $name), $kind, include_str!(concat!("../../page/", $name)))
    };
}

const ASSETS: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("../../page/index.html")),
    asset!("action.css", CSS),
    asset!("message.css", CSS),
    asset!("platform.css", CSS),
    asset!("style.css", CSS),
    asset!("announce.js", SCRIPT),
    asset!("app.js", SCRIPT),
    asset!("apps.js", SCRIPT),
    asset!("command.js", SCRIPT),
    asset!("commandform.js", SCRIPT),
    asset!("component.js", SCRIPT),
    asset!("composer.js", SCRIPT),
    asset!("connection.js", SCRIPT),
    asset!("demo.js", SCRIPT),
    asset!("element.js", SCRIPT),
    asset!("embed.js", SCRIPT),
    asset!("forum.js", SCRIPT),
    asset!("interaction.js", SCRIPT),
    asset!("markdown.js", SCRIPT),
    asset!("member.js", SCRIPT),
    asset!("menu.js", SCRIPT),
    asset!("message.js", SCRIPT),
    asset!("modal.js", SCRIPT),
    asset!("navigation.js", SCRIPT),
    asset!("note.js", SCRIPT),
    asset!("person.js", SCRIPT),
    asset!("platform.js", SCRIPT),
    asset!("request.js", SCRIPT),
    asset!("status.js", SCRIPT),
    asset!("stream.js", SCRIPT),
    asset!("suggestion.js", SCRIPT),
    asset!("time.js", SCRIPT),
    asset!("user.js", SCRIPT),
    asset!("value.js", SCRIPT),
    asset!("world.js", SCRIPT),
];

/// One route per file.
pub(super) fn router() -> Router<Face> {
    ASSETS.iter().fold(Router::new(), |router, &(path, kind, text)| {
        router.route(path, get(move || async move { file(kind, text) }))
    })
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        ("content-type", kind),
        ("content-security-policy", POLICY),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names after `start`, up to the next quotation mark.
    fn quoted<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(start).skip(1).filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn all_that_the_page_loads_is_served_and_nothing_else() {
        let served: BTreeSet<&str> =
            ASSETS.iter().map(|(path, ..)| *path).filter(|path| *path != "/").collect();
        let loaded: BTreeSet<String> = ASSETS
            .iter()
            .flat_map(|(path, _, text)| {
                let imports = quoted(text, "from \"./");
                let linked = ["href=\"/", "src=\"/"].into_iter().filter(|_| *path == "/");
                imports.chain(linked.flat_map(|start| quoted(text, start))).map(|name| format!("/{name}"))
            })
            .collect();
        assert_eq!(served, loaded.iter().map(String::as_str).collect());
    }

    #[test]
    fn no_file_writes_markup_or_runs_text() {
        for (path, _, text) in ASSETS {
            for danger in
                ["innerHTML =", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
            {
                assert!(!text.contains(danger), "{path} has {danger}");
            }
            assert!(text.lines().count() <= 400, "{path} is too long");
        }
    }
}
