//! Dispatches: what a hosting platform reports reaches the stored webhooks that it is for, and no other.
//!
//! | protection | what was taken away (control) | what failed then |
//! | --- | --- | --- |
//! | a customer's event reaches that customer's webhooks only | `owner = $11` in the selection | `selection::no_customers_event_reaches_another` |
//! | internal functions never reach the public | `is_internal` in `DispatchOptions::selection` | `selection::each_option_chooses_as_the_contract_says` |
//! | a wait ends after ten seconds | `left.is_zero()` in `wait_for_outcomes` | `wait::one_that_hangs_does_not_hold_the_others` |
//! | values of settings are kept nowhere | `changed_fields` alone in the body | `cards::values_of_settings_are_nowhere` |
//! | repeats of an alert share a message | the subject of `Dispatch::NodeAlert` | `repeats::the_same_alert_changes_its_message` |

mod cards;
mod conformance;
mod docs;
mod hostile;
mod repeats;
mod roles;
mod scale;
mod selection;
mod shell;
mod wait;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::harness::{Harness, Message, http};
use crate::webhooks::makes_webhook;

/// `NUNCIO_API_KEY` of these tests.
pub const KEY: &str = "the-bootstrap-key-of-these-tests";

/// A hosting platform, with a nuncio that knows no map and no XTSystems' key.
pub struct Platform {
    pub t: Harness,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Platform {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With further variables.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let t = Harness::with(|all| {
            all.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
            all.insert("API_RATE_LIMIT".to_owned(), "60000/1m".to_owned());
            all.insert("COALESCE".to_owned(), "off".to_owned());
            all.insert("DISPATCH_FOOTER".to_owned(), "NodeByte".to_owned());
            all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        });
        Self { t: t.await }
    }

    /// Posts `body` with the key `key`, and further headers.
    pub async fn posts_with(&self, key: &str, headers: &[(&str, &str)], path: &str, body: &Value) -> Reply {
        let request = http().post(self.t.url(path)).bearer_auth(key).json(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Reply { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub async fn posts(&self, path: &str, body: Value) -> Reply {
        self.posts_with(KEY, &[], path, &body).await
    }

    /// Dispatches; it is accepted.
    pub async fn dispatches(&self, function: &str, body: Value) -> Value {
        let reply = self.posts(&format!("/v1/dispatch/{function}"), body).await;
        assert_eq!(reply.status, 202, "{function}: {}", reply.body);
        reply.body
    }

    /// The same, waiting for the outcomes.
    pub async fn awaits(&self, function: &str, body: Value) -> Value {
        let reply = self.posts(&format!("/v1/dispatch/{function}?wait=true"), body).await;
        assert_eq!(reply.status, 200, "{function}: {}", reply.body);
        reply.body
    }

    /// Stores a webhook of `channel`; `about` may change everything but its address. Its id.
    pub async fn stores(&self, channel: &str, about: Value) -> String {
        let mut body = json!({"name": channel, "webhook_url": makes_webhook(&self.t, channel).await});
        body.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        let reply = self.posts("/v1/discord-webhooks", body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.body["id"].as_str().unwrap().to_owned()
    }

    /// A webhook of each category in the channel `general`.
    pub async fn stores_all_categories(&self) {
        for category in ["GAME_SERVER", "VPS", "SYSTEM", "BILLING", "SECURITY", "SUPPORT", "CUSTOM"] {
            self.stores("general", json!({"name": category, "type": category})).await;
        }
    }

    pub async fn next(&self, channel: &str) -> Message {
        self.t.channel(channel).next_message().await
    }

    pub async fn finish(self) {
        self.t.finish().await;
    }
}

/// What an embed shows, without what nuncio signs it with.
pub fn shown(message: &Message) -> Value {
    let mut embed = message.0["embeds"][0].clone();
    let embed = embed.as_object_mut().unwrap();
    for ours in ["type", "footer", "timestamp", "content_scan_version", "id"] {
        embed.remove(ours);
    }
    Value::Object(embed.clone())
}
