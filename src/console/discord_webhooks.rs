//! `/console/discord-webhooks`: stored Discord webhooks. An address is pasted once and never shown again.

mod form;
mod list;
mod remove;
mod words;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::console::flash::Flash;
use crate::console::form::Fields;
use crate::console::page::{Frame, html};
use crate::console::sign_in::HOME;
use crate::console::signed_in::SignedIn;
use crate::console::{ConsoleState, page};
use crate::discord_webhooks::{WebhookTest, not_looked_at};
use crate::hub::{Conflict, Error};
use crate::model::{DestinationId, Idempotent, Outcome, StoredWebhook, WebhookChange, WebhookUrl};

use form::{FormFaults, FormValues, WebhookForm};
use list::WebhookList;

/// The most of an answer of Discord that is shown, in characters.
const LONGEST_ANSWER: usize = 500;

type Console = State<ConsoleState>;
type SignedInPerson = Extension<SignedIn>;

/// `GET /console/discord-webhooks`
pub(super) async fn list(State(console): Console, Extension(person): SignedInPerson) -> Response {
    match console.hub.webhooks().await {
        Ok(webhooks) => {
            let frame = Frame::of(&console, &person, "Discord webhooks");
            html(StatusCode::OK, &WebhookList::new(frame, &webhooks, console.clock.now()))
        }
        Err(error) => page::unavailable(&error),
    }
}

/// `GET /console/discord-webhooks/new`
pub(super) async fn new(State(console): Console, Extension(person): SignedInPerson) -> Response {
    let frame = Frame::of(&console, &person, "Add a Discord webhook");
    html(StatusCode::OK, &WebhookForm::adding(frame, &FormValues::default(), &FormFaults::default()))
}

/// `POST /console/discord-webhooks`: stores a webhook and, if asked to, sends a test through it.
pub(super) async fn add(
    State(console): Console,
    Extension(person): SignedInPerson,
    Extension(fields): Extension<Fields>,
) -> Response {
    let values = FormValues::of(&fields);
    let (mut faults, url) = (values.faults(), address(&console, &fields));
    if let Err(why) = &url {
        faults.add("address", why.clone());
    }
    let stored = match (url, values.about()) {
        (Ok(url), Some(about)) if faults.is_empty() => {
            console.webhooks.add(about, &url, None, &person.by("discord-webhook.add")).await
        }
        _ => return adding_again(&console, &person, &values, &faults),
    };
    match stored {
        Ok(Idempotent::Done(webhook)) => {
            added(&console, &person, &webhook, fields.text("do") == "test").await
        }
        // Only requests with an Idempotency-Key are answered from before.
        Ok(Idempotent::Before(_)) => page::go_to(HOME),
        Err(error) => match faults_of(&console, &error).await {
            Some(faults) => adding_again(&console, &person, &values, &faults),
            None => failed(&error),
        },
    }
}

fn adding_again(
    console: &ConsoleState,
    person: &SignedIn,
    values: &FormValues,
    faults: &FormFaults,
) -> Response {
    let frame = Frame::of(console, person, "Add a Discord webhook");
    html(StatusCode::UNPROCESSABLE_ENTITY, &WebhookForm::adding(frame, values, faults))
}

async fn added(console: &ConsoleState, person: &SignedIn, webhook: &StoredWebhook, tests: bool) -> Response {
    if tests {
        return send_test(console, person, webhook.id).await;
    }
    let flash = match not_looked_at(webhook) {
        Some(warning) => Flash::bad(format!("“{}” is stored. {warning}.", webhook.about.name)),
        None => Flash::good(format!("“{}” is stored. Press Test to see it arrive.", webhook.about.name)),
    };
    done(console, person, flash)
}

/// `GET /console/discord-webhooks/{id}`
pub(super) async fn edit(
    State(console): Console,
    Extension(person): SignedInPerson,
    Path(id): Path<String>,
) -> Response {
    match found(&console, &id).await {
        Ok(webhook) => editing(&console, &person, StatusCode::OK, &webhook, None, &FormFaults::default()),
        Err(error) => failed(&error),
    }
}

