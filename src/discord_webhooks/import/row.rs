//! One row of an old table or setting as a webhook to store.

use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::model::{Category, NewWebhook, Scope, WebhookUrl, WebhookUrlError};

/// Names of an address's column, as they are compared.
const ADDRESS: [&str; 3] = ["webhookurl", "url", "webhook"];

/// What the operator says about the source.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The host of a proxy in front of Discord, through which the old addresses lead.
    pub proxy_host: Option<String>,
    /// The company that all of them belong to; empty: none.
    pub company: String,
}

/// A webhook as it would be stored.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub(super) about: NewWebhook,
    pub(super) url: WebhookUrl,
    /// Whether it led through the proxy.
    pub(super) is_rewritten: bool,
    /// Whether its type is unknown.
    pub(super) is_retyped: bool,
}

impl Candidate {
    /// Reads a row; `parse` reads an address.
    ///
    /// # Errors
    /// Why it cannot be stored, without its address.
    pub(super) fn read(
        row: &Value,
        options: &ImportOptions,
        parse: impl Fn(&str) -> Result<WebhookUrl, WebhookUrlError>,
    ) -> Result<Self, String> {
        let Value::Object(row) = row else { return Err("it is no row of a table".to_owned()) };
        let address = ADDRESS.iter().find_map(|name| text(row, name)).ok_or("it has no webhookUrl")?;
        let (url, is_rewritten) = match (parse(&address), &options.proxy_host) {
            (Ok(url), _) => (url, false),
            (Err(WebhookUrlError::Elsewhere), Some(host)) => {
                let direct = through(&address, host).ok_or_else(|| WebhookUrlError::Elsewhere.to_string())?;
                (parse(&direct).map_err(|why| why.to_string())?, true)
            }
            (Err(WebhookUrlError::Elsewhere), None) => {
                let why = "its address leads through another host: if that is your proxy, name it with --proxy-host";
                return Err(why.to_owned());
            }
            (Err(why), _) => return Err(why.to_string()),
        };
        let words = |name| text(row, name).map(|word| word.to_ascii_uppercase().replace(['-', ' '], "_"));
        let category = words("type").or_else(|| words("category"));
        let known = category.as_deref().map_or(Some(Category::Custom), Category::from_word);
        let scope = match words("scope") {
            None => Scope::Admin,
            // Who receives it must not be guessed.
            Some(word) => Scope::from_word(&word).ok_or("its scope is none of ADMIN, USER and PUBLIC")?,
        };
        let owner =
            ["userid", "ownerid", "owner"].iter().find_map(|name| text(row, name)).unwrap_or_default();
        if scope == Scope::User && owner.is_empty() {
            return Err(
                "it is of scope USER and has no owner: add it with nuncio discord-webhooks add".to_owned()
            );
        }
        let about = NewWebhook {
            category: known.unwrap_or(Category::Custom),
            scope,
            company: options.company.clone(),
            owner,
            description: text(row, "description").unwrap_or_default(),
            avatar_url: text(row, "avatarurl").or_else(|| text(row, "avatar")),
            enabled: ["enabled", "active", "isactive"]
                .iter()
                .find_map(|name| flag(row, name))
                .unwrap_or(true),
            tested_at: text(row, "testsuccessat").and_then(|at| time(&at)),
            ..NewWebhook::named(text(row, "name").unwrap_or_else(|| "Imported webhook".to_owned()))
        };
        Ok(Self { about, url, is_rewritten, is_retyped: known.is_none() })
    }
}

/// The rows in `value`, whatever it is wrapped in.
pub(super) fn rows(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.into_iter().flat_map(rows).collect(),
        // A setting keeps JSON in a text.
        Value::String(text) if text.trim_start().starts_with(['[', '{']) => {
            serde_json::from_str(&text).map(rows).unwrap_or_default()
        }
        Value::String(text) => named("", &text).into_iter().collect(),
        Value::Object(row)
            if ADDRESS.iter().any(|name| text(&row, name).is_some_and(|text| is_address(&text))) =>
        {
            vec![Value::Object(row)]
        }
        Value::Object(members) => members
            .into_iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if is_address(&text) => named(&name, &text).into_iter().collect(),
                value => rows(value),
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// A row of an address without columns.
fn named(name: &str, address: &str) -> Option<Value> {
    is_address(address).then(|| {
        let mut row = Map::new();
        row.insert("webhookUrl".to_owned(), address.into());
        if !name.is_empty() {
            row.insert("name".to_owned(), name.into());
        }
        Value::Object(row)
    })
}

fn is_address(text: &str) -> bool {
    text.trim_start().starts_with("http") && text.contains("/webhooks/")
}

/// A value by its name, which is compared without case and underscores. Empty ones count as absent.
fn value<'a>(row: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let plain =
        |key: &str| key.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).eq(name.chars());
    row.iter().find(|(key, _)| plain(key)).map(|(_, value)| value)
}

