use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use tokio::sync::broadcast::Receiver;

use super::Stage;
use crate::sandbox::discord::Dispatch;

/// An answer; the body is `Null` if it is empty.
#[derive(Debug)]
pub(super) struct ApiAnswer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl ApiAnswer {
    /// Asserts success and returns the body.
    pub(super) fn done(self) -> Value {
        assert!(self.status < 300, "{self:?}");
        self.body
    }

    /// The status and JSON error code of a refusal.
    pub(super) fn refused(&self) -> (u16, u64) {
        (self.status, self.body["code"].as_u64().unwrap_or_else(|| panic!("{self:?}")))
    }

    /// The first error code in the tree of errors, with its path.
    pub(super) fn first_error(&self) -> String {
        fn walk(value: &Value, path: &str) -> Option<String> {
            let object = value.as_object()?;
            if let Some(errors) = object.get("_errors") {
                return Some(format!("{path}: {}", errors[0]["code"].as_str()?));
            }
            object.iter().find_map(|(key, inner)| walk(inner, &format!("{path}.{key}")))
        }
        walk(&self.body["errors"], "").unwrap_or_else(|| panic!("{self:?}"))
    }
}

impl Stage {
    /// Sends a request as a person (by user name), as `bot`, or as `nobody`.
    pub(super) async fn ask(&self, who: &str, method: Method, path: &str, body: Option<&Value>) -> ApiAnswer {
        let request = self.client.request(method, format!("{}/api/v10{path}", self.base));
        let request = match who {
            "nobody" => request,
            "bot" => request.header("Authorization", format!("Bot {}", self.discord.bot_token().expose())),
            name => request.header("Authorization", self.discord.token_of(name).unwrap().expose()),
        };
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        ApiAnswer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// Posts as a user.
    pub(super) async fn say(&self, who: &str, path: &str, body: &Value) -> ApiAnswer {
        self.ask(who, Method::POST, path, Some(body)).await
    }

    /// Reads as the bot.
    pub(super) async fn read(&self, path: &str) -> ApiAnswer {
        self.ask("bot", Method::GET, path, None).await
    }
}

/// The data of the next dispatch named `name`.
pub(super) async fn next(events: &mut Receiver<Arc<Dispatch>>, name: &str) -> Value {
    loop {
        let dispatch = events.recv().await.unwrap();
        if dispatch.t == name {
            return dispatch.d.clone();
        }
    }
}
