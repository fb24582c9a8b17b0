//! Reading a channel as its members do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use nuncio::model::Snowflake;
use nuncio::sandbox::Discord;
use serde_json::Value;

use super::within;

pub struct Channel {
    name: String,
    id: Snowflake,
    discord: Discord,
    read: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// A message as Discord shows it.
#[derive(Debug)]
pub struct Message(pub Value);

impl Channel {
    pub(super) fn new(
        name: &str,
        id: Snowflake,
        discord: Discord,
        read: Arc<Mutex<BTreeMap<String, usize>>>,
    ) -> Self {
        Self { name: name.to_owned(), id, discord, read }
    }

    /// The next message that the test has not read; waits for it.
    pub async fn next_message(&self) -> Message {
        let at = self.position();
        let waiting = self.discord.wait_for_messages(self.id, at + 1);
        let messages = within(&format!("message {} in #{}", at + 1, self.name), waiting).await;
        self.read.lock().unwrap().insert(self.name.clone(), at + 1);
        Message(messages[at].clone())
    }

    /// The next `count` messages.
    pub async fn next_messages(&self, count: usize) -> Vec<Message> {
        let mut messages = Vec::with_capacity(count);
        for _ in 0..count {
            messages.push(self.next_message().await);
        }
        messages
    }

    /// What stands there and was not read.
    pub fn unread(&self) -> Vec<Value> {
        self.discord.messages(self.id).split_off(self.position())
    }

    /// What stands there now, read or not, as it looks now.
    pub fn shown(&self) -> Vec<Value> {
        self.discord.messages(self.id)
    }

    fn position(&self) -> usize {
        self.read.lock().unwrap().get(&self.name).copied().unwrap_or(0)
    }
}

impl Message {
    pub fn content(&self) -> &str {
        self.0["content"].as_str().unwrap()
    }

    pub fn title(&self) -> &str {
        self.0["embeds"][0]["title"].as_str().unwrap_or_default()
    }
}
