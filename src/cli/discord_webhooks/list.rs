//! `nuncio discord-webhooks list`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{print, say, table};
use crate::clock::Timestamp;
use crate::model::StoredWebhook;

pub(super) fn run(webhooks: &[StoredWebhook], as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        print(&Value::Array(webhooks.iter().map(json_of).collect()).to_string());
    } else if webhooks.is_empty() {
        say("No webhook is stored. nuncio discord-webhooks add --name NAME asks for its address.");
    } else {
        say(&columns("ID", "NAME", "TYPE", "SCOPE", "WAITING", "ADDRESS AND STATE"));
        webhooks.iter().for_each(|webhook| print(&table::fitted(&line(webhook))));
    }
    Ok(ExitCode::SUCCESS)
}

fn columns(id: &str, name: &str, category: &str, scope: &str, waiting: &str, rest: &str) -> String {
    format!("{id:8}  {name:20}  {category:11}  {scope:6}  {waiting:>7}  {rest}").trim_end().to_owned()
}

fn line(webhook: &StoredWebhook) -> String {
    let state = match (&webhook.closed, &webhook.denied) {
        _ if !webhook.about.enabled => "  disabled".to_owned(),
        (Some(why), _) => format!("  closed: {}", table::clean(why, 200)),
        (None, Some(why)) => format!("  takes nothing for now: {}", table::clean(why, 200)),
        (None, None) if webhook.failures > 0 => format!("  {} failures in a row", webhook.failures),
        (None, None) => String::new(),
    };
    columns(
        &webhook.id.short(),
        &table::clean(&webhook.about.name, 20),
        webhook.about.category.as_str(),
        webhook.about.scope.as_str(),
        &webhook.waiting.to_string(),
        &format!("{}{state}", webhook.mark),
    )
}

fn json_of(webhook: &StoredWebhook) -> Value {
    let about = &webhook.about;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    json!({
        "id": webhook.id,
        "name": about.name,
        "webhook_url": webhook.mark.to_string(),
        "type": about.category.as_str(),
        "scope": about.scope.as_str(),
        "description": about.description,
        "avatar_url": about.avatar_url,
        "user_id": given(&about.owner),
        "company_id": given(&about.company),
        "enabled": about.enabled,
        "closed": webhook.closed,
        "denied": webhook.denied,
        "waiting": webhook.waiting,
        "consecutive_failures": webhook.failures,
        "failure_rate": webhook.failure_rate(),
        "last_error": webhook.last_error,
        "discord": webhook.identity.as_ref().map(|identity| {
            json!({"name": identity.name, "channel_id": identity.channel, "guild_id": identity.guild})
        }),
        "last_success_at": webhook.last_success_at.map(Timestamp::to_rfc3339),
        "test_success_at": webhook.test_success_at.map(Timestamp::to_rfc3339),
        "created_at": webhook.created_at.to_rfc3339(),
    })
}
