//! `/webhook-config`: the configuration without its secrets.

use poise::CreateReply;
use serenity::all::{ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, CreateEmbedFooter};

use super::{Context, Error};
use crate::bot::custom_id;
use crate::bot::text::quoted;
use crate::render::{self, Color, Surface};

/// Discord: "Embed Limits", description. A whole embed may hold 6,000 characters.
const MAX_TABLE: usize = 4096;

/// What nuncio listens to and where events go: port, path, the map with its channels
#[poise::command(
    slash_command,
    rename = "webhook-config",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
pub(super) async fn webhook_config(context: Context<'_>) -> Result<(), Error> {
    let mut buttons =
        vec![CreateButton::new(custom_id::SET).label("Set channel").style(ButtonStyle::Primary)];
    if !context.data().hub.set_routes().is_empty() {
        buttons.push(CreateButton::new(custom_id::REMOVE).label("Remove").style(ButtonStyle::Secondary));
    }
    let reply = CreateReply::default().embed(embed(context)).ephemeral(true);
    context.send(reply.components(vec![CreateActionRow::Buttons(buttons)])).await?;
    Ok(())
}

fn embed(context: Context<'_>) -> CreateEmbed {
    let data = context.data();
    let overview = data.hub.overview();
    let endpoint = overview.endpoint;
    let port = endpoint.as_ref().map_or_else(|| "–".to_owned(), |at| at.address.port().to_string());
    let path = endpoint.as_ref().map_or_else(|| "–".to_owned(), |at| quoted(&at.path));
    let public = quoted(data.errands.registrar.url());
    let platform = match &data.errands.platform {
        Some(platform) => format!("{}, key set", quoted(platform.base())),
        None => "no XTSYSTEMS_API_KEY".to_owned(),
    };
    let kinds = format!("{}, and any other as a plain card", overview.kinds.join(", "));
    let table = render::listing(overview.table.iter().map(String::as_str), MAX_TABLE);
    CreateEmbed::new()
        .title("Configuration")
        .description(table.write(Surface::Embed))
        .color(Color::Info.number())
        .fields([
            ("Port", port, true),
            ("Path", path, true),
            ("Secret", "set".to_owned(), true),
            ("Webhook address for XTSystems", public, false),
            ("XTSystems", platform, false),
            ("Supported events", kinds, false),
        ])
        .footer(CreateEmbedFooter::new(
            "nuncio · Set channel takes effect at once, .env after SIGHUP or a restart",
        ))
}
