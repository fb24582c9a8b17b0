//! Menus for setting a route step by step (which events, then which channel) and for removing one.
//!
//! Every step is a message that only this person sees, and carries the earlier choices in its custom id. Access is
//! checked at every step, from the click itself.

use crate::bot::answer;
use crate::bot::custom_id::{REMOVE, SET};
use crate::bot::handlers::{Handlers, log_unanswered};
use crate::bot::interaction::{ComponentClick, ComponentInput, Interaction, SubmittedDialog};
use crate::bot::kinds::kinds_and_families;
use crate::bot::person::person;
use crate::bot::refusal::{self, refused};
use crate::bot::reply::{Dialog, MenuOption, ReplyBody, ReplyRow, SelectMenu, TextInput};
use crate::bot::responder::Responder;
use crate::bot::text::{glimpse, quoted};
use crate::hub::{self, Before, Hub, Person};
use crate::model::route::{RouteKey, Target};
use crate::model::{AuditEntry, AuditOutcome, By, EventId, RouteId, SetRoute, Snowflake};

const KEY: &str = "v1:route-key";
const OTHER: &str = "v1:route-other";
const TO: &str = "v1:route-to:";
const REMOVED: &str = "v1:unroute-key";
/// Discord: `custom_id` ≤ 100 characters. The route's key gets what the prefix leaves.
const MOST_KEY: usize = 100 - TO.len();
const MOST_OPTIONS: usize = 25;
/// Discord: "Channel Types", text, announcement, and the threads of both.
const CHANNEL_TYPES: [u8; 5] = [0, 5, 10, 11, 12];
/// Maximum number of targets that a sentence names.
const MOST_PLACES: usize = 5;

/// One step of setting or removing a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MenuStep {
    Begin,
    Key(String),
    To { key: String, channel: Snowflake },
    Undo,
    Remove(RouteId),
}

/// Parses a click on one of these menus; `None` if it is another component.
pub(super) fn of(click: &ComponentClick) -> Option<MenuStep> {
    let id = click.custom_id.as_str();
    match &click.input {
        ComponentInput::Button if id == SET => Some(MenuStep::Begin),
        ComponentInput::Button if id == REMOVE => Some(MenuStep::Undo),
        ComponentInput::Texts(values) if id == KEY => values.first().cloned().map(MenuStep::Key),
        ComponentInput::Texts(values) if id == REMOVED => values.first()?.parse().ok().map(MenuStep::Remove),
        ComponentInput::Channels(values) => {
            let key = id.strip_prefix(TO)?.to_owned();
            Some(MenuStep::To { key, channel: *values.first()? })
        }
        _ => None,
    }
}

/// The key typed into the dialog; `None` if the dialog is another one.
pub(super) fn of_dialog(dialog: &SubmittedDialog) -> Option<String> {
    (dialog.custom_id == OTHER).then(|| dialog.text().unwrap_or_default().to_owned())
}

impl Handlers {
    pub(super) async fn turn(&self, interaction: &Interaction, turn: MenuStep, responder: &Responder) {
        let person = person(interaction, &self.shared.clock);
        let (action, subject) = match &turn {
            MenuStep::Undo | MenuStep::Remove(_) => ("route.remove", "route".to_owned()),
            MenuStep::To { key, .. } => ("route.set", format!("route {key}")),
            MenuStep::Begin | MenuStep::Key(_) => ("route.set", "route".to_owned()),
        };
        let by = interaction.by(person.clone(), action);
        if let Err(sentence) = self.may_turn(&person) {
            super::say_at_once(responder, &sentence).await;
            return self.note_refused(by.entry(subject), &person).await;
        }
        match turn {
            MenuStep::Begin => {
                let message = ReplyBody::whisper("Which events?").components(vec![keys()]);
                self.began(interaction, responder.reply(message).await);
            }
            MenuStep::Key(key) if key == OTHER => {
                self.began(interaction, responder.dialog(dialog()).await);
            }
            MenuStep::Key(key) => self.began(interaction, responder.update(places(&key)).await),
            MenuStep::Undo => {
                let set = self.shared.hub.set_routes();
                let message = if set.is_empty() {
                    ReplyBody::whisper(
                        "No channel was set in Discord: everything in the table comes from .env.",
                    )
                } else {
                    ReplyBody::whisper("Which setting do you want to remove?")
                        .components(vec![removable(&set)])
                };
                self.began(interaction, responder.reply(message).await);
            }
            MenuStep::To { .. } | MenuStep::Remove(_) => {
                self.began(interaction, responder.acknowledge().await);
                let sentence = match turn {
                    MenuStep::To { key, channel } => self.set(&key, channel, &by).await,
                    MenuStep::Remove(id) => self.remove(id, &by).await,
                    _ => return,
                };
                self.guilds.refresh();
                let edit = ReplyBody::default().content(sentence).components(Vec::new());
                log_unanswered(responder.edit(edit).await);
            }
        }
    }

