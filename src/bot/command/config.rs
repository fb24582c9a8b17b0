//! `/webhook-config`: what is configured, without a secret.

use poise::CreateReply;
use serenity::all::{CreateEmbed, CreateEmbedFooter};

use super::{Context, Error};
use crate::render::{self, Color, Surface};
use crate::samples;

/// Discord: "Embed Limits", description, less what stands around the table.
const MAX_TABLE: usize = 3900;

/// What nuncio listens to and where events go: port, path, the map with its channels
#[poise::command(
    slash_command,
    rename = "webhook-config",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
pub(super) async fn webhook_config(context: Context<'_>) -> Result<(), Error> {
    context.send(CreateReply::default().embed(embed(context)).ephemeral(true)).await?;
    Ok(())
}

fn embed(context: Context<'_>) -> CreateEmbed {
    let data = context.data();
    let endpoint = data.hub.endpoint();
    let port = endpoint.as_ref().map_or_else(|| "–".to_owned(), |at| at.address.port().to_string());
    let path = endpoint.as_ref().map_or_else(|| "–".to_owned(), |at| super::quoted(&at.path));
    let public =
        data.errands.webhook_url(&data.hub).map_or_else(|| "–".to_owned(), |url| super::quoted(&url));
    let platform = match &data.errands.platform {
        Some(platform) => format!("{}, key set", super::quoted(platform.base())),
        None => "no XTSYSTEMS_API_KEY".to_owned(),
    };
    let kinds = samples::all().iter().map(|sample| sample.kind).filter(|kind| *kind != "printer.jammed");
    let kinds = format!("{}, and any other as a plain card", kinds.collect::<Vec<_>>().join(", "));
    let table = data.hub.table().join("\n");
    let table = if table.is_empty() {
        "DISCORD_WEBHOOK_CHANNELS is empty: nothing goes anywhere.".to_owned()
    } else {
        table
    };
    let table: String = table.chars().take(MAX_TABLE).collect();
    CreateEmbed::new()
        .title("Configuration")
        .description(render::block(&table).write(Surface::Embed))
        .color(Color::Info.number())
        .fields([
            ("Port", port, true),
            ("Path", path, true),
            ("Secret", "set".to_owned(), true),
            ("Webhook address for XTSystems", public, false),
            ("XTSystems", platform, false),
            ("Supported events", kinds, false),
        ])
        .footer(CreateEmbedFooter::new("nuncio · changed in .env, counts after a restart"))
}
