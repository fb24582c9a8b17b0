//! Webhook routes: management with an account, use with the webhook's token.

use serde_json::Value;

use super::Call;
use super::body::{self, Upload};
use super::query::{flag, query};
use super::reply::Answer;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::State;
use crate::sandbox::discord::model::{Execution, Permission, Refusal, Webhook};
use crate::sandbox::discord::token::random_text;
use crate::sandbox::discord::validate::{self, Form};

/// Length of a webhook's token.
pub(in crate::sandbox::discord) const TOKEN: usize = 68;

impl State {
    /// The webhook object for a user who may manage it: includes its creator.
    fn webhook_object(&self, webhook: &Webhook) -> Value {
        let mut object = webhook.object(&format!("http://{}/api", self.address));
        if let Ok(creator) = self.world.user(webhook.creator) {
            object["user"] = creator.object();
        }
        object
    }
}

/// The webhooks of a channel: list, or create one.
pub(super) fn of_channel(
    state: &mut State,
    user: Snowflake,
    channel: Snowflake,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    state.world.channel_with(user, channel, Permission::ManageWebhooks)?;
    match call.method.as_str() {
        "GET" => Ok(listed(state, |webhook| webhook.channel == channel)),
        "POST" => {
            let Upload { body, .. } = body::read(call)?;
            let Some(name) = validate::webhook_name(&body, "name")? else {
                return Err(Refusal::at("name", "BASE_TYPE_REQUIRED", "This field is required"));
            };
            let webhook = state.world.add_webhook(user, channel, &name, random_text(TOKEN), now)?;
            Ok(Answer::json(state.webhook_object(&webhook)))
        }
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// The webhooks of a guild.
pub(super) fn of_guild(state: &State, user: Snowflake, guild: Snowflake) -> Result<Answer, Refusal> {
    if !state.world.guild(user, guild)?.permissions(user).has(Permission::ManageWebhooks) {
        return Err(Refusal::MissingPermissions);
    }
    Ok(listed(state, |webhook| webhook.guild == guild))
}

fn listed(state: &State, chosen: impl Fn(&Webhook) -> bool) -> Answer {
    let found = state.world.webhooks().filter(|webhook| chosen(webhook));
    Answer::json(found.map(|webhook| state.webhook_object(webhook)).collect())
}

/// A webhook, for a user who may manage it: read, change or delete.
pub(super) fn managed(
    state: &mut State,
    user: Snowflake,
    id: Snowflake,
    call: &Call,
) -> Result<Answer, Refusal> {
    let webhook = state.world.managed_webhook(user, id)?.clone();
    match call.method.as_str() {
        "GET" => Ok(Answer::json(state.webhook_object(&webhook))),
        "PATCH" => {
            let Upload { body, .. } = body::read(call)?;
            let channel = body.get("channel_id").filter(|channel| !channel.is_null());
            let channel = channel.and_then(Value::as_str).map(str::parse).transpose();
            let channel = channel.map_err(|_| Refusal::UnknownChannel)?.unwrap_or(webhook.channel);
            state.world.channel_with(user, channel, Permission::ManageWebhooks)?;
            let webhook = changed(state, id, &body, Some(channel))?;
            Ok(Answer::json(state.webhook_object(&webhook)))
        }
        "DELETE" => state.world.delete_webhook(id).map(|()| Answer::empty()),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// A webhook, for a holder of its token: read, change, delete or execute.
pub(super) fn with_token(
    state: &mut State,
    id: Snowflake,
    token: &str,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let webhook = state.world.webhook(id, token)?.clone();
    let api = format!("http://{}/api", state.address);
    match call.method.as_str() {
        "GET" => Ok(Answer::json(webhook.object(&api))),
        "PATCH" => {
            let Upload { body, .. } = body::read(call)?;
            changed(state, id, &body, None).map(|webhook| Answer::json(webhook.object(&api)))
        }
        "DELETE" => state.world.delete_webhook(id).map(|()| Answer::empty()),
        "POST" => execute(state, &webhook, call, now),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

fn changed(
    state: &mut State,
    id: Snowflake,
    body: &Value,
    channel: Option<Snowflake>,
) -> Result<Webhook, Refusal> {
    let name = validate::webhook_name(body, "name")?;
    let avatar = body.get("avatar").map(|avatar| avatar.as_str().map(|_| "0".repeat(32)));
    state.world.change_webhook(id, |webhook| {
        webhook.name = name.unwrap_or_else(|| webhook.name.clone());
        webhook.avatar = avatar.unwrap_or_else(|| webhook.avatar.clone());
        webhook.channel = channel.unwrap_or(webhook.channel);
    })
}

fn execute(state: &mut State, webhook: &Webhook, call: &Call, now: Timestamp) -> Result<Answer, Refusal> {
    let query = query(call);
    let Upload { mut body, files } = body::read(call)?;
    validate::file_count(files.len())?;
    // Components of webhooks without an application are ignored unless the request asks for them.
    if webhook.application.is_none() && !flag(&query, "with_components") {
        forget(&mut body, "components");
    }
    let mut draft = validate::draft(&body)?;
    check_components(webhook, &draft.components)?;
    // Execute Webhook supports neither nonces nor replies.
    (draft.files, draft.nonce, draft.enforce_nonce, draft.reference) = (files, None, false, None);
    let mut form = Form::default();
    let thread = form.snowflake(&query, "thread_id");
    let given = body.as_object().cloned().unwrap_or_default();
    let thread_name = form.text(&given, "thread_name", 1..=100);
    let avatar = form.url(&given, "avatar_url", 2048, &["http", "https"]);
    let tags = validate::tags(&body)?;
    let username = validate::webhook_name(&body, "username")?;
    let execution = form.finish(Execution { draft, username, avatar, thread, thread_name, tags })?;
    let message = state.world.execute(webhook, execution, now)?;
    state.ledger.message(true);
    Ok(if flag(&query, "wait") { Answer::json(message) } else { Answer::empty() })
}

/// A message of a webhook: read, edit or delete.
pub(super) fn message(
    state: &mut State,
    (id, token): (Snowflake, &str),
    message: Option<Snowflake>,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let webhook = state.world.webhook(id, token)?.clone();
    let message = message.ok_or(Refusal::UnknownMessage)?;
    let mut form = Form::default();
    let query = query(call);
    let thread = form.snowflake(&query, "thread_id");
    let thread = form.finish(thread)?;
    let world = &mut state.world;
    let (place, found) = world.webhook_message(&webhook, thread, message)?;
    match call.method.as_str() {
        "GET" => Ok(Answer::json(world.message_object(place, found))),
        "PATCH" => {
            let flags = found.draft.flags;
            let Upload { mut body, .. } = body::read(call)?;
            if webhook.application.is_none() && !flag(&query, "with_components") {
                forget(&mut body, "components");
            }
            let edit = validate::edit(&body, flags)?;
            check_components(&webhook, edit.components.as_deref().unwrap_or_default())?;
            world.edit_webhook_message(&webhook, thread, message, edit, now).map(Answer::json)
        }
        "DELETE" => world.delete_webhook_message(&webhook, thread, message).map(|()| Answer::empty()),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// A webhook without an application cannot send interactive components: no application would answer a click.
fn check_components(webhook: &Webhook, components: &[Value]) -> Result<(), Refusal> {
    if webhook.application.is_some() || !components.iter().any(interactive) {
        return Ok(());
    }
    // Discord documents the refusal, but not its message.
    let message = "Only webhooks of applications can send interactive components";
    Err(Refusal::at("components", "COMPONENT_NOT_ALLOWED_FOR_WEBHOOK", message))
}

fn forget(body: &mut Value, key: &str) {
    if let Some(body) = body.as_object_mut() {
        body.remove(key);
    }
}

/// Whether the component, or one inside it, creates interactions when used.
fn interactive(component: &Value) -> bool {
    component.get("custom_id").is_some()
        || component["components"].as_array().is_some_and(|inner| inner.iter().any(interactive))
        || component.get("accessory").is_some_and(interactive)
}
