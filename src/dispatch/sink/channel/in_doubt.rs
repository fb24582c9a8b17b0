//! Lookup of an in-doubt message in its channel: found, absent, or unclear.
//!
//! A message is identified by its nonce. Reads need not return the nonce; then a message with cards is identified by
//! *all* of their tags, and lines that reply to a card by that card and their text; and no other message may have it as
//! its receipt. The local wall clock is not used: what the message was posted after is known in Discord's own terms
//! ([`PostedAfter`]), or not at all. `docs/guarantees.md` describes what follows from it.

use std::collections::HashSet;

use crate::discord::{Client, DiscordFailure, MessagePage, Permit, Posted};
use crate::dispatch::Context;
use crate::model::{Arrived, Attempt, Form, Message, Outcome, PostedAfter, Receipt, Snowflake, Tag};
use crate::render::{self, Body};
use crate::store::Result;

/// How often a channel is read before an in-doubt message is sent again.
const LOOKUPS: u32 = 10;

/// The result of a lookup.
pub(super) enum LookupResult {
    /// The message need not be sent, or cannot be sent now.
    Settled(Box<Attempt>),
    /// The message is not in the channel.
    Absent,
    /// The channel does not show whether it is there.
    Unclear,
}

/// The result for one message on one page of a channel's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PageResult {
    Found(Snowflake),
    Absent,
    Unclear,
}

/// The search pattern for an in-doubt message.
#[derive(Clone, Copy, Debug)]
struct Sought<'a> {
    nonce: &'a str,
    author: Option<Snowflake>,
    after: PostedAfter,
    shape: Shape<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Shape<'a> {
    /// For each card, the tags that it may carry.
    Cards(&'a [Vec<Tag>]),
    /// Lines without their duplicate label, and the card to which they reply.
    Lines { text: &'a str, answers: Option<Snowflake> },
}

/// Searches channels for in-doubt messages.
pub(super) struct Search<'a> {
    context: &'a Context,
    client: &'a Client,
}

impl<'a> Search<'a> {
    pub(super) const fn new(context: &'a Context, client: &'a Client) -> Self {
        Self { context, client }
    }

