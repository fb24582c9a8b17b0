//! Responses to interactions through Discord's REST API, with serenity's HTTP client.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serenity::all::{CreateAttachment, InteractionId};
use serenity::http::Http;

use crate::bot::gateway::http;
use crate::bot::interaction::Interaction;
use crate::bot::reply::{FirstResponse, ReplyBody};
use crate::bot::responder::{Outlet, Responded};
use crate::model::Snowflake;
use crate::secret::Secret;

/// Sends every response as a request.
pub(super) struct Callback {
    http: Arc<Http>,
    interaction: Snowflake,
    token: Secret,
}

impl Callback {
    pub(super) fn new(http: &Arc<Http>, interaction: &Interaction) -> Self {
        Self { http: Arc::clone(http), interaction: interaction.id, token: interaction.token.clone() }
    }
}

impl Outlet for Callback {
    fn respond(&self, response: FirstResponse) -> BoxFuture<'_, Responded> {
        Box::pin(async move {
            let files = match &response {
                FirstResponse::Message(reply) | FirstResponse::Updated(reply) => files(reply),
                _ => Vec::new(),
            };
            let (id, body) = (InteractionId::new(self.interaction.get()), response.body());
            let sent = self.http.create_interaction_response(id, self.token.expose(), &body, files);
            sent.await.map_err(|error| http::response_error(&error))
        })
    }

    fn edit(&self, reply: ReplyBody) -> BoxFuture<'_, Responded> {
        Box::pin(async move {
            let files = files(&reply);
            let sent = self.http.edit_original_interaction_response(self.token.expose(), &reply, files);
            sent.await.map(drop).map_err(|error| http::response_error(&error))
        })
    }

    fn follow_up(&self, reply: ReplyBody) -> BoxFuture<'_, Responded> {
        Box::pin(async move {
            let files = files(&reply);
            let sent = self.http.create_followup_message(self.token.expose(), &reply, files);
            sent.await.map(drop).map_err(|error| http::response_error(&error))
        })
    }
}

fn files(reply: &ReplyBody) -> Vec<CreateAttachment> {
    reply.file().map(|(name, bytes)| CreateAttachment::bytes(bytes, name)).into_iter().collect()
}
