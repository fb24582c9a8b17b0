//! Message components (buttons, menus) and dialogs: each click is acknowledged at once, then carried out.
//!
//! Discord waits three seconds for the first response, so it is sent before any lookup: a refusal, a dialog, or
//! "working on it". Slower work follows it. Everything works from the data in the click itself, so buttons work after
//! restarts and after days.

mod dialog;
mod menu;
mod mute_anyway;
mod press;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serenity::all::{
    ComponentInteraction, Context, CreateAllowedMentions, CreateInteractionResponse,
    CreateInteractionResponseFollowup, CreateInteractionResponseMessage, EditInteractionResponse,
    EventHandler, Http, Interaction, Message, ModalInteraction, Ready,
};
use serenity::async_trait;
use tokio_util::sync::CancellationToken;

use crate::bot::answer::{self, ClickReply};
use crate::bot::guild_arrival::wait_for_guild;
use crate::bot::list::Page;
use crate::bot::mute_question;
use crate::bot::person::person;
use crate::bot::refusal::refused;
use crate::bot::watch::Watch;
use crate::bot::{Shared, http};
use crate::hub::{self, Click, ClickOutcome, Entrypoint, Person, Refusal};
use crate::model::{Actor, By, DecisionAction, EventId, Snowflake};

/// How long a click may wait for the database at shutdown.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// Retry delays for follow-up messages: serenity does not expose Discord's `retry_after`.
const WHISPER_AGAIN: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];
const NOT_YOURS: &str = "This list belongs to whoever asked for it: type its command to get your own.";
const STOPPING: &str = "nuncio is restarting: press again in a minute. Nothing was changed.";

/// Handles the clicks of one connection. Clones share it.
#[derive(Clone)]
pub(super) struct Clicks {
    shared: Arc<Shared>,
    /// Cancelled when this connection is abandoned: another connection receives the same events.
    closed: CancellationToken,
    bot: Arc<AtomicU64>,
    /// Holds every channel that the bot sees.
    watch: Watch,
}

impl Clicks {
    pub(super) fn new(shared: Arc<Shared>, closed: CancellationToken, watch: Watch) -> Self {
        Self { shared, closed, bot: Arc::default(), watch }
    }

    /// Records whether the first response succeeded: another program may have answered already.
    pub(super) fn began(&self, interaction: u64, first: serenity::Result<()>) {
        if let Err(error) = &first {
            self.shared.rival.refused(&self.shared.hub, interaction, error);
        }
        answered(first);
    }

    /// A component on a message: a decision's button, another page of a list, or a step of setting a route.
    async fn handle_component(&self, http: &Http, component: &ComponentInteraction) {
        if let Some(turn) = menu::of(component) {
            return self.turn(http, component, turn).await;
        }
        if let Some(wanted) = mute_question::of(component) {
            return self.mute_anyway(http, component, wanted).await;
        }
        match Page::parse(&component.data.custom_id) {
            Some(page) => self.turn_page(http, component, page).await,
            None => self.handle_button(http, component).await,
        }
    }

    /// Another page of a list, for the person who requested the list.
    async fn turn_page(&self, http: &Http, component: &ComponentInteraction, page: Page) {
        if self.shared.stopping.is_cancelled() {
            return say_at_once(http, component, STOPPING).await;
        }
        let person =
            person(&component.user, component.member.as_ref(), component.guild_id, &self.shared.clock);
        if let Err(refusal) = self.shared.hub.check_guild(&person, Entrypoint::Command) {
            say_at_once(http, component, &refused(&refusal)).await;
            return self.note_elsewhere(component, person, &refusal).await;
        }
        if component.user.id.get() != page.reader.get() {
            return say_at_once(http, component, NOT_YOURS).await;
        }
        self.began(
            component.id.get(),
            component.create_response(http, CreateInteractionResponse::Acknowledge).await,
        );
        let edit = edit();
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
        answered(component.edit_response(http, edit).await.map(drop));
    }

    /// A button: responds at once, then performs its action.
    async fn handle_button(&self, http: &Http, component: &ComponentInteraction) {
        let bot = self.bot.load(Ordering::Acquire);
        let Some(click) = press::of_button(component, bot, &self.shared.clock) else {
            return if press::is_ours(&component.data.custom_id) {
                say_at_once(http, component, answer::UNKNOWN).await;
            };
        };
        if click.token.is_sample() {
            return say_at_once(http, component, answer::SAMPLE).await;
        }
        if self.shared.stopping.is_cancelled() {
            return say_at_once(http, component, STOPPING).await;
        }
        if let Err(refusal) = self.shared.hub.may(&click.person, click.press) {
            say_at_once(http, component, &answer::refused(&refusal, click.press)).await;
            return self.note_refusal(&click, &refusal).await;
        }
        if let Some(dialog) = dialog::of(&click) {
            return self.began(
                component.id.get(),
                component.create_response(http, CreateInteractionResponse::Modal(dialog)).await,
            );
        }
        let is_details = click.press == DecisionAction::Details;
        let first = if is_details {
            CreateInteractionResponse::Defer(CreateInteractionResponseMessage::new().ephemeral(true))
        } else {
            CreateInteractionResponse::Acknowledge
        };
        self.began(component.id.get(), component.create_response(http, first).await);
        let reply = self.perform(&click).await;
        match reply {
            ClickReply::Nothing => {}
            ClickReply::Embed(embed) => {
                answered(component.edit_response(http, edit().embed(*embed)).await.map(drop));
            }
            ClickReply::Sentence(sentence) if is_details => {
                answered(component.edit_response(http, edit().content(sentence)).await.map(drop));
            }
            ClickReply::Sentence(sentence) => {
                self.follow_up(|| component.create_followup(http, follow_up(sentence.clone()))).await;
            }
        }
    }

