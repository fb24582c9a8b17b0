//! Message components (buttons, menus) and dialogs: each click is acknowledged at once, then carried out.
//!
//! Discord waits three seconds for the first response, so it is sent before any lookup: a refusal, a dialog, or
//! "working on it". Slower work follows it. Everything works from the data in the click itself, so buttons work after
//! restarts and after days.

mod dialog;
mod menu;
mod mute_anyway;
mod press;

use std::time::Duration;

use crate::bot::answer::{self, ClickReply};
use crate::bot::handlers::{Handlers, log_unanswered};
use crate::bot::interaction::{ComponentClick, Interaction, SubmittedDialog};
use crate::bot::list::ListPage;
use crate::bot::mute_question;
use crate::bot::person::person;
use crate::bot::refusal::refused;
use crate::bot::reply::ReplyBody;
use crate::bot::responder::Responder;
use crate::hub::{self, Click, ClickOutcome, Entrypoint, Person, Refusal};
use crate::model::{DecisionAction, EventId};

/// How long a click may wait for the database at shutdown.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// Retry delays for follow-up messages: a failed response does not hold Discord's `retry_after`.
const WHISPER_AGAIN: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];
const NOT_YOURS: &str = "This list belongs to whoever asked for it: type its command to get your own.";
const STOPPING: &str = "nuncio is restarting: press again in a minute. Nothing was changed.";

impl Handlers {
    /// A component on a message: a decision's button, another page of a list, or a step of setting a route.
    pub(super) async fn handle_component(
        &self,
        interaction: &Interaction,
        click: &ComponentClick,
        responder: &Responder,
    ) {
        if let Some(turn) = menu::of(click) {
            return self.turn(interaction, turn, responder).await;
        }
        if let Some(wanted) = mute_question::of(interaction, click) {
            return self.mute_anyway(interaction, wanted, responder).await;
        }
        match ListPage::parse(&click.custom_id) {
            Some(page) => self.turn_page(interaction, page, responder).await,
            None => self.handle_button(interaction, click, responder).await,
        }
    }

    /// Another page of a list, for the person who requested the list.
    async fn turn_page(&self, interaction: &Interaction, page: ListPage, responder: &Responder) {
        if self.is_stopping() {
            return say_at_once(responder, STOPPING).await;
        }
        let person = person(interaction, &self.shared.clock);
        if let Err(refusal) = self.shared.hub.check_guild(&person, Entrypoint::Command) {
            say_at_once(responder, &refused(&refusal)).await;
            return self.note_elsewhere(interaction, person, &refusal).await;
        }
        if interaction.user.id != page.reader {
            return say_at_once(responder, NOT_YOURS).await;
        }
        self.began(interaction, responder.acknowledge().await);
        let edit = ReplyBody::default();
        let edit = match page.show(&self.shared.hub).await {
            Ok(shown) => edit
                .content(shown.sentence.unwrap_or_default())
                .embeds(shown.embed.into_iter().collect())
                .components(shown.buttons),
            Err(error) => {
                let reference = EventId::new().short();
                tracing::error!(reference, %error, "a page of a list could not be read. Its user was given the code \
                                                    in `reference`");
                edit.content(answer::not_kept(&reference))
            }
        };
        log_unanswered(responder.edit(edit).await);
    }

    /// A button: responds at once, then performs its action.
    async fn handle_button(&self, interaction: &Interaction, click: &ComponentClick, responder: &Responder) {
        let Some(click) = press::of_button(interaction, click, self.guilds.bot(), &self.shared.clock) else {
            return if press::is_ours(&click.custom_id) {
                say_at_once(responder, answer::UNKNOWN).await;
            };
        };
        if click.token.is_sample() {
            return say_at_once(responder, answer::SAMPLE).await;
        }
        if self.is_stopping() {
            return say_at_once(responder, STOPPING).await;
        }
        if let Err(refusal) = self.shared.hub.may(&click.person, click.press) {
            say_at_once(responder, &answer::refused(&refusal, click.press)).await;
            return self.note_refusal(&click, &refusal).await;
        }
        if let Some(dialog) = dialog::of(&click) {
            return self.began(interaction, responder.dialog(dialog).await);
        }
        let is_details = click.press == DecisionAction::Details;
        let first = if is_details { responder.defer().await } else { responder.acknowledge().await };
        self.began(interaction, first);
        let reply = self.perform(&click).await;
        match reply {
            ClickReply::Nothing => {}
            ClickReply::Embed(embed) => {
                log_unanswered(responder.edit(ReplyBody::default().embed(*embed)).await);
            }
            ClickReply::Sentence(sentence) if is_details => {
                log_unanswered(responder.edit(ReplyBody::default().content(sentence)).await);
            }
            ClickReply::Sentence(sentence) => self.follow_up(responder, &sentence).await,
        }
    }

