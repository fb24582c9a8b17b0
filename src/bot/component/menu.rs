//! Menus for setting a route step by step (which events, then which channel) and for removing one.
//!
//! Every step is a message that only this person sees, and carries the earlier choices in its custom id. Access is
//! checked at every step, from the click itself.

use serenity::all::{
    ChannelType, ComponentInteraction, ComponentInteractionDataKind, CreateActionRow, CreateInputText,
    CreateInteractionResponse, CreateInteractionResponseMessage, CreateModal, CreateSelectMenu,
    CreateSelectMenuKind, CreateSelectMenuOption, Http, InputTextStyle, ModalInteraction,
};

use super::{Clicks, answered, press};
use crate::bot::answer;
use crate::bot::custom_id::{REMOVE, SET};
use crate::bot::kinds::kinds_and_families;
use crate::bot::person::person;
use crate::bot::refusal::{self, refused};
use crate::bot::text::{glimpse, quoted};
use crate::hub::{self, Before, Hub, Person};
use crate::model::route::{Key, Target};
use crate::model::{Actor, AuditEntry, AuditOutcome, By, EventId, RouteId, SetRoute, Snowflake};

const KEY: &str = "v1:route-key";
const OTHER: &str = "v1:route-other";
const TO: &str = "v1:route-to:";
const REMOVED: &str = "v1:unroute-key";
/// Discord: `custom_id` ≤ 100 characters. The route's key gets what the prefix leaves.
const MOST_KEY: usize = 100 - TO.len();
const MOST_OPTIONS: usize = 25;
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
pub(super) fn of(component: &ComponentInteraction) -> Option<MenuStep> {
    let id = component.data.custom_id.as_str();
    match &component.data.kind {
        ComponentInteractionDataKind::Button if id == SET => Some(MenuStep::Begin),
        ComponentInteractionDataKind::Button if id == REMOVE => Some(MenuStep::Undo),
        ComponentInteractionDataKind::StringSelect { values } if id == KEY => {
            values.first().cloned().map(MenuStep::Key)
        }
        ComponentInteractionDataKind::StringSelect { values } if id == REMOVED => {
            values.first()?.parse().ok().map(MenuStep::Remove)
        }
        ComponentInteractionDataKind::ChannelSelect { values } => {
            let key = id.strip_prefix(TO)?.to_owned();
            Some(MenuStep::To { key, channel: Snowflake::new(values.first()?.get()) })
        }
        _ => None,
    }
}

/// The key typed into the dialog; `None` if the dialog is another one.
pub(super) fn of_dialog(modal: &ModalInteraction) -> Option<String> {
    (modal.data.custom_id == OTHER).then(|| press::text_of(modal).unwrap_or_default())
}

impl Clicks {
    pub(super) async fn turn(&self, http: &Http, component: &ComponentInteraction, turn: MenuStep) {
        let person =
            person(&component.user, component.member.as_ref(), component.guild_id, &self.shared.clock);
        let (action, subject) = match &turn {
            MenuStep::Undo | MenuStep::Remove(_) => ("route.remove", "route".to_owned()),
            MenuStep::To { key, .. } => ("route.set", format!("route {key}")),
            MenuStep::Begin | MenuStep::Key(_) => ("route.set", "route".to_owned()),
        };
        let by = super::by(component, person.clone(), action);
        if let Err(sentence) = self.may_turn(&person) {
            super::say_at_once(http, component, &sentence).await;
            return self.note_refused(by.entry(subject), &person).await;
        }
        match turn {
            MenuStep::Begin => {
                let message = whispered("Which events?").components(vec![keys()]);
                self.began(
                    component.id.get(),
                    component.create_response(http, CreateInteractionResponse::Message(message)).await,
                );
            }
            MenuStep::Key(key) if key == OTHER => {
                self.began(
                    component.id.get(),
                    component.create_response(http, CreateInteractionResponse::Modal(dialog())).await,
                );
            }
            MenuStep::Key(key) => {
                let step = CreateInteractionResponse::UpdateMessage(places(&key));
                self.began(component.id.get(), component.create_response(http, step).await);
            }
            MenuStep::Undo => {
                let set = self.shared.hub.set_routes();
                let message = if set.is_empty() {
                    whispered("No channel was set in Discord: everything in the table comes from .env.")
                } else {
                    whispered("Which setting do you want to remove?").components(vec![removable(&set)])
                };
                self.began(
                    component.id.get(),
                    component.create_response(http, CreateInteractionResponse::Message(message)).await,
                );
            }
            MenuStep::To { .. } | MenuStep::Remove(_) => {
                self.began(
                    component.id.get(),
                    component.create_response(http, CreateInteractionResponse::Acknowledge).await,
                );
                let sentence = match turn {
                    MenuStep::To { key, channel } => self.set(&key, channel, &by).await,
                    MenuStep::Remove(id) => self.remove(id, &by).await,
                    _ => return,
                };
                self.watch.redraw();
                let edit = super::edit().content(sentence).components(Vec::new());
                answered(component.edit_response(http, edit).await.map(drop));
            }
        }
    }

