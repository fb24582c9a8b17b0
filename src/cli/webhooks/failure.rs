//! Failures of XTSystems, as sentences that say what to do.

use crate::cli::webhooks::RegistrationAdmin;
use crate::xtsystems::CallFailure;

impl RegistrationAdmin {
    /// `failure` with advice for a shell.
    pub(super) fn explained(&self, failure: &CallFailure) -> anyhow::Error {
        anyhow::anyhow!("{}", self.sentence(failure))
    }

    pub(super) fn sentence(&self, failure: &CallFailure) -> String {
        let base = self.platform.base();
        let reply = failure.platform_reply.to_lowercase();
        match failure.status {
            None => format!("{failure} (XTSYSTEMS_API_URL is {base})"),
            Some(404) if reply.contains("webhook") => {
                format!(
                    "{failure}: it was deleted meanwhile. nuncio webhooks list shows those that are there"
                )
            }
            Some(404 | 405) => {
                format!(
                    "{failure}. Is XTSYSTEMS_API_URL ({base}) the API of XTSystems, without a path behind it?"
                )
            }
            Some(400 | 409) if reply.contains("exist") => format!(
                "{failure}. Give it another --name, or change the one that is there: nuncio webhooks update NAME"
            ),
            Some(400 | 409 | 422) => format!("{failure}. Change what it names, and try again"),
            _ => failure.to_string(),
        }
    }
}