/// `POST /console/discord-webhooks/{id}`: saves the details.
pub(super) async fn save(
    State(console): Console,
    Extension(person): SignedInPerson,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let webhook = match found(&console, &id).await {
        Ok(webhook) => webhook,
        Err(error) => return failed(&error),
    };
    let values = FormValues::of(&fields);
    let faults = values.faults();
    let changed = match values.change() {
        Some(change) if faults.is_empty() => {
            console.webhooks.change(webhook.id, change, None, &person.by("discord-webhook.change")).await
        }
        _ => return editing_again(&console, &person, &webhook, Some(&values), &faults),
    };
    match changed {
        Ok(saved) => done(&console, &person, Flash::good(format!("“{}” is saved.", saved.about.name))),
        Err(error) => match faults_of(&console, &error).await {
            Some(faults) => editing_again(&console, &person, &webhook, Some(&values), &faults),
            None => failed(&error),
        },
    }
}

/// `POST /console/discord-webhooks/{id}/address`: replaces the address.
pub(super) async fn replace(
    State(console): Console,
    Extension(person): SignedInPerson,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let webhook = match found(&console, &id).await {
        Ok(webhook) => webhook,
        Err(error) => return failed(&error),
    };
    let url = match address(&console, &fields) {
        Ok(url) => url,
        Err(why) => {
            return editing_again(&console, &person, &webhook, None, &FormFaults::one("address", why));
        }
    };
    let by = person.by("discord-webhook.replace");
    match console.webhooks.change(webhook.id, WebhookChange::default(), Some(&url), &by).await {
        Ok(saved) => {
            let waited = match webhook.waiting {
                0 => String::new(),
                1 => " The message that waited is sent now.".to_owned(),
                waiting => format!(" The {waiting} messages that waited are sent now."),
            };
            let unseen = not_looked_at(&saved).map_or_else(String::new, |why| format!(" {why}."));
            let text = format!("“{}” has a new address.{waited}{unseen}", saved.about.name);
            done(&console, &person, Flash::good(text))
        }
        Err(error) => match faults_of(&console, &error).await {
            Some(faults) => editing_again(&console, &person, &webhook, None, &faults),
            None => failed(&error),
        },
    }
}

fn editing_again(
    console: &ConsoleState,
    person: &SignedIn,
    webhook: &StoredWebhook,
    values: Option<&FormValues>,
    faults: &FormFaults,
) -> Response {
    editing(console, person, StatusCode::UNPROCESSABLE_ENTITY, webhook, values, faults)
}

fn editing(
    console: &ConsoleState,
    person: &SignedIn,
    status: StatusCode,
    webhook: &StoredWebhook,
    values: Option<&FormValues>,
    faults: &FormFaults,
) -> Response {
    let frame = Frame::of(console, person, "Edit a Discord webhook");
    html(status, &WebhookForm::editing(frame, webhook, values, faults, console.clock.now()))
}

/// `POST /console/discord-webhooks/{id}/on`
pub(super) async fn switch_on(console: Console, person: SignedInPerson, id: Path<String>) -> Response {
    switch(&console, &person, &id, true).await
}

/// `POST /console/discord-webhooks/{id}/off`
pub(super) async fn switch_off(console: Console, person: SignedInPerson, id: Path<String>) -> Response {
    switch(&console, &person, &id, false).await
}

async fn switch(console: &ConsoleState, person: &SignedIn, id: &str, enabled: bool) -> Response {
    let Ok(id) = id.parse() else { return page::not_found() };
    let change = WebhookChange { enabled: Some(enabled), ..WebhookChange::default() };
    match console.webhooks.change(id, change, None, &person.by("discord-webhook.change")).await {
        Ok(saved) => {
            let what = if enabled { "on. What waited is sent now." } else { "off. What comes for it waits." };
            done(console, person, Flash::good(format!("“{}” is {what}", saved.about.name)))
        }
        Err(error) => failed(&error),
    }
}

/// `POST /console/discord-webhooks/{id}/test`
pub(super) async fn test(
    State(console): Console,
    Extension(person): SignedInPerson,
    Path(id): Path<String>,
) -> Response {
    match id.parse() {
        Ok(id) => send_test(&console, &person, id).await,
        Err(_) => page::not_found(),
    }
}

async fn send_test(console: &ConsoleState, person: &SignedIn, id: DestinationId) -> Response {
    match console.webhooks.test(id, &person.by("discord-webhook.test")).await {
        Ok(test) => {
            let name = found(console, &id.to_string())
                .await
                .map_or_else(|_| String::new(), |found| found.about.name);
            done(console, person, tested(&name, &test))
        }
        Err(error) => failed(&error),
    }
}

