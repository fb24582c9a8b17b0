//! Dependencies of the commands besides the hub: the platform's client and parts of the configuration.

use crate::model::LinkTemplate;
use crate::xtsystems;

/// Dependencies of the commands besides the hub.
#[derive(Clone, Debug)]
pub struct CommandDeps {
    /// The platform's client; `None` without an API key.
    pub platform: Option<xtsystems::XtSystemsClient>,
    /// Registers nuncio's webhook with the platform.
    pub registrar: xtsystems::Registrar,
    /// URL template of a ticket's web page.
    pub ticket_url: Option<LinkTemplate>,
}