    /// Handles a key typed into the dialog.
    pub(super) async fn named(&self, interaction: &Interaction, text: &str, responder: &Responder) {
        let person = person(interaction, &self.shared.clock);
        let first = match self.may_turn(&person).and_then(|()| key(text)) {
            Ok(key) if interaction.message.is_some() => responder.update(places(&key.to_string())).await,
            Ok(key) => responder.reply(places(&key.to_string()).ephemeral()).await,
            Err(sentence) => responder.reply(ReplyBody::whisper(sentence)).await,
        };
        self.began(interaction, first);
        let entry = interaction.by(person.clone(), "route.set").entry("route");
        self.note_refused(entry, &person).await;
    }

    /// Checks whether the person may continue; an error is a sentence.
    pub(super) fn may_turn(&self, person: &Person) -> Result<(), String> {
        if self.is_stopping() {
            return Err(super::STOPPING.to_owned());
        }
        self.shared.hub.may_operate(person).map_err(|refusal| refused(&refusal))
    }

    /// Records the refusal in the audit log, if the person lacks access.
    pub(super) async fn note_refused(&self, entry: AuditEntry, person: &Person) {
        let Err(refusal) = self.shared.hub.may_operate(person) else { return };
        let entry = AuditEntry { outcome: AuditOutcome::Refused, detail: refusal.to_string(), ..entry };
        if let Err(error) = self.shared.hub.audit(entry).await {
            tracing::error!(%error, "a refused click could not be written to the audit log");
        }
    }

    async fn set(&self, text: &str, channel: Snowflake, by: &By) -> String {
        let key = match key(text) {
            Ok(key) => key,
            Err(sentence) => return sentence,
        };
        let hub = &self.shared.hub;
        let place = self.guilds.place(channel);
        match hub.set_route(key.clone(), channel, place.as_ref(), by).await {
            Ok(before) => {
                let waiting = waiting(hub.unrouted().await.unwrap_or(0));
                let (only, before) =
                    before.map_or(("", String::new()), |before| describe_change(&before, hub));
                format!(
                    "{} go to <#{channel}>{only} from now on, also after a restart.{before}{waiting}",
                    events(&key)
                )
            }
            Err(error) => unchanged(error),
        }
    }

    async fn remove(&self, id: RouteId, by: &By) -> String {
        match self.shared.hub.remove_route(id, by).await {
            Ok((key, true)) => {
                format!("{} go where .env says again: `/webhook-config` shows where.", events(&key))
            }
            Ok((key, false)) => format!(
                "{} have no channel of their own any more: `/webhook-config` shows where such events go now.",
                events(&key)
            ),
            Err(hub::Error::NotFound(_)) => "That setting was already removed.".to_owned(),
            Err(error) => unchanged(error),
        }
    }
}

/// The reply to a change of a route that was not made.
fn unchanged(error: hub::Error) -> String {
    let error = match refusal::sentence(error, "Nothing was changed.") {
        Ok(sentence) => return sentence,
        Err(error) => error,
    };
    let reference = EventId::new().short();
    tracing::error!(reference, %error, "a route could not be saved, so nothing was changed. Its user was given the \
                                        code in `reference`");
    answer::not_kept(&reference)
}

/// How many events matched no key, and the command that sends them.
fn waiting(unrouted: u64) -> String {
    let waiting = match unrouted {
        0 => return String::new(),
        1 => "1 event waits".to_owned(),
        count => format!("{count} events wait"),
    };
    format!(" {waiting} for a route: `nuncio redeliver --unrouted` sends what has one now.")
}

