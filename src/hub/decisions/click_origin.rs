//! Verification that a button was pressed on its own card.

use crate::hub::decisions::Click;
use crate::hub::{Hub, Refusal};
use crate::model::{Decision, Snowflake};
use crate::store;

/// Where a button was pressed, as the click itself reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickOrigin {
    /// The channel or thread.
    pub channel: Snowflake,
    /// The message; `None` if it was deleted while a dialog was open.
    pub message: Option<Snowflake>,
    /// Whether this bot wrote that message, or opened that dialog.
    pub is_ours: bool,
}

impl Hub {
    /// Why the button is invalid at this location; `None` if it is valid. The channel must be one that the card went
    /// to, in the guild the person clicked in, and the message must be the bot's own and about this subject. A
    /// message with an unknown id is accepted as the card only where the card's own id is not recorded (Discord
    /// accepted the post and its answer was lost, or has not arrived yet): then it is adopted.
    pub(super) async fn misplaced(
        &self,
        click: &Click,
        decision: &Decision,
    ) -> store::Result<Option<Refusal>> {
        let Some(place) = &click.place else { return Ok(None) };
        let guild = self.0.places.borrow().as_ref().and_then(|places| places.get(&place.channel)?.guild_id);
        let elsewhere = guild.is_some() && guild != click.person.guild;
        let posted = self.0.store.stands(decision).await?;
        let here: Vec<_> = posted.iter().filter(|card| card.channel == place.channel).collect();
        // Discord returned this id when the message was posted, so it is the bot's, whatever the click reports as its
        // author.
        let is_known = place.message.is_some() && here.iter().any(|card| card.message == place.message);
        if elsewhere || here.is_empty() || !(place.is_ours || is_known) {
            return Ok(Some(Refusal::Misplaced));
        }
        let Some(message) = place.message.filter(|_| !is_known) else { return Ok(None) };
        // This check comes first: a message that is recorded in between is then known by what it shows.
        let is_unrecorded = self.0.store.is_unrecorded(decision, place.channel).await?;
        match self.0.store.shows_subject(place.channel, message, &decision.subject).await? {
            Some(true) => {}
            None if is_unrecorded => self.0.store.adopt(decision, place.channel, message).await?,
            Some(false) | None => return Ok(Some(Refusal::Misplaced)),
        }
        Ok(None)
    }
}