/// What a test came to, with Discord's own answer, word for word.
fn tested(name: &str, test: &WebhookTest) -> Flash {
    let (attempt, ms) = (&test.attempt, test.attempt.took.as_millis());
    let answered = attempt.status.map_or_else(
        || "Discord did not answer".to_owned(),
        |status| format!("Discord answered {status} after {ms} ms"),
    );
    if test.arrived() {
        return Flash::good(format!("The test arrived at “{name}”: {answered}."));
    }
    let why = match &attempt.outcome {
        Outcome::Closed(why) | Outcome::Denied(why) | Outcome::Refused(why) => words::sentence(why.as_str()),
        _ => String::new(),
    };
    let answer = String::from_utf8_lossy(&attempt.response).chars().take(LONGEST_ANSWER).collect();
    Flash { answer, ..Flash::bad(format!("The test did not arrive at “{name}”: {answered}. {why}")) }
}

/// `GET /console/discord-webhooks/{id}/remove`: asks before anything is removed.
pub(super) async fn ask_to_remove(
    State(console): Console,
    Extension(person): SignedInPerson,
    Path(id): Path<String>,
) -> Response {
    match found(&console, &id).await {
        Ok(webhook) => {
            let frame = Frame::of(&console, &person, "Remove a Discord webhook");
            html(StatusCode::OK, &remove::Removal::new(frame, &webhook))
        }
        Err(error) => failed(&error),
    }
}

/// `POST /console/discord-webhooks/{id}/remove`
pub(super) async fn remove(
    State(console): Console,
    Extension(person): SignedInPerson,
    Path(id): Path<String>,
) -> Response {
    let webhook = match found(&console, &id).await {
        Ok(webhook) => webhook,
        Err(error) => return failed(&error),
    };
    match console.hub.remove_webhook(webhook.id, &person.by("discord-webhook.remove")).await {
        Ok(canceled) => {
            let canceled = match canceled {
                0 => String::new(),
                1 => " The message that waited for it was canceled.".to_owned(),
                many => format!(" The {many} messages that waited for it were canceled."),
            };
            let name = webhook.about.name;
            done(&console, &person, Flash::good(format!("“{name}” is removed from nuncio.{canceled}")))
        }
        Err(error) => failed(&error),
    }
}

/// Back to the list, with what happened.
fn done(console: &ConsoleState, person: &SignedIn, flash: Flash) -> Response {
    console.flashes.put(person.session.id, flash);
    page::go_to(HOME)
}

/// The webhook with this full id.
async fn found(console: &ConsoleState, id: &str) -> Result<StoredWebhook, Error> {
    // A name or the end of an id names a webhook at the shell, not here.
    let id: DestinationId = id.parse().map_err(|_| Error::NotFound(String::new()))?;
    console.hub.webhook_named(&id.to_string()).await
}

/// The pasted address, or what is wrong with it.
fn address(console: &ConsoleState, fields: &Fields) -> Result<WebhookUrl, String> {
    console
        .webhooks
        .parse(fields.text("address"))
        .map_err(|why| format!("This is no address of a Discord webhook: {why}."))
}

/// The faults to show in the form; `None` if the error is about something else.
async fn faults_of(console: &ConsoleState, error: &Error) -> Option<FormFaults> {
    match error {
        Error::Invalid { field, reason } => Some(FormFaults::one(form::field(field), reason.clone())),
        Error::Conflict(Conflict::Stored(id)) => {
            let name = found(console, &id.to_string())
                .await
                .map_or_else(|_| id.to_string(), |found| found.about.name);
            let text = format!(
                "This webhook is stored already, as “{name}”. Edit that one, or paste another address."
            );
            Some(FormFaults::one("address", text))
        }
        _ => None,
    }
}

/// The page of an error that is about no field.
fn failed(error: &Error) -> Response {
    match error {
        Error::NotFound(_) => page::not_found(),
        Error::Unavailable(error) => page::unavailable(error),
        Error::Invalid { .. } | Error::Forbidden(_) | Error::Conflict(_) => {
            let text = format!("Nothing was changed: {error}.");
            page::message(StatusCode::CONFLICT, "Not done", &text)
        }
    }
}
