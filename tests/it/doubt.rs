//! Messages in doubt: begun, and nobody heard whether Discord took them.

mod model;

use serde_json::Value;

use crate::harness::Harness;

/// What a message says that may be a duplicate.
const LABEL: &str = "may be a duplicate";

/// XTSystems sends this event, and it is accepted: its id.
async fn sends(t: &Harness, body: Value) -> String {
    t.sends_body(body).await.body["event_id"].as_str().unwrap().to_owned()
}
