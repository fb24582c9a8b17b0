//! Webhooks and deliveries as tables and as JSON.

use reqwest::Url;
use serde_json::{Value, json};

use crate::cli::table;
use crate::cli::webhooks::is_same;
use crate::xtsystems::{PlatformDelivery, PlatformWebhook};

/// The fewest characters shown of an id.
const SHORT: usize = 8;
/// Ids up to this length are shown whole.
const WHOLE: usize = 12;
/// From this length on, a part of a foreign address may be a password: those of Discord and Slack are this long.
const SECRET_LENGTH: usize = 24;

/// The header, then a row for each webhook.
pub(super) fn webhooks(webhooks: &[PlatformWebhook], here: Option<&str>) -> Vec<String> {
    let length = id_length(webhooks);
    let row = |id: &str, name: &str, state: &str, events: &str, url: &str| {
        format!("{id:length$}  {name:24}  {state:8}  {events:24}  {url}").trim_end().to_owned()
    };
    let body = webhooks.iter().map(|webhook| {
        let id: String = webhook.id.chars().take(length).collect();
        let is_here = here.is_some_and(|here| is_same(&webhook.url, here));
        let mark = if is_here { "  (this nuncio)" } else { "" };
        row(
            &table::clean(&id, length),
            &table::clean(&webhook.name, 23),
            if webhook.active { "enabled" } else { "disabled" },
            &table::clean(&webhook.events.join(","), 60),
            &format!("{}{mark}", table::clean(&address(&webhook.url, here), 200)),
        )
    });
    std::iter::once(row("ID", "NAME", "STATE", "EVENTS", "URL")).chain(body).collect()
}

pub(super) fn webhooks_as_json(webhooks: &[PlatformWebhook], here: Option<&str>) -> Value {
    let object = |webhook: &PlatformWebhook| {
        json!({
            "id": webhook.id, "name": webhook.name, "url": address(&webhook.url, here), "events": webhook.events,
            "active": webhook.active, "is_this_nuncio": here.is_some_and(|here| is_same(&webhook.url, here)),
        })
    };
    webhooks.iter().map(object).collect()
}

/// The header, then a row for each delivery.
pub(super) fn deliveries(sent: &[PlatformDelivery]) -> Vec<String> {
    let row = |at: &str, kind: &str, arrived: &str, attempts: &str, answer: &str| {
        format!("{at:20}  {kind:20}  {arrived:7}  {attempts:>8}  {answer}").trim_end().to_owned()
    };
    let body = sent.iter().map(|delivery| {
        let answer = delivery.response_status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        row(
            &table::clean(&whole_seconds(&delivery.created_at), 25),
            &table::clean(&delivery.event_type, 40),
            if delivery.delivered_at.is_empty() { "no" } else { "yes" },
            &delivery.attempts.to_string(),
            &format!("{answer}  {}", table::clean(&delivery.response_body, 160)),
        )
    });
    std::iter::once(row("CREATED", "KIND", "ARRIVED", "ATTEMPTS", "ANSWER")).chain(body).collect()
}

pub(super) fn deliveries_as_json(sent: &[PlatformDelivery]) -> Value {
    let or_null = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let object = |delivery: &PlatformDelivery| {
        json!({
            "id": delivery.id, "event_type": delivery.event_type, "attempts": delivery.attempts,
            "response_status": delivery.response_status, "response_body": or_null(&delivery.response_body),
            "delivered_at": or_null(&delivery.delivered_at), "created_at": or_null(&delivery.created_at),
        })
    };
    sent.iter().map(object).collect()
}

/// A time as the platform writes it, without fractional seconds.
fn whole_seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, rest)) => {
            format!("{seconds}{}", rest.trim_start_matches(|letter: char| letter.is_ascii_digit()))
        }
        None => time.to_owned(),
    }
}

/// How many characters of each id are shown: enough to tell ids apart, because operators type them again.
fn id_length(webhooks: &[PlatformWebhook]) -> usize {
    let longest = webhooks.iter().map(|webhook| webhook.id.chars().count()).max().unwrap_or_default();
    if longest <= WHOLE {
        return longest.max("ID".len());
    }
    let tells_apart = |length: &usize| {
        let mut seen = std::collections::HashSet::new();
        webhooks.iter().all(|webhook| seen.insert(webhook.id.chars().take(*length).collect::<String>()))
    };
    (SHORT..longest).find(tells_apart).unwrap_or(longest)
}

/// A webhook's address with possible passwords masked. A foreign address can be one as a whole, as Discord's are.
pub(super) fn address(url: &str, here: Option<&str>) -> String {
    if here.is_some_and(|here| is_same(url, here)) {
        return url.to_owned();
    }
    let Ok(parsed) = Url::parse(url) else { return "no web address".to_owned() };
    let port = parsed.port().map_or_else(String::new, |port| format!(":{port}"));
    let path: Vec<String> = parsed.path().split('/').map(masked).collect();
    let query = if parsed.query().is_some() { "?••••" } else { "" };
    let user = if parsed.username().is_empty() && parsed.password().is_none() { "" } else { "••••@" };
    let host = parsed.host_str().unwrap_or_default();
    format!("{}://{user}{host}{port}{}{query}", parsed.scheme(), path.join("/"))
}

fn masked(segment: &str) -> String {
    let length = segment.chars().count();
    if length < SECRET_LENGTH {
        return segment.to_owned();
    }
    format!("••••{}", segment.chars().skip(length - 4).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("http://localhost:3000/webhooks/xtsystems", "http://localhost:3000/webhooks/xtsystems")]
    #[case("https://a:b@x.example/in?key=c#d", "https://••••@x.example/in?••••")]
    #[case(
        "https://hooks.slack.com/services/T0/B0/abcdefghijklmnopqrstuvwx",
        "https://hooks.slack.com/services/T0/B0/••••uvwx"
    )]
    #[case("nonsense", "no web address")]
    fn an_address_elsewhere_shows_no_password(#[case] url: &str, #[case] shown: &str) {
        assert_eq!(address(url, None), shown);
    }

    #[rstest::rstest]
    #[case("2024-01-15T10:30:00.123Z", "2024-01-15T10:30:00Z")]
    #[case("2024-01-15T10:30:00.5+00:00", "2024-01-15T10:30:00+00:00")]
    #[case("2024-01-15T10:30:00", "2024-01-15T10:30:00")]
    fn times_are_in_whole_seconds(#[case] time: &str, #[case] shown: &str) {
        assert_eq!(whole_seconds(time), shown);
    }

    #[test]
    fn ids_are_as_long_as_tells_them_apart() {
        let list = |ids: &[&str]| -> Vec<PlatformWebhook> {
            serde_json::from_value(ids.iter().map(|id| json!({"id": id})).collect()).unwrap()
        };
        assert_eq!(id_length(&list(&["whk-1", "whk-10"])), 6);
        assert_eq!(id_length(&list(&["0192f0c1-aaaa-1", "ffffffff-aaaa-1"])), 8);
        assert_eq!(id_length(&list(&["0192f0c1-aaaa-1", "0192f0c1-aaab-1"])), 13);
    }
}
