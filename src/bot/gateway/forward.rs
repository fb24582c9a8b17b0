//! Forwards interactions and READY events that serenity could not parse to the regular handlers.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use serenity::all::{Client, Context, Framework, FullEvent, Ready};
use serenity::async_trait;

use crate::bot::gateway::interaction_sink::InteractionSink;
use crate::bot::gateway::lenient::interaction;
use crate::bot::gateway::listener::Listener;

/// Poise, shared with the [`Forwarder`].
pub(super) struct Commands<F> {
    poise: Option<F>,
    ready: Arc<OnceLock<F>>,
}

/// Receives the interactions that serenity could not parse.
pub(super) struct Forwarder<F> {
    listener: Listener,
    commands: Arc<OnceLock<F>>,
}

impl<F: Framework> Commands<F> {
    /// Wraps `poise`; returns it with the forwarder that shares it.
    pub(super) fn around(poise: F, listener: Listener) -> (Self, Forwarder<F>) {
        let ready = Arc::new(OnceLock::new());
        (Self { poise: Some(poise), ready: Arc::clone(&ready) }, Forwarder { listener, commands: ready })
    }
}

#[async_trait]
impl<F: Framework> Framework for Commands<F> {
    async fn init(&mut self, client: &Client) {
        if let Some(mut poise) = self.poise.take() {
            poise.init(client).await;
            let _ = self.ready.set(poise);
        }
    }

    async fn dispatch(&self, context: Context, event: FullEvent) {
        if let Some(poise) = self.ready.get() {
            poise.dispatch(context, event).await;
        }
    }
}

#[async_trait]
impl<F: Framework> InteractionSink for Forwarder<F> {
    async fn forward_interaction(&self, context: Context, raw: Value) {
        match interaction(&raw) {
            Ok(interaction) => {
                self.listener.receive(&context, &interaction).await;
                if let Some(commands) = self.commands.get() {
                    commands.dispatch(context, FullEvent::InteractionCreate { interaction }).await;
                }
            }
            Err(error) => {
                let fields: Vec<&str> =
                    raw.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                tracing::warn!(
                    "Discord sent a click or command that nuncio cannot read ({error}; its fields: {}). Nothing was \
                     done, and the person sees that it failed. Please report this",
                    fields.join(" ")
                );
            }
        }
    }

    async fn forward_ready(&self, context: Context, ready: Ready) {
        if let Some(commands) = self.commands.get() {
            commands.dispatch(context, FullEvent::Ready { data_about_bot: ready }).await;
        }
    }
}
