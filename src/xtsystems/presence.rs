//! Whether a call is there, without making it.
//!
//! `OPTIONS` has no effect (RFC 9110, "Safe Methods"), and the id it names belongs to nothing: whatever a platform makes of
//! it, nobody is approved.

use reqwest::Method;

use crate::model::CallTemplate;
use crate::xtsystems::Client;

/// An id that no machine and no ticket has.
const NOTHINGS: &str = "nuncio-doctor-asks-whether-this-call-is-there";
/// What every platform with webhooks has.
const WEBHOOKS: &str = "/v1/webhooks";

/// Whether a call is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is, as far as can be told.
    There,
    /// Nothing is at its path.
    Missing,
    /// Its path is there and takes these methods only.
    OtherMethod(String),
    /// The platform does not say.
    Unknown,
}

impl Client {
    /// Whether the platform has this call.
    pub async fn presence(&self, call: &CallTemplate) -> Presence {
        let Some(endpoint) = call.about(NOTHINGS) else { return Presence::Unknown };
        match self.options(&endpoint.path).await {
            Some((404 | 410, _)) => match self.options(WEBHOOKS).await {
                // It answers so whatever it is asked about.
                Some((404 | 410, _)) | None => Presence::Unknown,
                Some(_) => Presence::Missing,
            },
            Some((200..=299 | 405, Some(allowed))) => {
                let method = endpoint.method.as_str();
                match allowed.split(',').any(|word| word.trim().eq_ignore_ascii_case(method)) {
                    true => Presence::There,
                    false => Presence::OtherMethod(allowed),
                }
            }
            Some((200..=299 | 405, None)) => Presence::There,
            Some(_) | None => Presence::Unknown,
        }
    }

    /// The status and the methods that `OPTIONS path` is answered with; `None` if it is not.
    async fn options(&self, path: &str) -> Option<(u16, Option<String>)> {
        let request = self.http_client().ok()?.request(Method::OPTIONS, format!("{}{path}", self.0.base));
        let response = request.bearer_auth(self.0.key.expose()).send().await.ok()?;
        let allowed = response.headers().get("allow").and_then(|methods| methods.to_str().ok());
        let allowed =
            allowed.map(|methods| methods.chars().filter(|char| !char.is_control()).take(100).collect());
        Some((response.status().as_u16(), allowed))
    }
}
