//! What Discord demands of a message beyond its description: sums, emptiness, uniqueness, and ours on pings.

use std::collections::HashSet;

use nuncio::sandbox::discord::Exchange;
use serde_json::Value;

/// Characters of all embeds of a message.
const SUM: usize = 6000;
/// Characters of a message's text (the description says 4,000).
const CONTENT: usize = 2000;

/// What is wrong with a request, if it is one that sends or changes a message.
pub fn broken(exchange: &Exchange) -> Vec<String> {
    let sends = matches!(exchange.method.as_str(), "POST" | "PATCH");
    let Some(body) = exchange.request.as_ref().filter(|_| sends && is_message(&exchange.path)) else {
        return Vec::new();
    };
    // The callback of an interaction has the message inside, if it is one: types 4 and 7.
    let callback = exchange.path.ends_with("/callback");
    if callback && body["type"] != 4 && body["type"] != 7 {
        return Vec::new();
    }
    let message = if callback { &body["data"] } else { body };
    let mut found = Vec::new();
    let mut demand = |holds: bool, rule: &str| {
        if !holds {
            found.push(format!("{} {}: {rule}", exchange.method, exchange.path));
        }
    };
    let empty = Vec::new();
    let list = |value: &Value, key: &str| value[key].as_array().unwrap_or(&empty).clone();
    let length = |value: &Value| value.as_str().map_or(0, |text| text.trim().chars().count());
    let embeds = list(message, "embeds");
    let sum: usize = embeds
        .iter()
        .map(|embed| {
            let fields: usize = list(embed, "fields")
                .iter()
                .map(|field| length(&field["name"]) + length(&field["value"]))
                .sum();
            let named = length(&embed["footer"]["text"]) + length(&embed["author"]["name"]);
            length(&embed["title"]) + length(&embed["description"]) + fields + named
        })
        .sum();
    demand(sum <= SUM, "embeds are over 6,000 characters");
    demand(length(&message["content"]) <= CONTENT, "content is over 2,000 characters");
    let fields = embeds.iter().flat_map(|embed| list(embed, "fields"));
    demand(
        fields.clone().all(|field| length(&field["name"]) > 0 && length(&field["value"]) > 0),
        "a field is empty",
    );
    let rows = list(message, "components");
    demand(rows.len() <= 5, "there are over five rows");
    let mut ids = HashSet::new();
    let inner = rows.iter().flat_map(|row| list(row, "components"));
    let unique =
        inner.filter_map(|one| one["custom_id"].as_str().map(str::to_owned)).all(|id| ids.insert(id));
    demand(unique, "a custom id stands twice");
    demand(
        exchange.method != "POST" || callback || length(&message["content"]) + embeds.len() + rows.len() > 0,
        "the message is empty",
    );
    demand(
        message["allowed_mentions"]["parse"] == serde_json::json!([]),
        "it may ping: allowed_mentions does not parse nothing",
    );
    found
}

fn is_message(path: &str) -> bool {
    if path.ends_with("/threads") {
        return false;
    }
    path.contains("/messages") || path.contains("/webhooks/") || path.ends_with("/callback")
}
