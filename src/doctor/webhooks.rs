//! The stored Discord webhooks: whether Discord still knows each. Each is read once; nothing is sent through it.

use crate::clock::Clock;
use crate::config::{Config, EncryptionKey};
use crate::discord::{HttpTransport, WebhookLookup};
use crate::doctor::channels::of_problem;
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT, State};
use crate::hub::{destination_missing, lost_webhook, replace_webhook};
use crate::key::Key;
use crate::model::LostWebhook;
use crate::model::route::Target;
use crate::store::SealedWebhook;

/// The most webhooks read.
const MOST_ASKED: usize = 25;

/// A check for each stored webhook. One that nuncio itself found closed is not requested again: Discord forbids that.
pub(super) async fn checks(
    config: &Config,
    transport: &HttpTransport,
    clock: &Clock,
    stored: &[SealedWebhook],
    is_reachable: bool,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for webhook in stored {
        if let Some(why) = &webhook.closed {
            let found = format!("The stored webhook {} is closed: {why}.", label(webhook));
            checks.push(judged(config, webhook, Code::WebhookClosed, found));
        }
    }
    let open: Vec<_> = stored.iter().filter(|webhook| webhook.closed.is_none()).collect();
    let asked = open.iter().take(if is_reachable { MOST_ASKED } else { 0 });
    let mut looked = Vec::new();
    if let Some(key) = key(config) {
        let looking = async {
            for webhook in asked {
                let Some(url) = webhook.open(&key) else { continue };
                if let Ok(found) = transport.webhook(&url).await {
                    looked.push((*webhook, found));
                }
            }
        };
        // A webhook that is not known by then counts as unread.
        let _ = clock.within(LIMIT, looking).await;
    }
    let unread = open.len() - looked.len();
    for (webhook, found) in looked {
        checks.push(match found {
            WebhookLookup::Found(_) => {
                Check::ok(Code::Webhook, format!("Discord knows the stored webhook {}.", label(webhook)))
            }
            WebhookLookup::Lost(lost, _) => {
                let code = match lost {
                    LostWebhook::Deleted => Code::WebhookGone,
                    LostWebhook::TokenRefused => Code::WebhookTokenRefused,
                };
                let problem = lost_webhook(webhook.id, &webhook.name, &webhook.mark, lost);
                judged(config, webhook, code, format!("{}.", problem.found))
            }
        });
    }
    if unread > 0 {
        checks.push(Check::warn(
            Code::WebhooksUnread,
            format!("{unread} of {} stored webhooks could not be looked at.", stored.len()),
            "Try each: nuncio discord-webhooks list names them, nuncio discord-webhooks test ID sends a test through one.",
        ));
    }
    checks
}

/// A failure for each key of the map that names a destination which is not stored.
pub(super) fn unknown(config: &Config, stored: &[SealedWebhook]) -> Vec<Check> {
    let is_stored = |id| stored.iter().any(|webhook| webhook.id == id);
    let mut checks = Vec::new();
    for route in config.routes.routes() {
        let is_gone = |target: &&Target| matches!(target, Target::Stored(id) if !is_stored(*id));
        let gone: Vec<String> = route.targets.iter().filter(is_gone).map(ToString::to_string).collect();
        if !gone.is_empty() {
            let problem = destination_missing(&route.key, &gone, gone.len() < route.targets.len());
            checks.push(of_problem(Code::WebhookUnknown, problem));
        }
    }
    checks
}

/// A failure if something is sent there, otherwise a warning.
fn judged(config: &Config, webhook: &SealedWebhook, code: Code, found: String) -> Check {
    let is_used =
        config.routes.routes().iter().any(|route| route.targets.contains(&Target::Stored(webhook.id)));
    let state = if is_used { State::Fail } else { State::Warn };
    let remedy = replace_webhook(webhook.id);
    Check { state, ..Check::fail(code, found, remedy) }
}

/// A name and a masked address, for findings.
fn label(webhook: &SealedWebhook) -> String {
    format!("\"{}\" ({})", webhook.name, webhook.mark)
}

/// The key that seals the addresses; `None` if it cannot be read, which another check reports.
fn key(config: &Config) -> Option<Key> {
    match &config.encryption {
        EncryptionKey::Given(key) => Some(key.clone()),
        EncryptionKey::File { path, .. } => Key::read(path).ok().flatten(),
    }
}
