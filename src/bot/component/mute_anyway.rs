//! The "Mute anyway" button, shown below the question of [`mute_question`](crate::bot::mute_question).

use serenity::all::{ComponentInteraction, CreateInteractionResponse, Http};

use super::{Clicks, answered};
use crate::bot::answer;
use crate::bot::mute_answer::{NOT_MUTED, muted};
use crate::bot::mute_question::RegistrationRequest;
use crate::bot::person::person;
use crate::bot::refusal;
use crate::model::EventId;

impl Clicks {
    /// Mutes the requested kind, if the person has access.
    pub(super) async fn mute_anyway(
        &self,
        http: &Http,
        component: &ComponentInteraction,
        wanted: RegistrationRequest,
    ) {
        let person =
            person(&component.user, component.member.as_ref(), component.guild_id, &self.shared.clock);
        let by = super::by(component, person.clone(), "command.mute");
        if let Err(sentence) = self.may_turn(&person) {
            super::say_at_once(http, component, &sentence).await;
            return self.note_refused(by.entry(format!("mute {}", wanted.kind)), &person).await;
        }
        self.began(
            component.id.get(),
            component.create_response(http, CreateInteractionResponse::Acknowledge).await,
        );
        let done = self.shared.hub.mute(&wanted.kind, wanted.span, &wanted.reason, &by).await;
        let sentence = match done {
            Ok(mute) => Ok(muted(&mute)),
            Err(error) => refusal::sentence(error, NOT_MUTED),
        };
        let sentence = match sentence {
            Ok(sentence) => sentence,
            Err(error) => {
                let reference = EventId::new().short();
                tracing::error!(reference, %error, "a mute could not be saved, so nothing was muted. Its user was \
                                                    given the code in `reference`");
                answer::not_kept(&reference)
            }
        };
        let edit = super::edit().content(sentence).embeds(Vec::new()).components(Vec::new());
        answered(component.edit_response(http, edit).await.map(drop));
    }
}
