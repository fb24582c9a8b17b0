//! The connection to the platform: `XTSYSTEMS_*`.

use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::config::{discord_base, header_safe};
use crate::model::{CallTemplate, Calls, LinkTemplate, Links};
use crate::secret::Secret;

/// The connection to the platform.
#[derive(Clone, Debug)]
pub struct XtSystemsConfig {
    /// An http(s) URL without a trailing slash, credentials, query or fragment.
    pub api_url: String,
    /// The API key; without it nothing is sent to the platform.
    pub api_key: Option<Secret>,
    /// The HTTP calls for decisions and tickets.
    pub calls: Calls,
    /// URL templates for the platform's web pages.
    pub links: Links,
}

impl XtSystemsConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut link = |name: &str| {
            reader.optional(name, |text| {
                LinkTemplate::parse(text).map_err(|sentence| {
                    InvalidValue::new("cannot be used for links", format!("As a web address, {sentence}."))
                })
            })
        };
        let links = Links {
            ticket: link("XTSYSTEMS_TICKET_URL"),
            asset: link("XTSYSTEMS_ASSET_URL"),
            machine: link("XTSYSTEMS_MACHINE_URL"),
        };
        let usual = Calls::default();
        let calls = Calls {
            approve: call(reader, "XTSYSTEMS_APPROVE", usual.approve, true),
            deny: call(reader, "XTSYSTEMS_DENY", usual.deny, true),
            create_ticket: call(reader, "XTSYSTEMS_CREATE_TICKET", usual.create_ticket, false),
            update_ticket: call(reader, "XTSYSTEMS_UPDATE_TICKET", usual.update_ticket, true),
        };
        Self {
            api_url: reader.or("XTSYSTEMS_API_URL", "http://localhost:20437".to_owned(), |text| {
                let url = discord_base::http_url(text.trim()).map_err(|what| {
                    InvalidValue::new(what, "An address such as http://localhost:20437 (the default).")
                })?;
                Ok(url.as_str().trim_end_matches('/').to_owned())
            }),
            api_key: reader.optional("XTSYSTEMS_API_KEY", header_safe),
            calls,
            links,
        }
    }
}

fn call(reader: &mut Reader<'_>, name: &str, usual: CallTemplate, about_one: bool) -> CallTemplate {
    let fix = format!("A method and a path, such as {usual} (the default).");
    reader.or(name, usual, |text| {
        CallTemplate::parse(text, about_one)
            .map_err(|sentence| InvalidValue::new(format!("is not a call of an API: {sentence}"), fix))
    })
}
