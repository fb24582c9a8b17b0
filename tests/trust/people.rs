//! A stage with people on it: machines ask to join, somebody presses buttons, the platform is told.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use nuncio::clock::{Clock, Timestamp};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::platform::Platform;
use super::sender::Event;
use super::stage::Stage;
use super::{ASK_AGAIN, until};

/// The first millisecond of Discord's time (Discord: "Snowflakes").
const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;

/// The stage, and who plays on it.
pub struct People {
    /// Everything else.
    pub stage: Stage,
    /// XTSystems' API.
    pub platform: Platform,
    /// The token of somebody who may decide.
    approver: String,
}

/// When each machine was seen to be approved, in milliseconds since 1970.
pub struct Watch {
    seen: Arc<Mutex<BTreeMap<String, u64>>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// What was seen so far.
    pub fn seen(&self) -> BTreeMap<String, u64> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn note(seen: &Mutex<BTreeMap<String, u64>>, machines: impl Iterator<Item = String>, now: u64) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    machines.for_each(|machine| {
        seen.entry(machine).or_insert(now);
    });
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A card: its message and the custom ids of its buttons by their labels.
#[derive(Clone, Debug)]
pub struct Card {
    message: String,
    /// What it says first.
    pub title: String,
    buttons: HashMap<String, String>,
}

impl People {
    /// A stage on which decisions are told to the platform after `grace`. nuncio is not started.
    pub async fn set(grace: &str) -> anyhow::Result<Self> {
        let mut stage = Stage::set(1).await?;
        let platform = Platform::start().await?;
        stage.sandbox.order(json!({"gateway": {"starts": [1000, 16]}})).await?;
        let state = stage.sandbox.state().await?;
        let roles = state["guilds"][0]["roles"].as_array().context("no roles")?;
        let role = roles.iter().find(|role| role["name"] == "Approvers").context("no approvers")?;
        let mut map: Value = serde_json::from_str(&stage.variables["DISCORD_WEBHOOK_CHANNELS"])?;
        map["machine.*"] = json!([stage.channels[0]]);
        stage.variables.remove("DISCORD_GATEWAY");
        for (name, value) in [
            ("DISCORD_WEBHOOK_CHANNELS", map.to_string()),
            ("XTSYSTEMS_API_URL", platform.url.clone()),
            ("XTSYSTEMS_API_KEY", "a-key-of-the-rig".to_owned()),
            ("APPROVER_ROLES", role["id"].as_str().unwrap_or_default().to_owned()),
            ("DECISION_GRACE", grace.to_owned()),
        ] {
            stage.variables.insert(name.to_owned(), value);
        }
        // Alice, who is an approver.
        let approver = stage.sandbox.says("user_token").to_owned();
        Ok(Self { stage, platform, approver })
    }

    /// Starts nuncio, and waits until it hears clicks.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.stage.start().await?;
        let url = self.stage.url("/health")?;
        let online = async || {
            let health: Value = reqwest::get(&url).await.ok()?.json().await.ok()?;
            (health["discord"] == "connected").then_some(())
        };
        until("the bot to be online", online).await
    }

    /// These machines ask to join; their cards, in order.
    pub async fn ask(&self, machines: Range<usize>) -> anyhow::Result<Vec<Card>> {
        for number in machines.clone() {
            let data = json!({"id": format!("m-{number}"), "hostname": name(number)});
            let body = json!({"event_type": "machine.registered", "data": data, "timestamp": number});
            self.stage.sender.deliver(&Event { tag: name(number), body: body.to_string() }).await?;
        }
        let mut cards = Vec::new();
        for number in machines {
            cards.push(self.card(number, "🖥️").await?);
        }
        Ok(cards)
    }

    /// Waits until the card of a machine begins like this.
    pub async fn card(&self, number: usize, beginning: &str) -> anyhow::Result<Card> {
        let name = name(number);
        let found = async || {
            let cards = self.cards().await.ok()?;
            cards.into_iter().find(|card| card.title.starts_with(beginning) && card.title.contains(&name))
        };
        until(&format!("the card {beginning} {name}"), found).await
    }

    /// All cards as they stand.
    pub async fn cards(&self) -> anyhow::Result<Vec<Card>> {
        let messages = self.stage.sandbox.messages().await?;
        let messages = messages.get(&self.stage.channels[0]).context("no such channel")?;
        Ok(messages.iter().filter_map(Card::of).collect())
    }

    /// Presses a button; the id of the interaction that it became.
    pub async fn press(&self, card: &Card, label: &str) -> anyhow::Result<u64> {
        let custom_id = card.buttons.get(label).with_context(|| format!("no button {label}: {card:?}"))?;
        let body = json!({
            "type": 3, "channel_id": self.stage.channels[0], "guild_id": self.stage.sandbox.says("guild_id"),
            "message_id": card.message, "data": {"component_type": 2, "custom_id": custom_id},
        });
        self.stage.sandbox.interact(&self.approver, &body).await
    }