    /// Handles a key typed into the dialog.
    pub(super) async fn named(&self, http: &Http, modal: &ModalInteraction, text: &str) {
        let person = person(&modal.user, modal.member.as_ref(), modal.guild_id, &self.shared.clock);
        let next = self.may_turn(&person).and_then(|()| key(text));
        let response = match next {
            Ok(key) if modal.message.is_some() => {
                CreateInteractionResponse::UpdateMessage(places(&key.to_string()))
            }
            Ok(key) => CreateInteractionResponse::Message(places(&key.to_string()).ephemeral(true)),
            Err(sentence) => CreateInteractionResponse::Message(whispered(sentence)),
        };
        self.began(modal.id.get(), modal.create_response(http, response).await);
        let entry = AuditEntry {
            channel: Some(Snowflake::new(modal.channel_id.get())),
            interaction: Some(Snowflake::new(modal.id.get())),
            ..AuditEntry::new(Actor::Person(person.clone()), "route.set", "route")
        };
        self.note_refused(entry, &person).await;
    }

    /// Checks whether the person may continue; an error is a sentence.
    pub(super) fn may_turn(&self, person: &Person) -> Result<(), String> {
        if self.shared.stopping.is_cancelled() {
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
        let place = self.watch.place(channel);
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
fn key(text: &str) -> Result<Key, String> {
    let key = Key::read(text.trim())
        .map_err(|(what, fix)| format!("What you wrote {what}. {fix} Nothing was changed."))?;
    if key.to_string().len() > MOST_KEY {
        return Err(format!(
            "That is too long to be set here ({MOST_KEY} characters at most): put it into DISCORD_WEBHOOK_CHANNELS."
        ));
    }
    Ok(key)
}

fn events(key: &Key) -> String {
    format!("Events of {}", quoted(&key.to_string()))
}

fn whispered(sentence: impl Into<String>) -> CreateInteractionResponseMessage {
    CreateInteractionResponseMessage::new().content(sentence).ephemeral(true)
}

/// The menu of event kinds.
fn keys() -> CreateActionRow {
    let known = kinds_and_families().filter(|kind| *kind != "*");
    let mut options: Vec<CreateSelectMenuOption> = vec![
        CreateSelectMenuOption::new("Everything else", "default")
            .description("Whatever no other line of the table matches"),
    ];
    options.extend(known.map(|kind| CreateSelectMenuOption::new(kind, kind)).take(MOST_OPTIONS - 2));
    options.push(
        CreateSelectMenuOption::new("Another kind, a pattern, or one customer…", OTHER)
            .description("You type it"),
    );
    let menu = CreateSelectMenu::new(KEY, CreateSelectMenuKind::String { options });
    CreateActionRow::SelectMenu(menu.placeholder("Which events?"))
}

/// The menu of channels.
fn places(key: &str) -> CreateInteractionResponseMessage {
    let kinds = vec![
        ChannelType::Text,
        ChannelType::News,
        ChannelType::NewsThread,
        ChannelType::PublicThread,
        ChannelType::PrivateThread,
    ];
    let kind = CreateSelectMenuKind::Channel { channel_types: Some(kinds), default_channels: None };
    let menu = CreateSelectMenu::new(format!("{TO}{key}"), kind).placeholder("Which channel?");
    CreateInteractionResponseMessage::new()
        .content(format!("Where do events of {} go?", quoted(key)))
        .components(vec![CreateActionRow::SelectMenu(menu)])
}

/// The menu of routes that can be removed.
fn removable(set: &[SetRoute]) -> CreateActionRow {
    let options = set.iter().rev().take(MOST_OPTIONS).map(|route| {
        let (key, by) = (route.key.to_string(), route.by.chars().take(60).collect::<String>());
        let label: String = key.chars().take(100).collect();
        CreateSelectMenuOption::new(label, route.id.to_string()).description(format!("set by {by}"))
    });
    let kind = CreateSelectMenuKind::String { options: options.collect() };
    CreateActionRow::SelectMenu(CreateSelectMenu::new(REMOVED, kind).placeholder("Which?"))
}

fn dialog() -> CreateModal {
    let input = CreateInputText::new(InputTextStyle::Short, "Kind or pattern; @COMPANY_ID for one", "text")
        .placeholder("printer.jammed, backup.*, ticket.*@ACME")
        .min_length(1)
        .max_length(u16::try_from(MOST_KEY).unwrap_or(u16::MAX))
        .required(true);
    CreateModal::new(OTHER, "Which events?").components(vec![CreateActionRow::InputText(input)])
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
