//! What commands need beside the hub: the platform, and what of the configuration they tell or pass on.

use crate::hub::Hub;
use crate::model::LinkTemplate;
use crate::secret::Secret;
use crate::xtsystems;

/// What commands need beside the hub.
#[derive(Clone, Debug)]
pub struct Errands {
    /// The platform; `None` without a key for it.
    pub platform: Option<xtsystems::Client>,
    /// What the platform signs its events with.
    pub secret: Secret,
    /// Where the platform reaches us, without a path; `None`: on this machine.
    pub public_url: Option<String>,
    /// The web address of a ticket.
    pub ticket_url: Option<LinkTemplate>,
}

impl Errands {
    /// Where the platform sends its events to, if this process listens.
    pub(super) fn webhook_url(&self, hub: &Hub) -> Option<String> {
        let endpoint = hub.endpoint()?;
        let base = self.public_url.clone();
        let base = base.unwrap_or_else(|| format!("http://localhost:{}", endpoint.address.port()));
        Some(format!("{base}{}", endpoint.path))
    }
}