    /// How long each of these interactions waited for its first answer; none yet for those that are missing.
    pub async fn acknowledged(&self) -> anyhow::Result<BTreeMap<u64, Duration>> {
        let ledger = self.stage.sandbox.ledger().await?;
        let mut waited = BTreeMap::new();
        for asked in ledger.as_array().into_iter().flatten() {
            let path = asked["path"].as_str().unwrap_or_default();
            let Some((_, rest)) = path.split_once("/interactions/") else { continue };
            let id = rest.split('/').next().and_then(|id| id.parse::<u64>().ok());
            let (Some(id), Some(at)) = (id.filter(|_| rest.ends_with("/callback")), millis(&asked["at"]))
            else {
                continue;
            };
            waited.entry(id).or_insert(Duration::from_millis(at.saturating_sub(made(id))));
        }
        Ok(waited)
    }

    /// Looks at the database until it is dropped, and notes when it began to say that a machine is approved.
    pub async fn watch(&self) -> anyhow::Result<Watch> {
        let database = self.stage.database().await?;
        let seen: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let clock = Clock::system();
            loop {
                let approved = "SELECT object FROM decisions WHERE verdict = 'approved'";
                let objects = database.rows(approved, |row| row.get(0)).await.unwrap_or_default();
                let now = u64::try_from(clock.now().as_millis()).unwrap_or_default();
                note(&noted, objects.into_iter(), now);
                clock.sleep(ASK_AGAIN).await;
            }
        });
        Ok(Watch { seen, task })
    }

    /// How many clicks the audit log says have approved each machine.
    pub async fn winners(&self) -> anyhow::Result<BTreeMap<String, usize>> {
        let database = self.stage.database().await?;
        let sql = "SELECT subject FROM audit WHERE action = 'decision.approve' AND outcome = 'done'";
        let subjects: Vec<String> = database.rows(sql, |row| row.get(0)).await?;
        let mut winners = BTreeMap::new();
        for subject in subjects {
            *winners.entry(subject.replace("machine ", "")).or_default() += 1;
        }
        Ok(winners)
    }

    /// The Idempotency-Keys by which the platform was called about each machine, each once.
    pub fn recorded_requests(&self) -> BTreeMap<String, Vec<String>> {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for call in self.platform.calls() {
            let machine = call.path.split('/').nth(3).unwrap_or_default().to_owned();
            let keys = told.entry(machine).or_default();
            if !keys.contains(&call.key) {
                keys.push(call.key);
            }
        }
        told
    }
}

impl Card {
    fn of(message: &Value) -> Option<Self> {
        let rows = message["components"].as_array().into_iter().flatten();
        let buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            message: text(&message["id"])?,
            title: text(&message["embeds"][0]["title"])?,
            buttons: buttons
                .filter_map(|button| Some((text(&button["label"])?, text(&button["custom_id"])?)))
                .collect(),
        })
    }
}

/// How many of these machines have exactly one card, and it shows that they were approved.
pub fn shown_once(cards: &[Card], machines: Range<usize>) -> usize {
    let once = |machine: &usize| {
        let name = name(*machine);
        let mut its = cards.iter().filter(|card| card.title.contains(&name));
        let shows = its.next().is_some_and(|card| card.title.starts_with("✅"));
        shows && its.next().is_none()
    };
    machines.filter(once).count()
}

/// When an interaction was made, in milliseconds since 1970.
pub fn made(interaction: u64) -> u64 {
    (interaction >> 22) + DISCORD_EPOCH_MS
}

fn millis(at: &Value) -> Option<u64> {
    let at = Timestamp::parse_rfc3339(at.as_str()?)?;
    u64::try_from(at.as_millis()).ok()
}

/// No name is the beginning of another.
fn name(number: usize) -> String {
    format!("RIG-{number:05}")
}

#[cfg(test)]
mod tests {
    use super::*;

    // K-4: two cards of one machine do not stand in for none of another.
    #[test]
    fn a_machine_is_shown_by_one_card_of_its_own() {
        let shown = |titles: &[&str]| {
            let card = |title: &&str| Card {
                message: String::new(),
                title: (*title).to_owned(),
                buttons: HashMap::new(),
            };
            shown_once(&titles.iter().map(card).collect::<Vec<_>>(), 0..2)
        };
        let (first, second) = ("✅ RIG-00000 approved", "✅ RIG-00001 approved");
        assert_eq!(shown(&[first, second]), 2);
        assert_eq!(shown(&[first, first]), 0);
        assert_eq!(shown(&[first, first, second]), 1);
        assert_eq!(shown(&[first, "🖥️ RIG-00001 wants to join"]), 1);
        assert_eq!(shown(&[first, second, "🖥️ RIG-00001 wants to join"]), 1);
    }
}
