//! "Mute anyway": the button below the question whether a kind that never came is really meant.
//!
//! What was asked for stands in the button and in the embed below the question, so it works after a restart.

use std::time::Duration;

use serenity::all::{
    ButtonStyle, ComponentInteraction, ComponentInteractionDataKind, CreateActionRow, CreateButton,
    CreateEmbed, CreateInteractionResponse, Http,
};

use super::{Clicks, answer, answered, press};
use crate::bot::command::{mute_told, not_muted};
use crate::hub::MuteError;
use crate::model::{Actor, AuditEntry, EventId, Snowflake};

const BUTTON: &str = "v1:mute-anyway:";
/// Discord: `custom_id` ≤ 100.
const LONGEST: usize = 100;
/// What the embed with the reason is called.
const REASON: &str = "Reason";

/// What somebody wants to mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    kind: String,
    span: Duration,
    reason: String,
}

/// What stands below the question: the button, and the reason that was given. No button where the kind is too long for it.
pub(in crate::bot) fn question(
    kind: &str,
    span: Duration,
    reason: &str,
) -> (Vec<CreateActionRow>, Option<CreateEmbed>) {
    let id = format!("{BUTTON}{}:{kind}", span.as_secs());
    if id.len() > LONGEST {
        return (Vec::new(), None);
    }
    let button = CreateButton::new(id).label("Mute anyway").style(ButtonStyle::Secondary);
    let embed = (!reason.is_empty()).then(|| CreateEmbed::new().title(REASON).description(reason));
    (vec![CreateActionRow::Buttons(vec![button])], embed)
}

/// What a click on it means; `None` if it is another button.
pub(super) fn of(component: &ComponentInteraction) -> Option<Wanted> {
    if !matches!(component.data.kind, ComponentInteractionDataKind::Button) {
        return None;
    }
    let (seconds, kind) = component.data.custom_id.strip_prefix(BUTTON)?.split_once(':')?;
    let embed = component.message.embeds.iter().find(|embed| embed.title.as_deref() == Some(REASON));
    Some(Wanted {
        kind: kind.to_owned(),
        span: Duration::from_secs(seconds.parse().ok()?),
        reason: embed.and_then(|embed| embed.description.clone()).unwrap_or_default(),
    })
}

impl Clicks {
    /// Mutes what was asked about, for somebody who may.
    pub(super) async fn mute_anyway(&self, http: &Http, component: &ComponentInteraction, wanted: Wanted) {
        let person =
            press::person(&component.user, component.member.as_ref(), component.guild_id, &self.shared.clock);
        let actor = Actor::Person { id: person.id, name: person.name.clone() };
        let entry = AuditEntry {
            channel: Some(Snowflake::new(component.channel_id.get())),
            interaction: Some(Snowflake::new(component.id.get())),
            ..AuditEntry::new(actor, "command.mute", format!("mute {}", wanted.kind))
        };
        if let Err(sentence) = self.may_turn(&person) {
            super::say_at_once(http, component, &sentence).await;
            return self.note_refused(entry, &person).await;
        }
        self.began(
            component.id.get(),
            component.create_response(http, CreateInteractionResponse::Acknowledge).await,
        );
        let sentence = match self.shared.hub.mute(&wanted.kind, wanted.span, &wanted.reason, entry).await {
            Ok(muted) => mute_told(&muted),
            Err(MuteError::Invalid(why)) => not_muted(&why),
            Err(MuteError::Store(error)) => {
                let reference = EventId::new().short();
                tracing::error!(reference, %error, "a mute could not be kept");
                answer::not_kept(&reference)
            }
        };
        let edit = super::edit().content(sentence).embeds(Vec::new()).components(Vec::new());
        answered(component.edit_response(http, edit).await.map(drop));
    }
}
