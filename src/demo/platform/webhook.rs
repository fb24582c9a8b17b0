//! `/v1/webhooks`: the addresses that the platform sends its events to.

use serde_json::{Value, json};

use super::Platform;
use super::api::ApiRequest;
use super::reply::ApiReply;
use crate::secret::Secret;

const UNKNOWN: &str = "Webhook not found";

impl Platform {
    pub(super) async fn webhooks(&self, rest: &[&str], request: &ApiRequest<'_>) -> ApiReply {
        let object = |id: &str| self.model().hook(id).map(|hook| hook.object());
        match (request.method, rest) {
            ("GET", []) => {
                ApiReply::ok(Value::Array(self.model().hooks.iter().map(|hook| hook.object()).collect()))
            }
            ("POST", []) => self.make_webhook(&request.body),
            (_, [id, ..]) if object(id).is_none() => ApiReply::detail(404, UNKNOWN),
            ("GET", [id]) => ApiReply::ok(object(id).unwrap_or_default()),
            ("PUT" | "PATCH", [id]) => self.change_webhook(id, &request.body),
            ("DELETE", [id]) => {
                self.model().hooks.retain(|hook| hook.id != *id);
                ApiReply::ok(json!({"message": "Webhook deleted successfully"}))
            }
            ("POST", [id, "test"]) => self.test_webhook(id).await,
            ("GET", [id, "deliveries"]) => {
                let limit = request.query.strip_prefix("limit=").and_then(|limit| limit.parse().ok());
                ApiReply::ok(Value::Array(self.model().deliveries(id, limit.unwrap_or(50))))
            }
            _ => ApiReply::detail(404, "Not Found"),
        }
    }

    fn make_webhook(&self, body: &Value) -> ApiReply {
        let (Some(name), Some(url)) = (body["name"].as_str(), body["url"].as_str()) else {
            return ApiReply::detail(422, "name, url: field required");
        };
        let Some(events) = body["events"].as_array() else {
            return ApiReply::detail(422, "events: field required");
        };
        let mut model = self.model();
        if model.hooks.iter().any(|hook| hook.name == name) {
            return ApiReply::detail(400, &format!("Webhook with name '{name}' already exists"));
        }
        let events = events.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
        let secret = match body["secret"].as_str() {
            Some(secret) => Secret::new(secret),
            None => Secret::new(hex::encode(rand::random::<[u8; 32]>())),
        };
        let hook = model.add_hook(name, url, events, secret, self.0.clock.now());
        let mut object = hook.object();
        object["secret"] = hook.secret.expose().into();
        ApiReply::created(object)
    }

    fn change_webhook(&self, id: &str, body: &Value) -> ApiReply {
        let now = self.0.clock.now();
        let mut model = self.model();
        let name = body["name"].as_str();
        if name.is_some() && model.hooks.iter().any(|hook| hook.id != id && Some(hook.name.as_str()) == name)
        {
            return ApiReply::detail(400, "Webhook with this name already exists");
        }
        let Some(hook) = model.hook(id) else { return ApiReply::detail(404, UNKNOWN) };
        hook.change(body, now);
        ApiReply::ok(hook.object())
    }

    /// Sends `webhook.test` at once, and returns after the webhook's answer.
    async fn test_webhook(&self, id: &str) -> ApiReply {
        let hook = self.model().hook(id).cloned();
        let Some(hook) = hook else { return ApiReply::detail(404, UNKNOWN) };
        let data = json!({"message": "Test webhook from XTSystems", "webhook_id": id, "test": self.model().mint("test")});
        let (took, answer) = self.deliver(&hook, "webhook.test", data).await;
        let success = answer.as_ref().is_some_and(|answer| (200..300).contains(&answer.status));
        let message = match &answer {
            Some(_) if success => "Test webhook delivered".to_owned(),
            Some(answer) => format!("The endpoint answered {}: {}", answer.status, answer.body),
            None => "The endpoint cannot be reached".to_owned(),
        };
        let (status, took) = (answer.map(|answer| answer.status), took.as_millis());
        ApiReply::ok(
            json!({"success": success, "message": message, "status": status, "ms": u64::try_from(took).unwrap_or(u64::MAX)}),
        )
    }
}
