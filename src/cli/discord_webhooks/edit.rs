//! `nuncio discord-webhooks edit`, `enable` and `disable`.

use std::process::ExitCode;

use crate::cli::discord_webhooks::{WebhookAdmin, by, category, scope};
use crate::cli::hub_error::at_shell;
use crate::cli::{Usage, print, say, table};
use crate::model::{Category, Scope, WebhookChange};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The webhook's id, the last 8 characters of its id, or its name
    id: String,
    /// Display name
    #[arg(long)]
    name: Option<String>,
    /// Type of events it is for: `GAME_SERVER`, `VPS`, `SYSTEM`, `BILLING`, `SECURITY`, `SUPPORT` or `CUSTOM`
    #[arg(long = "type", value_name = "TYPE", value_parser = category)]
    category: Option<Category>,
    /// Audience: ADMIN, USER (requires an owner) or PUBLIC
    #[arg(long, value_parser = scope)]
    scope: Option<Scope>,
    /// Id of the user who owns it; an empty one removes it
    #[arg(long, value_name = "USER_ID")]
    owner: Option<String>,
    /// Purpose; an empty one removes it
    #[arg(long)]
    description: Option<String>,
    /// The icon of its messages, a public https address; an empty one removes it
    #[arg(long, value_name = "URL")]
    avatar_url: Option<String>,
}

impl WebhookAdmin {
    pub(super) async fn edit(&self, args: Args) -> anyhow::Result<ExitCode> {
        let Args { id, name, category, scope, owner, description, avatar_url } = args;
        let avatar_url = avatar_url.map(|url| Some(url).filter(|url| !url.is_empty()));
        let change = WebhookChange { name, category, scope, owner, description, avatar_url, enabled: None };
        if change.fields().is_empty() {
            let sentence =
                "say what to change: --name, --type, --scope, --owner, --description or --avatar-url";
            return Err(Usage(sentence.to_owned()).into());
        }
        let fields = change.fields().join(", ");
        let webhook = self.webhooks.hub().webhook_named(&id).await.map_err(at_shell)?;
        let changed = self.webhooks.change(webhook.id, change, None, &by("edit")).await.map_err(at_shell)?;
        print(&format!("{}: {fields} changed.", table::clean(&changed.about.name, 80)));
        Ok(ExitCode::SUCCESS)
    }

    /// Enables or disables a webhook.
    pub(super) async fn switch(&self, id: &str, enabled: bool) -> anyhow::Result<ExitCode> {
        let webhook = self.webhooks.hub().webhook_named(id).await.map_err(at_shell)?;
        let name = table::clean(&webhook.about.name, 80);
        let word = if enabled { "enabled" } else { "disabled" };
        if webhook.about.enabled == enabled {
            print(&format!("{name} is {word} already."));
            return Ok(ExitCode::SUCCESS);
        }
        let change = WebhookChange { enabled: Some(enabled), ..WebhookChange::default() };
        let action = by(if enabled { "enable" } else { "disable" });
        let changed = self.webhooks.change(webhook.id, change, None, &action).await.map_err(at_shell)?;
        print(&format!("{name} is {word}."));
        match enabled {
            true => self.say_when(changed.waiting),
            false => say("What comes for it waits until it is enabled."),
        }
        Ok(ExitCode::SUCCESS)
    }
}
