//! Reading a channel as its members do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use nuncio::sandbox::{Discord, Snowflake};
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
        self.next_messages(1).await.remove(0)
    }

    /// The next `count` messages.
    pub async fn next_messages(&self, count: usize) -> Vec<Message> {
        let at = self.position();
        let waiting =
            self.discord.wait_until(|discord| (discord.message_count(self.id) >= at + count).then_some(()));
        within(&format!("{} messages in #{}", at + count, self.name), waiting).await;
        self.read.lock().unwrap().insert(self.name.clone(), at + count);
        self.discord.messages_from(self.id, at).into_iter().take(count).map(Message).collect()
    }

    /// A message as it stands now.
    pub fn now(&self, id: &str) -> Message {
        let found = self.discord.message(self.id, id.parse().unwrap());
        Message(found.unwrap_or_else(|| panic!("message {id} does not stand in #{}", self.name)))
    }

    /// Waits until a message is as it should be.
    pub async fn becomes(&self, id: &str, what: &str, mut is: impl FnMut(&Message) -> bool) -> Message {
        let message = id.parse().unwrap();
        let waiting = self.discord.wait_until(|discord| {
            discord.message(self.id, message).map(Message).filter(|message| is(message))
        });
        match tokio::time::timeout(super::PATIENCE, waiting).await {
            Ok(message) => message,
            Err(_) => panic!("waited in vain for {what}; it is {:#?}", self.now(id).0),
        }
    }

    /// What stands there and was not read.
    pub fn unread(&self) -> Vec<Value> {
        self.discord.messages_from(self.id, self.position())
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
    pub fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    pub fn description(&self) -> &str {
        self.0["embeds"][0]["description"].as_str().unwrap_or_default()
    }

    /// The labels of its buttons.
    pub fn buttons(&self) -> Vec<&str> {
        let rows = self.0["components"].as_array().into_iter().flatten();
        let buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
        buttons.filter_map(|button| button["label"].as_str()).collect()
    }

    /// The custom id of a button.
    pub fn custom_id(&self, label: &str) -> String {
        let rows = self.0["components"].as_array().into_iter().flatten();
        let mut buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
        let found = buttons.find(|button| button["label"] == label);
        let found = found.unwrap_or_else(|| panic!("no button {label:?} among {:?}", self.buttons()));
        found["custom_id"].as_str().unwrap().to_owned()
    }
    pub fn content(&self) -> &str {
        self.0["content"].as_str().unwrap()
    }

    pub fn title(&self) -> &str {
        self.0["embeds"][0]["title"].as_str().unwrap_or_default()
    }
}
