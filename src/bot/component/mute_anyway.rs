//! The "Mute anyway" button, shown below the question of [`mute_question`](crate::bot::mute_question).

use crate::bot::answer;
use crate::bot::handlers::{Handlers, log_unanswered};
use crate::bot::interaction::Interaction;
use crate::bot::mute_answer::{NOT_MUTED, muted};
use crate::bot::mute_question::MuteRequest;
use crate::bot::person::person;
use crate::bot::refusal;
use crate::bot::reply::ReplyBody;
use crate::bot::responder::Responder;
use crate::model::EventId;

impl Handlers {
    /// Mutes the requested kind, if the person has access.
    pub(super) async fn mute_anyway(
        &self,
        interaction: &Interaction,
        wanted: MuteRequest,
        responder: &Responder,
    ) {
        let person = person(interaction, &self.shared.clock);
        let by = interaction.by(person.clone(), "command.mute");
        if let Err(sentence) = self.may_turn(&person) {
            super::say_at_once(responder, &sentence).await;
            return self.note_refused(by.entry(format!("mute {}", wanted.kind)), &person).await;
        }
        self.began(interaction, responder.acknowledge().await);
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
        let edit = ReplyBody::default().content(sentence).embeds(Vec::new()).components(Vec::new());
        log_unanswered(responder.edit(edit).await);
    }
}
