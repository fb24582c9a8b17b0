//! Webhook lookup by what an operator types: an id, a unique beginning of one, or a name.

use crate::cli::{Usage, table};
use crate::config::variable::distance;
use crate::xtsystems::PlatformWebhook;

/// How many are named if several match.
const MOST_NAMED: usize = 5;

/// Finds the webhook that `text` names.
///
/// # Errors
/// A sentence for the operator: none matches, or several do.
pub(super) fn find<'a>(webhooks: &'a [PlatformWebhook], text: &str) -> anyhow::Result<&'a PlatformWebhook> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Usage("the id is empty: nuncio webhooks list shows them".to_owned()).into());
    }
    // A whole id wins, also where it is the beginning of another one.
    if let Some(exact) = webhooks.iter().find(|webhook| webhook.id == text) {
        return Ok(exact);
    }
    let fits = |webhook: &&PlatformWebhook| webhook.id.starts_with(text) || webhook.name == text;
    let found: Vec<&PlatformWebhook> = webhooks.iter().filter(fits).collect();
    let shown = table::clean(text, 60);
    match found.as_slice() {
        [one] => Ok(*one),
        [] if webhooks.is_empty() => anyhow::bail!(
            "XTSystems has no webhook, so none is {shown}: nuncio webhooks register makes the one that sends here"
        ),
        [] => {
            let meant = nearest(webhooks, text)
                .map_or_else(String::new, |webhook| format!(" Did you mean {}?", named(webhook)));
            anyhow::bail!(
                "XTSystems has no webhook {shown}.{meant} nuncio webhooks list shows those that it has"
            )
        }
        several => {
            let names: Vec<String> = several.iter().take(MOST_NAMED).map(|webhook| named(webhook)).collect();
            let more = match several.len().saturating_sub(MOST_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let sentence = format!("{shown} may be any of {}{more}: give more of the id", names.join(", "));
            Err(Usage(sentence).into())
        }
    }
}

/// `whk-1 (Discord Bot Integration)`.
pub(super) fn named(webhook: &PlatformWebhook) -> String {
    format!("{} ({})", table::clean(&webhook.id, 60), table::clean(&webhook.name, 60))
}

/// The webhook whose id, beginning of an id, or name differs from `text` by only one or two letters.
fn nearest<'a>(webhooks: &'a [PlatformWebhook], text: &str) -> Option<&'a PlatformWebhook> {
    let typed = text.to_lowercase();
    let length = typed.chars().count();
    let most = (length / 4).clamp(1, 2);
    let differs = |known: &str| distance(&typed, &known.to_lowercase());
    let nearness = |webhook: &PlatformWebhook| {
        let beginning: String = webhook.id.chars().take(length).collect();
        [differs(&webhook.id), differs(&beginning), differs(&webhook.name)].into_iter().min()
    };
    let near = webhooks.iter().filter_map(|webhook| Some((nearness(webhook)?, webhook)));
    near.filter(|(far, _)| *far <= most && *far < length)
        .min_by_key(|(far, _)| *far)
        .map(|(_, webhook)| webhook)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhooks() -> Vec<PlatformWebhook> {
        serde_json::from_value(json!([
            {"id": "whk-1", "name": "Discord Bot Integration"},
            {"id": "whk-10", "name": "Billing"},
            {"id": "7d3f2a90-11c4", "name": "Billing of others"},
        ]))
        .unwrap()
    }

    #[rstest::rstest]
    #[case("whk-1", "whk-1")]
    #[case("whk-10", "whk-10")]
    #[case("7d", "7d3f2a90-11c4")]
    #[case("Billing", "whk-10")]
    fn found(#[case] text: &str, #[case] id: &str) {
        assert_eq!(find(&webhooks(), text).unwrap().id, id);
    }

    #[rstest::rstest]
    #[case("whk", "may be any of whk-1 (Discord Bot Integration), whk-10 (Billing)")]
    #[case("whk-9", "Did you mean whk-1 (Discord Bot Integration)?")]
    #[case("7d3f2a91", "Did you mean 7d3f2a90-11c4 (Billing of others)?")]
    #[case("discord bot integratoin", "Did you mean whk-1 (Discord Bot Integration)?")]
    #[case("something", "no webhook something. nuncio webhooks list")]
    #[case("x", "no webhook x. nuncio webhooks list")]
    #[case(" ", "the id is empty")]
    fn not_found(#[case] text: &str, #[case] sentence: &str) {
        let error = find(&webhooks(), text).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
}