/// The route's previous targets, and how to restore them: one channel replaces all of them.
fn describe_change(before: &Before, hub: &Hub) -> (&'static str, String) {
    let name = |place: &Target| match place {
        Target::Channel(id) => format!("<#{id}>"),
        Target::Stored(id) => quoted(&hub.stored_name(*id)),
    };
    let mut names: Vec<String> = before.places.iter().take(MOST_PLACES).map(name).collect();
    let more = before.places.len() - names.len();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let last = names.pop();
    let places = match (names.is_empty(), last) {
        (_, None) => "nowhere, on purpose".to_owned(),
        (true, Some(one)) => format!("to {one}"),
        (false, Some(last)) => format!("to {} and {last}", names.join(", ")),
    };
    let set = before.by.as_ref().map_or_else(String::new, |by| format!(", set by {}", glimpse(by, 60)));
    let back = match (&before.by, before.in_environment) {
        (None, _) => " **Remove** under `/webhook-config` brings that back.",
        (Some(_), true) => " **Remove** under `/webhook-config` brings back what .env says.",
        (Some(_), false) => "",
    };
    let only = if before.places.len() > 1 { " only" } else { "" };
    (only, format!(" Until now they went {places}{set}.{back}"))
}

/// Parses a key that can be set here; an error is a sentence.
fn key(text: &str) -> Result<RouteKey, String> {
    let key = RouteKey::read(text.trim())
        .map_err(|(what, fix)| format!("What you wrote {what}. {fix} Nothing was changed."))?;
    if key.to_string().len() > MOST_KEY {
        return Err(format!(
            "That is too long to be set here ({MOST_KEY} characters at most): put it into DISCORD_WEBHOOK_CHANNELS."
        ));
    }
    Ok(key)
}

fn events(key: &RouteKey) -> String {
    format!("Events of {}", quoted(&key.to_string()))
}

/// The menu of event kinds.
fn keys() -> ReplyRow {
    let known = kinds_and_families().filter(|kind| *kind != "*");
    let mut options = vec![
        MenuOption::new("Everything else", "default")
            .description("Whatever no other line of the table matches"),
    ];
    options.extend(known.map(|kind| MenuOption::new(kind, kind)).take(MOST_OPTIONS - 2));
    options
        .push(MenuOption::new("Another kind, a pattern, or one customer…", OTHER).description("You type it"));
    ReplyRow::menu(SelectMenu::texts(KEY, "Which events?", options))
}

/// The menu of channels.
fn places(key: &str) -> ReplyBody {
    let menu = SelectMenu::channels(format!("{TO}{key}"), "Which channel?", CHANNEL_TYPES.to_vec());
    ReplyBody::default()
        .content(format!("Where do events of {} go?", quoted(key)))
        .components(vec![ReplyRow::menu(menu)])
}

/// The menu of routes that can be removed.
fn removable(set: &[SetRoute]) -> ReplyRow {
    let options = set.iter().rev().take(MOST_OPTIONS).map(|route| {
        let (key, by) = (route.key.to_string(), route.by.chars().take(60).collect::<String>());
        let label: String = key.chars().take(100).collect();
        MenuOption::new(label, route.id.to_string()).description(format!("set by {by}"))
    });
    ReplyRow::menu(SelectMenu::texts(REMOVED, "Which?", options.collect()))
}

fn dialog() -> Dialog {
    let label = "Kind or pattern; @COMPANY_ID for one";
    let input = TextInput::line(label, "printer.jammed, backup.*, ticket.*@ACME", 1..=MOST_KEY);
    Dialog::new(OTHER, "Which events?", input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_discord_takes_is_kept_to() {
        let json = serde_json::to_value(keys()).unwrap();
        let options = json["components"][0]["options"].as_array().unwrap();
        assert!((3..=MOST_OPTIONS).contains(&options.len()));
        let longest = "a".repeat(MOST_KEY);
        let json = serde_json::to_value(places(&longest)).unwrap();
        assert_eq!(json["components"][0]["components"][0]["custom_id"].as_str().unwrap().len(), 100);
    }

    // D-10
    #[rstest::rstest]
    #[case("ticket.*@ACME", true)]
    #[case(" printer.jammed ", true)]
    #[case("two words", false)]
    #[case("`@everyone`", false)]
    #[case("", false)]
    fn what_is_written_is_a_key_or_told_why_not(#[case] text: &str, #[case] is_key: bool) {
        assert_eq!(key(text).is_ok(), is_key);
        assert!(key(&text.repeat(6000)).is_err());
    }
}
