//! The look for a message in doubt: is it in its channel, is it not, or can nobody tell?
//!
//! It is known by its nonce. Reads need not repeat that, so else a message with cards is known by *all* of their tags,
//! and lines that answer a card by that card and their text; and it is nobody's receipt yet. Our wall clock has no say:
//! what it was posted after is known in Discord's own terms ([`PostedAfter`]), or not at all. `docs/guarantees.md` draws
//! what follows from it.

use std::collections::HashSet;

use crate::discord::{Failure, Page, Pass, Posted};
use crate::dispatch::Context;
use crate::dispatch::channel::Channel;
use crate::model::{Arrived, Attempt, Form, Message, Outcome, PostedAfter, Receipt, Snowflake, Tag};
use crate::render::{self, Body};
use crate::store::Result;

/// How often a channel is read before a message whose fate is unknown is sent again.
const LOOKS: u32 = 10;

/// What a look for a message comes to.
pub(super) enum Looked {
    /// It need not be sent, or cannot be sent now.
    Settled(Box<Attempt>),
    /// It is not there.
    Absent,
    /// Nobody can tell.
    Unclear,
}

/// What a page of messages says about one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Found(Snowflake),
    Absent,
    Unclear,
}

/// A message in doubt, as it would be found.
#[derive(Clone, Copy, Debug)]
struct Sought<'a> {
    nonce: &'a str,
    author: Option<Snowflake>,
    after: PostedAfter,
    shape: Shape<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Shape<'a> {
    /// For each card the tags that it may carry.
    Cards(&'a [Vec<Tag>]),
    /// Lines, without a label, and the card that they answer.
    Lines { text: &'a str, answers: Option<Snowflake> },
}

impl Channel {
    /// Looks for `message`, which would be posted as `body` now.
    pub(super) async fn look_for(
        &self,
        context: &Context,
        channel: Snowflake,
        message: &Message,
        body: &Body,
        pass: Pass,
    ) -> Result<Looked> {
        let (started_at, began) = (context.clock.now(), context.clock.elapsed());
        let attempt = |status, code, response: String, outcome| {
            Ok(Looked::Settled(Box::new(Attempt {
                took: context.clock.elapsed().saturating_sub(began),
                status,
                code,
                response: response.into_bytes(),
                ..Attempt::unanswered(started_at, outcome)
            })))
        };
        let why = match self.read(channel, pass).await {
            Ok(page) => match self.judge(context, channel, message, body, &page).await? {
                Look::Found(id) => {
                    let receipt = Receipt { channel, message: Some(id) };
                    return attempt(Some(200), None, String::new(), Outcome::Sent(receipt));
                }
                Look::Absent => return Ok(Looked::Absent),
                Look::Unclear if self.is_unchanged(channel, message).await => return Ok(Looked::Absent),
                Look::Unclear => {
                    "Discord does not show enough of it (Read Message History is missing?)".to_owned()
                }
            },
            // Whoever may not read may still write.
            Err(Failure { outcome: Outcome::Denied(why), .. }) => why.to_string(),
            // The look is made again, as long as there is hope that it brings something.
            Err(failure) if message.attempts < LOOKS || !matches!(failure.outcome, Outcome::Retry { .. }) => {
                let outcome = match &failure.outcome {
                    // Whatever this request was, the message itself was not sent by it.
                    Outcome::Retry { after, .. } => Outcome::Retry { after: *after, arrived: Arrived::No },
                    Outcome::Refused(_) => Outcome::Retry { after: None, arrived: Arrived::No },
                    outcome => outcome.clone(),
                };
                return attempt(failure.status, failure.code, failure.to_string(), outcome);
            }
            Err(failure) => failure.to_string(),
        };
        tracing::warn!(
            message.id = %message.id,
            "the channel could not be read to see whether a message had arrived: {why}. It is sent again and may stand twice"
        );
        Ok(Looked::Unclear)
    }

    /// The newest messages of `channel`. Whoever shows them has known our token before: else anybody could say that
    /// there are none.
    async fn read(&self, channel: Snowflake, mut pass: Pass) -> std::result::Result<Page, Failure> {
        if self.client().me().is_none() {
            self.client().myself(pass).await?;
            pass = self.pass().await;
        }
        self.client().recent_messages(pass, channel).await
    }

    async fn judge(
        &self,
        context: &Context,
        channel: Snowflake,
        message: &Message,
        body: &Body,
        page: &Page,
    ) -> Result<Look> {
        let shape = match message.form {
            Form::Reply => Shape::Lines {
                text: render::without_label(&body.content),
                answers: body.message_reference.as_ref().map(render::Reference::message),
            },
            Form::Single | Form::Pack | Form::Digest | Form::Plain => Shape::Cards(&message.tags),
        };
        let (author, after) = (self.client().me(), self.bound(message));
        let sought = Sought { nonce: message.nonce.as_str(), author, after, shape };
        let candidates: Vec<Snowflake> = sought.among(page).map(|posted| posted.id).collect();
        let taken = context.store.receipts_among(channel, &candidates).await?;
        Ok(sought.judge(page, &taken))
    }

    /// What `message` was posted after: as it was noted when it was planned, and by what Discord has proven since.
    fn bound(&self, message: &Message) -> PostedAfter {
        let time = message.tried_at.and_then(|moment| self.client().time_at(moment));
        PostedAfter { time: time.max(message.posted_after.time), ..message.posted_after }
    }

    /// Whether nothing was posted in `channel` since `message` was planned, whoever may read it.
    async fn is_unchanged(&self, channel: Snowflake, message: &Message) -> bool {
        let pass = self.pass().await;
        let Ok(place) = self.client().channel(pass, channel).await else { return false };
        let PostedAfter { message: earlier, time } = self.bound(message);
        // Ids hold the time at Discord only.
        let time = time.filter(|_| self.client().heeds_nonces());
        place.last_message_id.is_none_or(|last| {
            earlier.is_some_and(|earlier| last <= earlier)
                || time.is_some_and(|time| last.created_at() < time)
        })
    }
}

impl<'a> Sought<'a> {
    /// The messages of a page that it may be.
    fn among(self, page: &'a Page) -> impl Iterator<Item = &'a Posted> {
        page.messages.iter().filter(move |posted| self.fits(posted))
    }

    fn fits(&self, posted: &Posted) -> bool {
        if posted.nonce.as_deref() == Some(self.nonce) {
            return true;
        }
        let ours = self.author.is_none() || posted.author.is_none() || posted.author == self.author;
        ours && match self.shape {
            Shape::Cards(cards) => {
                let mut shown: Vec<Tag> =
                    posted.footers.iter().filter_map(|text| Tag::last_in(text)).collect();
                // In plain words the footers are part of the text.
                if posted.footers.is_empty() {
                    shown.extend(Tag::all_in(&posted.content));
                }
                !cards.is_empty() && cards.iter().all(|tags| tags.iter().any(|tag| shown.contains(tag)))
            }
            Shape::Lines { text, answers } => {
                // What answers a card that is gone becomes a message like any other.
                render::without_label(&posted.content) == text
                    && posted.footers.is_empty()
                    && (posted.answers.is_none() || posted.answers == answers)
                    && !precedes(self.after, posted)
            }
        }
    }

    /// What `page` says, where `taken` are the messages that are known to be others.
    fn judge(self, page: &Page, taken: &HashSet<Snowflake>) -> Look {
        let found =
            self.among(page).filter(|posted| !taken.contains(&posted.id)).min_by_key(|posted| posted.id);
        let is_proven = self.after.message.is_some() || self.after.time.is_some();
        match (found, self.shape) {
            // The same line may have been said before.
            (Some(posted), Shape::Lines { .. })
                if !is_proven && posted.nonce.as_deref() != Some(self.nonce) =>
            {
                Look::Unclear
            }
            (Some(posted), _) => Look::Found(posted.id),
            // Without Read Message History Discord shows an empty channel instead of refusing.
            (None, _) if page.messages.is_empty() => Look::Unclear,
            (None, _) if page.is_whole || page.messages.iter().any(|posted| precedes(self.after, posted)) => {
                Look::Absent
            }
            (None, _) => Look::Unclear,
        }
    }
}

/// Whether `posted` was there before.
fn precedes(after: PostedAfter, posted: &Posted) -> bool {
    after.message.is_some_and(|earlier| posted.id <= earlier)
        || after.time.is_some_and(|time| posted.at < time)
}