    /// Sends a follow-up after the first response; retries while Discord is rate limiting.
    async fn follow_up<F>(&self, send: impl Fn() -> F)
    where
        F: Future<Output = serenity::Result<Message>>,
    {
        for pause in WHISPER_AGAIN {
            match send().await {
                Err(error) if http::status(&error) == Some(429) => self.shared.clock.sleep(pause).await,
                result => return answered(result.map(drop)),
            }
        }
        answered(send().await.map(drop));
    }

    /// A submitted dialog: access is checked now, with the person's current roles.
    async fn handle_dialog(&self, http: &Http, modal: &ModalInteraction) {
        if let Some(text) = menu::of_dialog(modal) {
            return self.named(http, modal, &text).await;
        }
        let Some(click) = press::of_dialog(modal, &self.shared.clock) else { return };
        let first = if self.shared.stopping.is_cancelled() {
            Err(STOPPING.to_owned())
        } else if let Err(refusal) = self.shared.hub.may(&click.person, click.press) {
            Err(answer::refused(&refusal, click.press))
        } else {
            dialog::check(&click)
        };
        if let Err(sentence) = first {
            let message = CreateInteractionResponseMessage::new().content(sentence).ephemeral(true);
            self.began(
                modal.id.get(),
                modal.create_response(http, CreateInteractionResponse::Message(message)).await,
            );
            if let Err(refusal) = self.shared.hub.may(&click.person, click.press) {
                self.note_refusal(&click, &refusal).await;
            }
            return;
        }
        self.began(modal.id.get(), modal.create_response(http, CreateInteractionResponse::Acknowledge).await);
        if let ClickReply::Sentence(sentence) = self.perform(&click).await {
            self.follow_up(|| modal.create_followup(http, follow_up(sentence.clone()))).await;
        }
    }

    /// Handles a click up to its final reply, even if the process is stopping meanwhile.
    pub(super) async fn hear(&self, context: &Context, interaction: &Interaction) {
        if self.closed.is_cancelled() {
            return;
        }
        let _under_way = self.shared.clicks.token();
        if !matches!(interaction, Interaction::Command(_) | Interaction::Autocomplete(_)) {
            self.shared.rival.record_interaction(&self.shared.hub, interaction.id().get());
        }
        if let Interaction::Component(ComponentInteraction { guild_id, .. })
        | Interaction::Modal(ModalInteraction { guild_id, .. }) = interaction
        {
            wait_for_guild(&self.shared.hub, &self.shared.clock, *guild_id, Entrypoint::Card).await;
        }
        match interaction {
            Interaction::Component(component) => self.handle_component(&context.http, component).await,
            Interaction::Modal(modal) => self.handle_dialog(&context.http, modal).await,
            _ => {}
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
    async fn note_elsewhere(&self, component: &ComponentInteraction, person: Person, refusal: &Refusal) {
        let by = by(component, person, "list.page");
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

#[async_trait]
impl EventHandler for Clicks {
    async fn ready(&self, _: Context, ready: Ready) {
        self.bot.store(ready.user.id.get(), Ordering::Release);
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        self.hear(&context, &interaction).await;
    }
}

/// The request for a change that a click on a component is.
fn by(component: &ComponentInteraction, person: Person, action: &str) -> By {
    By {
        channel: Some(Snowflake::new(component.channel_id.get())),
        interaction: Some(Snowflake::new(component.id.get())),
        ..By::new(Actor::Person(person), action)
    }
}

/// The first response: one sentence that only this person sees.
async fn say_at_once(http: &Http, component: &ComponentInteraction, sentence: &str) {
    let message = CreateInteractionResponseMessage::new().content(sentence).ephemeral(true);
    answered(component.create_response(http, CreateInteractionResponse::Message(message)).await);
}

/// A follow-up that only this person sees, after the first response.
fn follow_up(sentence: String) -> CreateInteractionResponseFollowup {
    CreateInteractionResponseFollowup::new().content(sentence).ephemeral(true)
}

/// An edit of the first response. Only edits need their allowed mentions set here: see `http::serenity`.
fn edit() -> EditInteractionResponse {
    EditInteractionResponse::new().allowed_mentions(CreateAllowedMentions::new())
}

/// Logs a reply that failed. It changes nothing about the decision: the gateway may have delivered a click twice
/// (40060), or the interaction expired (10062).
fn answered(result: serenity::Result<()>) {
    if let Err(error) = result {
        tracing::debug!("a click could not be answered: {}", http::sentence(&error));
    }
}