    /// Looks for `message`, which would be posted as `body` now.
    pub(super) async fn look_for(
        &self,
        channel: Snowflake,
        message: &Message,
        body: &Body,
        permit: Permit,
    ) -> Result<LookupResult> {
        let (started_at, began) = (self.context.clock.now(), self.context.clock.elapsed());
        let attempt = |status, code, response: String, outcome| {
            Ok(LookupResult::Settled(Box::new(Attempt {
                took: self.context.clock.elapsed().saturating_sub(began),
                status,
                code,
                response: response.into_bytes(),
                ..Attempt::unanswered(started_at, outcome)
            })))
        };
        let why = match self.read(channel, permit).await {
            Ok(page) => match self.judge(channel, message, body, &page).await? {
                PageResult::Found(id) => {
                    let receipt = Receipt::Message { channel, message: Some(id) };
                    return attempt(Some(200), None, String::new(), Outcome::Sent(receipt));
                }
                PageResult::Absent => return Ok(LookupResult::Absent),
                PageResult::Unclear if self.is_unchanged(channel, message).await => {
                    return Ok(LookupResult::Absent);
                }
                PageResult::Unclear => {
                    "Discord does not show enough of it (Read Message History is missing?)".to_owned()
                }
            },
            // A bot that may not read a channel may still write to it.
            Err(DiscordFailure { outcome: Outcome::Denied(why), .. }) => why.to_string(),
            // The lookup is repeated as long as it may still succeed.
            Err(failure)
                if message.attempts < LOOKUPS || !matches!(failure.outcome, Outcome::Retry { .. }) =>
            {
                let outcome = match &failure.outcome {
                    // Whatever failed here, this request did not post the message.
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
            "the channel could not be read to see whether a message had arrived: {why}. It is sent again and may be a duplicate"
        );
        Ok(LookupResult::Unclear)
    }

    /// Reads the newest messages of `channel`. The server must have recognized our token before: otherwise any server
    /// could claim that there are none.
    async fn read(
        &self,
        channel: Snowflake,
        mut permit: Permit,
    ) -> std::result::Result<MessagePage, DiscordFailure> {
        if self.client.me().is_none() {
            self.client.myself(permit).await?;
            permit = self.client.circuit_breaker().acquire().await;
        }
        self.client.recent_messages(permit, channel).await
    }

    async fn judge(
        &self,
        channel: Snowflake,
        message: &Message,
        body: &Body,
        page: &MessagePage,
    ) -> Result<PageResult> {
        let shape = match message.form {
            Form::Reply => Shape::Lines {
                text: render::without_label(&body.content),
                answers: body.message_reference.as_ref().map(render::Reference::message),
            },
            Form::Single | Form::Pack | Form::Digest | Form::Plain => Shape::Cards(&message.tags),
        };
        let (author, after) = (self.client.me(), self.bound(message));
        let sought = Sought { nonce: message.nonce.as_str(), author, after, shape };
        let candidates: Vec<Snowflake> = sought.among(page).map(|posted| posted.id).collect();
        let taken = self.context.store.receipts_among(channel, &candidates).await?;
        Ok(sought.judge(page, &taken))
    }

    /// What `message` was posted after: as recorded when it was planned, and as Discord has proven since.
    fn bound(&self, message: &Message) -> PostedAfter {
        let time = message.tried_at.and_then(|moment| self.client.time_at(moment));
        PostedAfter { time: time.max(message.posted_after.time), ..message.posted_after }
    }

    /// Whether no message was posted in `channel` since `message` was planned. Needs no permission to read messages.
    async fn is_unchanged(&self, channel: Snowflake, message: &Message) -> bool {
        let permit = self.client.circuit_breaker().acquire().await;
        let Ok(place) = self.client.channel(permit, channel).await else { return false };
        let PostedAfter { message: earlier, time } = self.bound(message);
        // Ids encode the time only on the real Discord.
        let time = time.filter(|_| self.client.nonces_work());
        place.last_message_id.is_none_or(|last| {
            earlier.is_some_and(|earlier| last <= earlier)
                || time.is_some_and(|time| last.created_at() < time)
        })
    }
}

impl<'a> Sought<'a> {
    /// The messages of a page that match.
    fn among(self, page: &'a MessagePage) -> impl Iterator<Item = &'a Posted> {
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
                // In a plain-text message the footers are part of the content.
                if posted.footers.is_empty() {
                    shown.extend(Tag::all_in(&posted.content));
                }
                !cards.is_empty() && cards.iter().all(|tags| tags.iter().any(|tag| shown.contains(tag)))
            }
            Shape::Lines { text, answers } => {
                // A reply to a deleted card is posted as an ordinary message.
                render::without_label(&posted.content) == text
                    && posted.footers.is_empty()
                    && (posted.answers.is_none() || posted.answers == answers)
                    && !precedes(self.after, posted)
            }
        }
    }

    /// Judges `page`; `taken` are the messages that are known to be others.
    fn judge(self, page: &MessagePage, taken: &HashSet<Snowflake>) -> PageResult {
        let found =
            self.among(page).filter(|posted| !taken.contains(&posted.id)).min_by_key(|posted| posted.id);
        let is_proven = self.after.message.is_some() || self.after.time.is_some();
        match (found, self.shape) {
            // An equal line may have been posted before.
            (Some(posted), Shape::Lines { .. })
                if !is_proven && posted.nonce.as_deref() != Some(self.nonce) =>
            {
                PageResult::Unclear
            }
            (Some(posted), _) => PageResult::Found(posted.id),
            // Without Read Message History, Discord returns an empty channel instead of an error.
            (None, _) if page.messages.is_empty() => PageResult::Unclear,
            (None, _) if page.is_whole || page.messages.iter().any(|posted| precedes(self.after, posted)) => {
                PageResult::Absent
            }
            (None, _) => PageResult::Unclear,
        }
    }
}

/// Whether `posted` was in the channel before.
fn precedes(after: PostedAfter, posted: &Posted) -> bool {
    after.message.is_some_and(|earlier| posted.id <= earlier)
        || after.time.is_some_and(|time| posted.at < time)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::clock::Timestamp;

    const US: Snowflake = Snowflake::new(1);
    const CARD: Snowflake = Snowflake::new(50);

    fn tag(id: &str) -> Tag {
        Tag::last_in(id).unwrap()
    }

    /// A message that we posted at second `id`.
    fn posted(id: u64, footers: &[&str]) -> Posted {
        Posted {
            id: Snowflake::new(id),
            author: Some(US),
            at: Timestamp::from_secs(i64::try_from(id).unwrap()),
            nonce: None,
            content: String::new(),
            footers: footers.iter().map(|footer| format!("XTSystems · x · {footer}")).collect(),
            answers: None,
        }
    }

    fn line(id: u64, content: &str, answers: Option<Snowflake>) -> Posted {
        Posted { content: content.to_owned(), answers, ..posted(id, &[]) }
    }

    fn whole(messages: Vec<Posted>) -> MessagePage {
        MessagePage { messages, is_whole: true }
    }

    fn after(message: Option<u64>, second: Option<i64>) -> PostedAfter {
        PostedAfter { message: message.map(Snowflake::new), time: second.map(Timestamp::from_secs) }
    }

    fn cards(cards: &[Vec<Tag>], after: PostedAfter, page: &MessagePage, taken: &[u64]) -> PageResult {
        let taken = taken.iter().copied().map(Snowflake::new).collect();
        Sought { nonce: "n", author: Some(US), after, shape: Shape::Cards(cards) }.judge(page, &taken)
    }

    fn lines(after: PostedAfter, page: &MessagePage, taken: &[u64]) -> PageResult {
        let taken = taken.iter().copied().map(Snowflake::new).collect();
        let shape = Shape::Lines { text: "high → low", answers: Some(CARD) };
        Sought { nonce: "n", author: Some(US), after, shape }.judge(page, &taken)
    }

    // K-9
    #[test]
    fn a_pack_is_found_by_all_of_its_tags_in_a_message_of_ours_that_is_nobody_s_receipt() {
        let pack = [vec![tag("aaaaaaaa·2")], vec![tag("bbbbbbbb"), tag("cccccccc")]];
        let judge =
            |message: Posted, taken: &[u64]| cards(&pack, after(None, None), &whole(vec![message]), taken);
        let found = PageResult::Found(Snowflake::new(9));
        assert_eq!(judge(posted(9, &["aaaaaaaa·2", "bbbbbbbb"]), &[]), found);
        assert_eq!(
            judge(posted(9, &["dddddddd", "cccccccc", "aaaaaaaa·2 · may be a duplicate"]), &[]),
            found
        );
        assert_eq!(judge(posted(9, &["aaaaaaaa·2"]), &[]), PageResult::Absent, "one of two");
        assert_eq!(
            judge(posted(9, &["aaaaaaaa", "bbbbbbbb"]), &[]),
            PageResult::Absent,
            "the first generation"
        );
        assert_eq!(judge(posted(9, &["aaaaaaaa·2", "bbbbbbbb"]), &[9]), PageResult::Absent, "another row's");
        let theirs = Posted { author: Some(Snowflake::new(2)), ..posted(9, &["aaaaaaaa·2", "bbbbbbbb"]) };
        assert_eq!(judge(theirs, &[]), PageResult::Absent, "somebody else's");
        let by_nonce = Posted { nonce: Some("n".to_owned()), ..posted(9, &[]) };
        assert_eq!(judge(by_nonce, &[]), found);
        assert_eq!(cards(&[], after(None, None), &whole(vec![posted(9, &[])]), &[]), PageResult::Absent);
    }

    // K-9
    #[test]
    fn a_line_is_found_by_its_card_and_its_text_and_not_before_its_first_try() {
        let judge =
            |messages: Vec<Posted>, taken: &[u64]| lines(after(Some(60), None), &whole(messages), taken);
        let ours = |id| line(id, "high → low", Some(CARD));
        assert_eq!(judge(vec![ours(70)], &[]), PageResult::Found(Snowflake::new(70)));
        assert_eq!(
            judge(vec![line(70, "(may be a duplicate)\nhigh → low", Some(CARD))], &[]),
            PageResult::Found(Snowflake::new(70))
        );
        assert_eq!(judge(vec![ours(60)], &[]), PageResult::Absent, "it was there before");
        assert_eq!(
            judge(vec![line(70, "high → low", Some(Snowflake::new(51)))], &[]),
            PageResult::Absent,
            "another card's"
        );
        assert_eq!(judge(vec![line(70, "low → high", Some(CARD))], &[]), PageResult::Absent, "another text");
        assert_eq!(
            judge(vec![ours(72), ours(71), ours(70)], &[70]),
            PageResult::Found(Snowflake::new(71)),
            "the oldest unclaimed"
        );
        assert_eq!(
            lines(after(None, None), &whole(vec![ours(70)]), &[]),
            PageResult::Unclear,
            "nothing is proven"
        );
    }

    // K-10
    #[rstest]
    #[case::whole_channel(after(None, None), true, PageResult::Absent)]
    #[case::nothing_proven(after(None, None), false, PageResult::Unclear)]
    #[case::reaches_an_earlier_message(after(Some(100), None), false, PageResult::Absent)]
    #[case::does_not_reach_it(after(Some(99), None), false, PageResult::Unclear)]
    #[case::reaches_back_in_time(after(None, Some(101)), false, PageResult::Absent)]
    #[case::does_not(after(None, Some(100)), false, PageResult::Unclear)]
    fn absent_is_only_what_is_proven_absent(
        #[case] after: PostedAfter,
        #[case] is_whole: bool,
        #[case] look: PageResult,
    ) {
        let page = MessagePage {
            messages: (100..200).rev().map(|id| posted(id, &["eeeeeeee"])).collect(),
            is_whole,
        };
        assert_eq!(cards(&[vec![tag("aaaaaaaa")]], after, &page, &[]), look);
        let nothing = MessagePage { messages: Vec::new(), is_whole: true };
        assert_eq!(
            cards(&[vec![tag("aaaaaaaa")]], after, &nothing, &[]),
            PageResult::Unclear,
            "who may not read sees nothing"
        );
    }
}
