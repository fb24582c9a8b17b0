//! Detection of other senders' webhooks at the XTSystems endpoint, by their signature header.

use axum::http::HeaderMap;

/// Headers that sign or authenticate, each with its sender. The first one present counts.
const SIGNS: &[(&str, &str)] = &[
    ("x-hub-signature-256", "GitHub"),
    ("x-hub-signature", "GitHub"),
    ("stripe-signature", "Stripe"),
    ("webhook-signature", "Standard Webhooks"),
    ("svix-signature", "Svix (Standard Webhooks)"),
    ("x-gitlab-token", "GitLab"),
    ("x-slack-signature", "Slack"),
    ("x-shopify-hmac-sha256", "Shopify"),
    ("linear-signature", "Linear"),
    ("sentry-hook-signature", "Sentry"),
    ("x-pagerduty-signature", "PagerDuty"),
    ("x-signature-ed25519", "Discord"),
    ("x-webhook-signature", "AGiXT"),
];

/// The log sentence about a request without XTSystems' signature but with another sender's proof. From the
/// request it contains only a header name that is listed here.
pub(super) fn sentence(headers: &HeaderMap) -> Option<String> {
    let signed = SIGNS.iter().find(|(header, _)| headers.contains_key(*header));
    let what = match signed {
        Some((header, sender)) => format!("this looks like {sender}'s signature (header {header})"),
        // Alertmanager and Grafana send only a token; their user agents name them.
        None if headers.contains_key("authorization") => match agent(headers) {
            Some(sender) => format!("this looks like {sender}, which sends a token (header authorization)"),
            None => "it carries a token (header authorization) and no signature".to_owned(),
        },
        None => return None,
    };
    Some(format!(
        "a webhook was refused: {what}, and this address takes XTSystems' events only. Remove the address there; this \
         version receives from no other sender"
    ))
}

fn agent(headers: &HeaderMap) -> Option<&'static str> {
    let agent = headers.get("user-agent")?.to_str().ok()?.to_ascii_lowercase();
    ["Alertmanager", "Grafana"].into_iter().find(|name| agent.contains(&name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(&[("x-hub-signature-256", "sha256=00")], Some("GitHub's signature (header x-hub-signature-256)"))]
    #[case(&[("x-hub-signature", "sha1=00"), ("x-hub-signature-256", "sha256=00")], Some("x-hub-signature-256"))]
    #[case(&[("stripe-signature", "t=1,v1=00")], Some("Stripe's"))]
    #[case(&[("authorization", "Bearer canary"), ("user-agent", "Alertmanager/0.28.0")], Some("looks like Alertmanager"))]
    #[case(&[("authorization", "Bearer canary"), ("user-agent", "canary")], Some("it carries a token"))]
    #[case(&[("user-agent", "GitHub-Hookshot/1"), ("content-type", "application/json")], None)]
    fn senders_are_known_by_their_header(
        #[case] given: &[(&'static str, &'static str)],
        #[case] expected: Option<&str>,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(*name, value.parse().unwrap());
        }
        let found = sentence(&headers);
        assert_eq!(found.is_some(), expected.is_some());
        assert!(found.as_deref().unwrap_or_default().contains(expected.unwrap_or_default()), "{found:?}");
        assert!(!found.unwrap_or_default().contains("canary"));
    }
}
