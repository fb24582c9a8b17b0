//! Placeholder detection: example values that the operator has not replaced. Such a variable counts as not set.

/// Whether `value` is a placeholder of the documented examples, ours or the old bot's.
#[must_use]
pub(super) fn is_placeholder(value: &str) -> bool {
    let word = value.trim().to_ascii_lowercase().replace('-', "_");
    let numbered = |prefix: &str| {
        word.strip_prefix(prefix).is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('_')
                    .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    (word.starts_with("your_") && word.ends_with("_here"))
        || numbered("channel_id")
        || numbered("role_id")
        || numbered("guild_id")
        || matches!(
            word.as_str(),
            "changeme" | "change_me" | "default_secret" | "your_webhook_secret" | "your_api_key"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("your_discord_bot_token_here", true)]
    #[case("YOUR-SECRET-HERE", true)]
    #[case("CHANNEL_ID", true)]
    #[case("channel_id_1", true)]
    #[case("ROLE_ID", true)]
    #[case("changeme", true)]
    #[case("default-secret", true)]
    #[case("your_webhook_secret", true)]
    #[case("channel_id_", false)]
    #[case("channel_id_x", false)]
    #[case("123456789012345678", false)]
    #[case("here is your_secret", false)]
    #[case("", false)]
    fn knows_placeholders(#[case] value: &str, #[case] expected: bool) {
        assert_eq!(is_placeholder(value), expected, "{value}");
    }
}
