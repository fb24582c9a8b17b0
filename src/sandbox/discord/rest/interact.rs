//! Interaction routes: user actions (`POST /interactions`), and an application's answers with a token.

use serde_json::{Map, Value};

use super::Call;
use super::body::{self, Upload};
use super::query::{flag, query};
use super::reply::Answer;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Click, Invoke, Refusal, Reply, Submit, World};
use crate::sandbox::discord::token::{Caller, Kind, random_text};
use crate::sandbox::discord::validate::{self, Form};

/// Length of an interaction's token.
const TOKEN: usize = 128;
/// The flag of ephemeral answers.
const EPHEMERAL: u64 = 1 << 6;

/// A person clicks, submits a modal, invokes a command or types one. Answers 204, like Discord; in addition, the
/// header `x-sandbox-interaction` has the id of the created interaction.
pub(super) fn interact(
    world: &mut World,
    caller: Caller,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if caller.kind != Kind::Person {
        return Err(Refusal::BotsCannot);
    }
    let Upload { body, .. } = body::read(call)?;
    let empty = Map::new();
    let given = body.as_object().unwrap_or(&empty);
    let mut form = Form::default();
    let kind = form.integer(given, "type", 2..=5);
    let channel = form.snowflake(given, "channel_id");
    let data = form.object(given, "data");
    for (key, missing) in
        [("type", kind.is_none()), ("channel_id", channel.is_none()), ("data", data.is_none())]
    {
        if missing && given.get(key).is_none_or(Value::is_null) {
            form.required(key);
        }
    }
    let (Some(kind), Some(channel), Some(data)) = (kind, channel, data) else { return Err(form.into()) };
    let nonce = given.get("nonce").cloned().unwrap_or(Value::Null);
    let token = random_text(TOKEN);
    let user = caller.user;
    let mut text = |key: &str| form.text(data, &format!("data.{key}"), 0..=100).unwrap_or_default();
    let list = |key: &str| data.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let id = match kind {
        3 => {
            let custom_id = text("custom_id");
            let message = form.snowflake(given, "message_id");
            let component = form.integer(data, "data.component_type", 2..=8).unwrap_or(2);
            let Some(message) = message else {
                form.required("message_id");
                return Err(form.into());
            };
            let values = list("values").iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
            let component = form.finish(component.unsigned_abs())?;
            world.click(user, Click { channel, message, component, custom_id, values, nonce }, token, now)?
        }
        5 => {
            let custom_id = text("custom_id");
            let opened_by = form.snowflake(data, "data.id");
            let components = form.finish(list("components"))?;
            world.submit(user, Submit { channel, opened_by, custom_id, components, nonce }, token, now)?
        }
        _ => {
            let invoke = Invoke {
                channel,
                name: text("name"),
                id: form.snowflake(data, "data.id"),
                kind: form.integer(data, "data.type", 1..=3).unwrap_or(1).unsigned_abs(),
                options: list("options"),
                target: form.snowflake(data, "data.target_id"),
                autocomplete: kind == 4,
                nonce,
            };
            world.invoke(user, form.finish(invoke)?, token, now)?
        }
    };
    let mut answer = Answer::empty();
    answer.headers.push(("x-sandbox-interaction", id.to_string()));
    Ok(answer)
}

/// The application's first answer (Discord: "Create Interaction Response").
pub(super) fn callback(
    world: &mut World,
    id: Snowflake,
    token: &str,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let Upload { body, files } = body::read(call)?;
    let interaction = world.unanswered(id, token, now)?;
    let kind = body.get("type").and_then(Value::as_i64).unwrap_or(0);
    if !Reply::fits(kind, interaction) {
        let message = "Value must be one of the types that answer this interaction.";
        return Err(Refusal::at("type", "BASE_TYPE_CHOICES", message));
    }
    let empty = Value::Object(Map::new());
    let data = body.get("data").filter(|data| !data.is_null()).unwrap_or(&empty);
    let within = |refusal: Refusal| refusal.within("data");
    let reply = match kind {
        4 => {
            validate::file_count(files.len()).map_err(within)?;
            let mut draft = validate::answer(data).map_err(within)?;
            (draft.files, draft.nonce) = (files, None);
            Reply::Message(draft)
        }
        5 => Reply::Deferred(data.get("flags").and_then(Value::as_u64).unwrap_or(0) & EPHEMERAL != 0),
        6 => Reply::DeferredUpdate,
        7 => Reply::Update(validate::edit(data, world.source_flags(interaction)).map_err(within)?),
        8 => Reply::Choices(validate::choices(data).map_err(within)?),
        _ => Reply::Modal(validate::modal(data).map_err(within)?),
    };
    let object = world.answer(id, reply, now)?;
    Ok(if flag(&query(call), "with_response") { Answer::json(object) } else { Answer::empty() })
}

/// A followup (Discord: "Create Followup Message").
pub(super) fn follow_up(
    world: &mut World,
    token: &str,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    world.answered(token, now)?;
    let Upload { body, files } = body::read(call)?;
    validate::file_count(files.len())?;
    let mut draft = validate::answer(&body)?;
    (draft.files, draft.nonce, draft.reference) = (files, None, None);
    world.follow_up(token, draft, now).map(Answer::json)
}

/// A message that answers an interaction: read, edit or delete.
pub(super) fn message(
    world: &mut World,
    token: &str,
    message: Option<Snowflake>,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let (channel, stored) = world.answer_message(token, message, now)?;
    match call.method.as_str() {
        "GET" => world.show(channel, stored.id).map(Answer::json),
        "PATCH" => {
            let flags = stored.draft.flags;
            let Upload { body, .. } = body::read(call)?;
            let edit = validate::edit(&body, flags)?;
            world.edit_answer(token, message, edit, now).map(Answer::json)
        }
        "DELETE" => world.delete_answer(token, message, now).map(|()| Answer::empty()),
        _ => Err(Refusal::MethodNotAllowed),
    }
}
