//! Message composition: a planned message's deliveries → cards, with what each card shows of which subject.
//!
//! A message is composed for every attempt from the current table, so after a crash the result is equal or newer.
//! Composing only reads: the sink notes the result in the message, and the lane records it.
//!
//! The way of a message: a decision's card is drawn by `decision.rs`, a digest and replies have a form of their own, and
//! all others are a `CardPost` or a `CardEdit`.

mod card_edit;
mod card_post;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::clock::SteadyTime;
use crate::dispatch::Context;
use crate::dispatch::cards::compose::card_edit::CardEdit;
use crate::dispatch::cards::compose::card_post::CardPost;
use crate::dispatch::cards::composed::Composed;
use crate::dispatch::cards::decision::{self, DecisionCard};
use crate::dispatch::cards::reply;
use crate::model::{Action, EventHeader, Form, Message, Snowflake};
use crate::render::{self, Digest, View};
use crate::store::Result;

/// Composes `message`, whose events are loaded.
pub(in crate::dispatch) async fn compose(context: &Context, message: &Message) -> Result<Composed> {
    let pings = named(context, message).await?;
    let deliveries = match decision::compose(context, message).await? {
        DecisionCard::Drawn(composed) => return Ok(Composed { pings, ..*composed }),
        DecisionCard::Usual(deliveries) => deliveries,
    };
    match message.form {
        Form::Digest => return digest(context, message, pings).await,
        Form::Reply => return reply::compose(context, message, &deliveries).await,
        Form::Single | Form::Pack | Form::Plain => {}
    }
    if let Some(edit) = CardEdit::of(context, message, &deliveries).await? {
        return edit.compose(pings).await;
    }
    CardPost { context, message, deliveries }.compose(pings).await
}

/// The roles that `message` names: those that the card pinged stay named when it is edited.
async fn named(context: &Context, message: &Message) -> Result<Vec<Snowflake>> {
    match message.action {
        Action::Create => Ok(message.pings.clone()),
        Action::Edit { channel, message } => context.store.named_in(channel, message).await,
    }
}

/// Composes a digest's card. A digest of late events pings no role.
async fn digest(context: &Context, message: &Message, pings: Vec<Snowflake>) -> Result<Composed> {
    let digest = sum(context, message).await?;
    let age = |at: Option<SteadyTime>| at.map(|at| context.clock.age(at)).unwrap_or_default();
    let late = Some(age(digest.oldest())).filter(|age| render::is_late(*age));
    let card = digest.card(message.id, late.map(|age| (age, message.late.as_deref())));
    let pings = if render::is_late(age(digest.newest())) { Vec::new() } else { pings };
    Ok(Composed { pings, ..Composed::of_one(message, card) })
}

/// Aggregates a digest's events.
async fn sum(context: &Context, message: &Message) -> Result<Digest> {
    let hub = context.hub.clone();
    let add = move |digest: &mut Digest, summand: &EventHeader| {
        digest.add(summand, hub.name_of(summand.source, &summand.company).as_deref());
    };
    let mut digest = context.store.fold_events(message.id, Digest::default(), add).await?;
    for id in digest.first().collect::<Vec<_>>() {
        let Some(event) = context.store.event(id).await? else { continue };
        let name = context.hub.company_name(&event);
        let view = View { company_name: name.as_deref(), links: &context.links, asked: None };
        if catch_unwind(AssertUnwindSafe(|| digest.tell(&event, &view))).is_err() {
            tracing::error!(event.id = %event.id, "a {} could not be listed in a digest: its line is missing there, and the event is kept. Please report this", event.kind);
        }
    }
    Ok(digest)
}
