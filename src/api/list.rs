//! Lists in pages: `limit` and `cursor` (keyset, so that pages stay right while entries come and go).

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::problem::{Code, Fault, ProblemDetails};
use crate::api::query;
use crate::api::state::ApiState;
use crate::model::Principal;

/// The largest page.
const LARGEST: usize = 200;
const DEFAULT: usize = 50;

/// The parameters of every list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only for the document: `Paging` reads them")]
pub(in crate::api) struct PageParams {
    /// How many entries a page has: 1 to 200, other numbers count as the nearest of these.
    #[param(default = 50, example = 50)]
    limit: Option<i64>,
    /// Where the page begins: `next_cursor` of the page before. It belongs to this list, these filters and this key.
    cursor: Option<String>,
}

/// A list without filters.
#[derive(Deserialize, IntoParams)]
pub(in crate::api) struct NoFilters {}

/// Which page of a list is asked for.
pub(in crate::api) struct Paging<F = NoFilters> {
    /// The other parameters.
    pub(in crate::api) filters: F,
    limit: usize,
    last: Option<Uuid>,
    /// The list, its filters, and who may see it.
    scope: String,
    /// Path and filters of the next page.
    link: String,
    api: ApiState,
}

impl<F: DeserializeOwned + IntoParams> FromRequestParts<ApiState> for Paging<F> {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, ProblemDetails> {
        let pairs = query::pairs(&parts.uri)?;
        let filters = query::read(&parts.uri, &pairs, &["limit", "cursor"])?;
        let value =
            |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let limit = value("limit").map_or(Ok(DEFAULT), limit)?;
        let key =
            parts.extensions.get::<Principal>().map(|principal| principal.key.map(|key| key.to_string()));
        let filtered: Vec<_> =
            pairs.iter().filter(|(name, _)| !["limit", "cursor"].contains(&name.as_str())).collect();
        // As JSON, no part can be taken for another.
        let scope = serde_json::to_string(&(parts.uri.path(), key, filtered)).unwrap_or_default();
        let last = match value("cursor") {
            None => None,
            Some(cursor) => Some(api.cursors.open(&scope, cursor).ok_or_else(|| {
                let detail =
                    "This cursor is not of this list, these filters and this key. Start again without it.";
                ProblemDetails::new(Code::InvalidCursor, detail)
            })?),
        };
        let kept = parts.uri.query().unwrap_or_default().split('&');
        let kept: String = kept
            .filter(|pair| !pair.is_empty() && !pair.starts_with("limit=") && !pair.starts_with("cursor="))
            .flat_map(|pair| [pair, "&"])
            .collect();
        let link = format!("{}?{kept}limit={limit}&cursor=", parts.uri.path());
        Ok(Self { filters, limit, last, scope, link, api: api.clone() })
    }
}

/// A number, clamped to what a page can have.
fn limit(text: &str) -> Result<usize, ProblemDetails> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let fault = Fault::new("?limit", "wrong_type", format!("must be a whole number from 1 to {LARGEST}"));
        return Err(ProblemDetails::faults(Code::InvalidQuery, vec![fault]));
    }
    Ok(if text.starts_with('-') { 1 } else { text.parse().unwrap_or(LARGEST).clamp(1, LARGEST) })
}

impl<F> Paging<F> {
    /// The id after which the page begins.
    pub(in crate::api) fn after<Id: From<Uuid>>(&self) -> Option<Id> {
        self.last.map(Id::from)
    }

    /// How many entries to fetch: one more than the page has, which shows whether there is a next page.
    pub(in crate::api) const fn fetch(&self) -> usize {
        self.limit + 1
    }

    /// The page that `entries` begin, which were fetched so; `id` is what they are ordered by.
    pub(in crate::api) fn page<T, Id: Into<Uuid>>(
        &self,
        mut entries: Vec<T>,
        id: impl Fn(&T) -> Id,
    ) -> Page<T> {
        let has_next = entries.len() > self.limit;
        entries.truncate(self.limit);
        let last = entries.last().filter(|_| has_next).map(|last| id(last).into());
        let next_cursor = last.map(|last| self.api.cursors.seal(&self.scope, last));
        let next_link = next_cursor.as_ref().map(|cursor| format!("<{}{cursor}>; rel=\"next\"", self.link));
        Page { entries, next_cursor, next_link }
    }

    /// The page of a list that is in memory as a whole, in the order of its ids.
    pub(in crate::api) fn page_of<T, Id: Into<Uuid> + Copy>(
        &self,
        all: Vec<T>,
        id: impl Fn(&T) -> Id,
    ) -> Page<T> {
        let is_after = |entry: &T| self.last.is_none_or(|last| id(entry).into() > last);
        let entries = all.into_iter().filter(is_after).take(self.fetch()).collect();
        self.page(entries, id)
    }
}

/// A page of a list.
pub(in crate::api) struct Page<T> {
    entries: Vec<T>,
    next_cursor: Option<String>,
    next_link: Option<String>,
}

/// The answer with a page: `{"data":[…],"next_cursor":…}`.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Listing<V> {
    /// The entries.
    data: Vec<V>,
    /// The cursor of the next page; null on the last one.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Answers `{"data":[…],"next_cursor":…}`: on routes of ours.
    pub(in crate::api) fn list<V>(self, view: impl FnMut(T) -> V) -> Json<Listing<V>> {
        Json(Listing { data: self.entries.into_iter().map(view).collect(), next_cursor: self.next_cursor })
    }

    /// Answers a bare array with a `Link` header: on routes of the seeds.
    pub(in crate::api) fn array<V: Serialize>(self, view: impl FnMut(T) -> V) -> Response {
        let entries: Vec<V> = self.entries.into_iter().map(view).collect();
        let mut response = Json(entries).into_response();
        if let Some(link) = self.next_link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    //
    #[test]
    fn a_limit_is_clamped_and_must_be_a_number() {
        for (text, expected) in [
            ("1", Some(1)),
            ("200", Some(200)),
            ("0", Some(1)),
            ("-1", Some(1)),
            ("1000000000", Some(200)),
            ("99999999999999999999999999", Some(200)),
            ("", None),
            ("-", None),
            ("1;DROP TABLE events", None),
            ("1.5", None),
            ("+1", None),
        ] {
            assert_eq!(limit(text).ok(), expected, "{text}");
        }
    }
}