    /// Sends a sentence that only this person sees, after the first response; retries while Discord is rate limiting.
    async fn follow_up(&self, responder: &Responder, sentence: &str) {
        for pause in WHISPER_AGAIN {
            match responder.follow_up(ReplyBody::whisper(sentence)).await {
                Err(error) if error.is_rate_limited() => self.shared.clock.sleep(pause).await,
                result => return log_unanswered(result),
            }
        }
        log_unanswered(responder.follow_up(ReplyBody::whisper(sentence)).await);
    }

    /// A submitted dialog: access is checked now, with the person's current roles.
    pub(super) async fn handle_dialog(
        &self,
        interaction: &Interaction,
        dialog: &SubmittedDialog,
        responder: &Responder,
    ) {
        if let Some(text) = menu::of_dialog(dialog) {
            return self.named(interaction, &text, responder).await;
        }
        let Some(click) = press::of_dialog(interaction, dialog, &self.shared.clock) else { return };
        let first = if self.is_stopping() {
            Err(STOPPING.to_owned())
        } else if let Err(refusal) = self.shared.hub.may(&click.person, click.press) {
            Err(answer::refused(&refusal, click.press))
        } else {
            dialog::check(&click)
        };
        if let Err(sentence) = first {
            self.began(interaction, responder.reply(ReplyBody::whisper(sentence)).await);
            if let Err(refusal) = self.shared.hub.may(&click.person, click.press) {
                self.note_refusal(&click, &refusal).await;
            }
            return;
        }
        self.began(interaction, responder.acknowledge().await);
        if let ClickReply::Sentence(sentence) = self.perform(&click).await {
            self.follow_up(responder, &sentence).await;
        }
    }

    async fn perform(&self, click: &Click) -> ClickReply {
        let clicked = tokio::select! {
            biased;
            clicked = self.shared.hub.click(click) => clicked,
            () = self.cut_off() => return ClickReply::Sentence(answer::CUT_OFF.to_owned()),
        };
        match clicked {
            Ok(ClickOutcome::Replayed) => ClickReply::Nothing,
            Ok(clicked) => answer::to(&clicked),
            Err(error) => self.unchanged(click, error),
        }
    }

    /// The reply to a click that changed nothing.
    fn unchanged(&self, click: &Click, error: hub::Error) -> ClickReply {
        match answer::unchanged(click.press, error) {
            Ok(sentence) => ClickReply::Sentence(sentence),
            Err(error) => {
                let reference = EventId::new().short();
                tracing::error!(reference, %error, "a click could not be saved, so nothing was decided. Its user was \
                                                    given the code in `reference`");
                ClickReply::Sentence(answer::not_kept(&reference))
            }
        }
    }

    /// Resolves when the process is stopping and the database has had [`LAST_MOMENT`] more.
    async fn cut_off(&self) {
        self.shared.stopping.cancelled().await;
        self.shared.clock.sleep(LAST_MOMENT).await;
    }

    /// Records in the audit log that a person turned a page in a guild without access.
    async fn note_elsewhere(&self, interaction: &Interaction, person: Person, refusal: &Refusal) {
        let by = interaction.by(person, "list.page");
        if let Err(error) = self.shared.hub.audit(by.refused("list", refusal.to_string())).await {
            tracing::error!(%error, "a refused click could not be written to the audit log");
        }
    }

    /// Records the refusal. The person has their reply already, so this may take time.
    async fn note_refusal(&self, click: &Click, refusal: &Refusal) {
        if let Err(error) = self.shared.hub.note_refusal(click, refusal).await {
            tracing::error!(%error, "a refused click could not be written to the audit log");
        }
    }
}

/// The first response: one sentence that only this person sees.
async fn say_at_once(responder: &Responder, sentence: &str) {
    log_unanswered(responder.reply(ReplyBody::whisper(sentence)).await);
}
