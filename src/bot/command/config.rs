//! `/webhook-config`: the configuration without its secrets.

use super::{CommandContext, Error};
use crate::bot::custom_id;
use crate::bot::reply::{ReplyBody, ReplyButton, ReplyEmbed, ReplyRow};
use crate::bot::text::quoted;
use crate::render::{self, Color, Surface};

/// Discord: "Embed Limits", description. A whole embed may hold 6,000 characters.
const MAX_TABLE: usize = 4096;

pub(super) async fn webhook_config(context: CommandContext<'_>) -> Result<(), Error> {
    let mut buttons = vec![ReplyButton::primary(custom_id::SET, "Set channel")];
    if !context.data().hub.set_routes().is_empty() {
        buttons.push(ReplyButton::secondary(custom_id::REMOVE, "Remove"));
    }
    let reply = ReplyBody::default().embed(embed(context)).ephemeral();
    context.responder.reply(reply.components(vec![ReplyRow::buttons(buttons)])).await?;
    Ok(())
}

fn embed(context: CommandContext<'_>) -> ReplyEmbed {
    let data = context.data();
    let overview = data.hub.overview();
    let endpoint = overview.endpoint;
    let port = endpoint.as_ref().map_or_else(|| "–".to_owned(), |at| at.address.port().to_string());
    let registrar = &data.errands.registrar;
    let (path, public, secret) = match endpoint.as_ref().filter(|_| registrar.has_secret()) {
        Some(at) => (quoted(&at.path), quoted(registrar.url()), "set"),
        None if registrar.has_secret() => ("–".to_owned(), quoted(registrar.url()), "set"),
        None => ("–".to_owned(), "none: WEBHOOK_SECRET is not set".to_owned(), "not set"),
    };
    let platform = match &data.errands.platform {
        Some(platform) => format!("{}, key set", quoted(platform.base())),
        None => "no XTSYSTEMS_API_KEY".to_owned(),
    };
    let kinds = format!("{}, and any other as a plain card", overview.kinds.join(", "));
    let table = render::listing(overview.table.iter().map(String::as_str), MAX_TABLE);
    ReplyEmbed::new("Configuration", table.write(Surface::Embed))
        .color(Color::Info.number())
        .fields([
            ("Port", port, true),
            ("Path", path, true),
            ("Secret", secret.to_owned(), true),
            ("Webhook address for XTSystems", public, false),
            ("XTSystems", platform, false),
            ("Supported events", kinds, false),
        ])
        .footer("nuncio · Set channel takes effect at once, .env after SIGHUP or a restart")
}