fn text(row: &Map<String, Value>, name: &str) -> Option<String> {
    match value(row, name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn flag(row: &Map<String, Value>, name: &str) -> Option<bool> {
    match value(row, name)? {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "1" | "yes" | "on" => Some(true),
            "f" | "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A time as PostgreSQL and Prisma write it: with a space or a `T`, with or without an offset (then it is UTC).
fn time(text: &str) -> Option<Timestamp> {
    let text = text.replacen(' ', "T", 1);
    let hours = |text: &str| Timestamp::parse_rfc3339(&format!("{text}:00"));
    Timestamp::parse_rfc3339(&text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}Z")))
        .or_else(|| hours(&text))
        .or_else(|| text.parse().ok().map(Timestamp::from_millis))
}

/// Discord's own address behind `https://HOST/…/webhooks/<id>/<token>`.
fn through(address: &str, host: &str) -> Option<String> {
    let rest = address.trim().strip_prefix("https://").or_else(|| address.trim().strip_prefix("http://"))?;
    let (authority, path) = rest.split_once('/')?;
    let name = |text: &str| text.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let host = host.trim().trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    if authority.contains('@') || name(authority) != name(host) {
        return None;
    }
    let (_, parts) = format!("/{path}").rsplit_once("/webhooks/").map(|(_, parts)| ((), parts.to_owned()))?;
    Some(format!("https://discord.com/api/webhooks/{parts}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "1200000000000000001";

    fn token() -> String {
        "t".repeat(68)
    }

    fn read(row: Value, proxy: Option<&str>) -> Result<Candidate, String> {
        let options = ImportOptions { proxy_host: proxy.map(str::to_owned), company: String::new() };
        Candidate::read(&row, &options, |text| WebhookUrl::parse(text, ""))
    }

    #[test]
    fn each_shape_of_the_old_rows_is_read() {
        let url = format!("https://discord.com/api/webhooks/{ID}/{}", token());
        let prisma = json!({
            "id": "c1", "name": "Billing", "webhookUrl": url, "type": "BILLING", "scope": "USER", "userId": "u-1",
            "enabled": false, "testSuccessAt": "2025-12-23T01:50:40.123", "avatarUrl": "https://i.example/a.png",
            "createdAt": "2025-12-23 01:50:40",
        });
        let read_row = read(prisma, None).unwrap();
        assert_eq!((read_row.about.category, read_row.about.scope), (Category::Billing, Scope::User));
        assert_eq!((read_row.about.owner.as_str(), read_row.about.enabled), ("u-1", false));
        assert_eq!(read_row.about.tested_at.map(Timestamp::as_secs), Some(1_766_454_640));
        // The successor's TEXT columns, without an owner; psql writes t and f.
        let text = json!({"name": "Ops", "webhook_url": url, "type": "game_server", "scope": "admin", "enabled": "t"});
        let read_row = read(text, None).unwrap();
        assert_eq!(read_row.about.category, Category::GameServer);
        assert!(read_row.about.enabled && read_row.about.owner.is_empty());
        let unknown = read(json!({"webhookUrl": url, "type": "PAGER"}), None).unwrap();
        assert!(unknown.is_retyped && unknown.about.category == Category::Custom);
        assert!(read(json!({"webhookUrl": url, "scope": "EVERYBODY"}), None).is_err());
        assert!(read(json!({"webhookUrl": url, "scope": "USER"}), None).unwrap_err().contains("no owner"));
        assert!(read(json!({"name": "x"}), None).is_err());
    }

    #[test]
    fn an_address_behind_the_proxy_becomes_discords_own() {
        let url = format!("https://hooks.acme.example/discord/api/webhooks/{ID}/{}?thread_id={ID}", token());
        let direct = read(json!({"webhookUrl": url}), Some("Hooks.acme.example")).unwrap();
        assert!(direct.is_rewritten);
        assert_eq!(direct.url.to_parts().expose(), format!("{ID}/{}?thread_id={ID}", token()));
        assert!(read(json!({"webhookUrl": url}), None).unwrap_err().contains("--proxy-host"));
        for other in [
            "https://evil.example",
            "https://hooks.acme.example.evil",
            "https://hooks.acme.example@evil.example",
        ] {
            let url = format!("{other}/api/webhooks/{ID}/{}", token());
            let why = read(json!({"webhookUrl": url}), Some("hooks.acme.example")).unwrap_err();
            assert!(!why.contains("evil") && !why.contains("tttt"), "{why}");
        }
    }

    #[test]
    fn rows_are_found_in_whatever_holds_them() {
        let url = format!("https://discord.com/api/webhooks/{ID}/{}", token());
        let row = json!({"name": "Ops", "webhookUrl": url});
        for (value, count) in [
            (json!([row, row]), 2),
            (json!({"discord_webhooks": [row]}), 1),
            (json!({"key": "discord_webhooks", "value": json!([row]).to_string()}), 1),
            (json!({"Alerts": url, "Tickets": url}), 2),
            (json!([url]), 1),
            (json!({"enabled": true, "count": 3}), 0),
        ] {
            assert_eq!(rows(value.clone()).len(), count, "{value}");
        }
        assert_eq!(rows(json!({"Alerts": url}))[0]["name"], "Alerts");
    }
}
