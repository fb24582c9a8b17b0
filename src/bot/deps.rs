//! What commands need beside the hub: the platform, and what of the configuration they tell or pass on.

use crate::model::LinkTemplate;
use crate::xtsystems;

/// What commands need beside the hub.
#[derive(Clone, Debug)]
pub struct CommandDeps {
    /// The platform; `None` without a key for it.
    pub platform: Option<xtsystems::Client>,
    /// Registers us there.
    pub registrar: xtsystems::Registrar,
    /// The web address of a ticket.
    pub ticket_url: Option<LinkTemplate>,
}
