//! Requests of other sites: a browser that was sent here by another page changes nothing.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::console::page;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request of this method only reads.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Refuses every request that is not a plain read and does not come from a page of this console.
pub(super) async fn same_only(request: Request, next: Next) -> Response {
    if is_safe(request.method()) || is_same(request.headers()) {
        return next.run(request).await;
    }
    page::message(
        StatusCode::FORBIDDEN,
        "Refused",
        "This request did not come from a page of the console, so nothing was changed. Open the console and try again there.",
    )
}

/// Whether the browser says that a page of this origin sent the request. Browsers send `Sec-Fetch-Site` over HTTPS and on
/// this machine, `Origin` with every form; neither can be set by a page. A request with none of them is refused.
fn is_same(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(&SEC_FETCH_SITE) {
        // A proxy may have changed the host, but not this.
        return site == "same-origin";
    }
    let (Some(origin), Some(host)) = (text(&header::ORIGIN), text(&header::HOST)) else { return false };
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    authority.is_some_and(|authority| !host.is_empty() && authority.eq_ignore_ascii_case(host))
}

/// Whether the browser says that it sent the request over HTTPS.
pub(super) fn is_https(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    // W-2. Control: with `Sec-Fetch-Site` not looked at, "cross-site" beside our own origin passes.
    #[rstest::rstest]
    #[case(&[("host", "nuncio.example"), ("origin", "https://nuncio.example")], true)]
    #[case(&[("host", "10.0.0.5:3000"), ("origin", "http://10.0.0.5:3000")], true)]
    #[case(&[("host", "upstream"), ("origin", "https://nuncio.example"), ("sec-fetch-site", "same-origin")], true)]
    #[case(&[("host", "nuncio.example"), ("origin", "https://nuncio.example"), ("sec-fetch-site", "cross-site")], false)]
    #[case(&[("host", "nuncio.example"), ("sec-fetch-site", "same-site")], false)]
    #[case(&[("host", "nuncio.example"), ("sec-fetch-site", "none")], false)]
    #[case(&[("host", "nuncio.example"), ("origin", "https://evil.example")], false)]
    #[case(&[("host", "nuncio.example"), ("origin", "https://nuncio.example.evil.example")], false)]
    #[case(&[("host", "nuncio.example:3000"), ("origin", "http://nuncio.example")], false)]
    #[case(&[("host", "nuncio.example"), ("origin", "null")], false)]
    #[case(&[("host", ""), ("origin", "http://")], false)]
    #[case(&[("host", "nuncio.example")], false)]
    #[case(&[], false)]
    fn only_a_page_of_this_origin(#[case] lines: &[(&'static str, &'static str)], #[case] same: bool) {
        let lines = lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        assert_eq!(is_same(&lines.collect()), same);
    }
}
