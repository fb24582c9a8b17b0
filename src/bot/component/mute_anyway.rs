//! The "Mute anyway" button, shown below the question of [`mute_question`](crate::bot::mute_question).

use crate::bot::answer;
use crate::bot::handlers::{Handlers, log_unanswered};
use crate::bot::interaction::Interaction;
use crate::bot::mute_answer::{muted, not_muted};
use crate::bot::mute_question::MuteRequest;
use crate::bot::person::person;
use crate::bot::reply::ReplyBody;
use crate::bot::responder::Responder;
use crate::hub::MuteError;
use crate::model::{Actor, AuditEntry, EventId};

impl Handlers {
    /// Mutes the requested kind, if the person has access.
    pub(super) async fn mute_anyway(
        &self,
        interaction: &Interaction,
        wanted: MuteRequest,
        responder: &Responder,
    ) {
        let person = person(interaction, &self.shared.clock);
        let actor = Actor::Person { id: person.id, name: person.name.clone() };
        let entry = AuditEntry {
            channel: Some(interaction.channel),
            interaction: Some(interaction.id),
            ..AuditEntry::new(actor, "command.mute", format!("mute {}", wanted.kind))
        };
        if let Err(sentence) = self.may_turn(&person) {
            super::say_at_once(responder, &sentence).await;
            return self.note_refused(entry, &person).await;
        }
        self.began(interaction, responder.acknowledge().await);
        let sentence = match self.shared.hub.mute(&wanted.kind, wanted.span, &wanted.reason, entry).await {
            Ok(mute) => muted(&mute),
            Err(MuteError::Invalid(why)) => not_muted(&why),
            Err(MuteError::Store(error)) => {
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
