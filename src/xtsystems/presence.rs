//! Endpoint probe: checks whether the platform has a call, without making it.
//!
//! `OPTIONS` has no effect (RFC 9110, "Safe Methods"), and the id in the path belongs to no object: whatever a platform
//! does with the request, no machine is approved.

use reqwest::Method;

use crate::model::CallTemplate;
use crate::xtsystems::XtSystemsClient;

/// An id that belongs to no machine and no ticket.
const NOTHINGS: &str = "nuncio-doctor-asks-whether-this-call-is-there";
/// A path that every platform with webhooks has.
const WEBHOOKS: &str = "/v1/webhooks";

/// Whether the platform has a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The call exists, as far as `OPTIONS` shows.
    Exists,
    /// The path does not exist.
    Missing,
    /// The path exists, and accepts only these methods.
    OtherMethod(String),
    /// The platform's response does not show it.
    Unknown,
}

impl XtSystemsClient {
    /// Checks whether the platform has this call.
    pub async fn presence(&self, call: &CallTemplate) -> Presence {
        let Some(endpoint) = call.about(NOTHINGS) else { return Presence::Unknown };
        match self.options(&endpoint.path).await {
            Some((404 | 410, _)) => match self.options(WEBHOOKS).await {
                // The platform returns this for every path.
                Some((404 | 410, _)) | None => Presence::Unknown,
                Some(_) => Presence::Missing,
            },
            Some((200..=299 | 405, Some(allowed))) => {
                let method = endpoint.method.as_str();
                match allowed.split(',').any(|word| word.trim().eq_ignore_ascii_case(method)) {
                    true => Presence::Exists,
                    false => Presence::OtherMethod(allowed),
                }
            }
            Some((200..=299 | 405, None)) => Presence::Exists,
            Some(_) | None => Presence::Unknown,
        }
    }

    /// The status and allowed methods in the response to `OPTIONS path`; `None` without a response.
    async fn options(&self, path: &str) -> Option<(u16, Option<String>)> {
        let request = self.http_client().ok()?.request(Method::OPTIONS, format!("{}{path}", self.0.base));
        let response = request.bearer_auth(self.0.key.expose()).send().await.ok()?;
        let allowed = response.headers().get("allow").and_then(|methods| methods.to_str().ok());
        let allowed =
            allowed.map(|methods| methods.chars().filter(|char| !char.is_control()).take(100).collect());
        Some((response.status().as_u16(), allowed))
    }
}
