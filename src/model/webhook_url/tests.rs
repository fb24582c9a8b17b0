//! valid webhook URLs, and look-alikes.

use proptest::prelude::*;

use super::*;

const ID: &str = "1200000000000000001";
const TOKEN: &str = "canary-of-a-webhook_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHabcd";
const BASE: &str = "http://127.0.0.1:4000";

fn parse(text: &str) -> Result<WebhookUrl, WebhookUrlError> {
    WebhookUrl::parse(&text.replace("ID", ID).replace("TOKEN", TOKEN), BASE)
}

#[rstest::rstest]
#[case("https://discord.com/api/webhooks/ID/TOKEN", None)]
#[case("  https://discord.com/api/webhooks/ID/TOKEN\n", None)]
#[case("https://discord.com/api/v10/webhooks/ID/TOKEN", None)]
#[case("HTTPS://Discord.com/api/webhooks/ID/TOKEN", None)]
#[case("https://ptb.discord.com/api/webhooks/ID/TOKEN", None)]
#[case("https://canary.discord.com/api/v9/webhooks/ID/TOKEN", None)]
#[case("https://discordapp.com/api/webhooks/ID/TOKEN", None)]
#[case(
    "https://discord.com/api/webhooks/ID/TOKEN?thread_id=1200000000000000002",
    Some(1_200_000_000_000_000_002)
)]
#[case("http://127.0.0.1:4000/api/webhooks/ID/TOKEN", None)]
#[case("http://127.0.0.1:4000/api/v10/webhooks/ID/TOKEN", None)]
fn addresses_come_down_to_their_parts(#[case] text: &str, #[case] thread: Option<u64>) {
    let url = parse(text).unwrap();
    assert_eq!((url.id().to_string().as_str(), url.token().expose()), (ID, TOKEN));
    assert_eq!(url.thread().map(Snowflake::get), thread);
    assert_eq!(
        WebhookUrl::from_parts(url.to_parts().expose()),
        Some(url.clone()),
        "the host is not one of them"
    );
    assert_eq!(url.mark().stored().parse(), Ok(url.mark()));
}

#[rstest::rstest]
#[case("", WebhookUrlError::Empty)]
#[case(" \t", WebhookUrlError::Empty)]
#[case("http://discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::InTheClear)]
#[case("discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("ftp://discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord.com.evil.example/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord.com@evil.example/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://user:password@discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://evil.example/discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://evildiscord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://evil.discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord.com:443/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord.com:8443/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord.com\\@evil.example/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord.com./api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord\t.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://\u{ff44}iscord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https:discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("//discord.com/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://169.254.169.254/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("http://127.0.0.1:4001/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("http://127.0.0.1:4000.evil.example/api/webhooks/ID/TOKEN", WebhookUrlError::Elsewhere)]
#[case("https://discord.com/webhooks/ID/TOKEN", WebhookUrlError::NoWebhook)]
#[case("https://discord.com//api/webhooks/ID/TOKEN", WebhookUrlError::NoWebhook)]
#[case("https://discord.com/api/../api/webhooks/ID/TOKEN", WebhookUrlError::NoWebhook)]
#[case("https://discord.com/api/%77ebhooks/ID/TOKEN", WebhookUrlError::NoWebhook)]
#[case("https://discord.com/api/v10/v10/webhooks/ID/TOKEN", WebhookUrlError::NoWebhook)]
#[case("https://discord.com/api/channels/ID/messages", WebhookUrlError::NoWebhook)]
#[case("https://discord.com/api/webhooks//TOKEN", WebhookUrlError::Id)]
#[case("https://discord.com/api/webhooks/../TOKEN", WebhookUrlError::Id)]
#[case("https://discord.com/api/webhooks/123/TOKEN", WebhookUrlError::Id)]
#[case("https://discord.com/api/webhooks/+200000000000000001/TOKEN", WebhookUrlError::Id)]
#[case("https://discord.com/api/webhooks/99999999999999999999/TOKEN", WebhookUrlError::Id)]
#[case("https://discord.com/api/webhooks/ID", WebhookUrlError::NoToken)]
#[case("https://discord.com/api/webhooks/ID/", WebhookUrlError::NoToken)]
#[case("https://discord.com/api/webhooks/ID/short", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN/slack", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN/github", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN/messages/1", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN/", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN#x", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN%2F..", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKENTOKEN", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN\u{0}", WebhookUrlError::Token)]
#[case("https://discord.com/api/webhooks/ID/TOKEN?wait=true", WebhookUrlError::Query)]
#[case("https://discord.com/api/webhooks/ID/TOKEN?", WebhookUrlError::Query)]
#[case("https://discord.com/api/webhooks/ID/TOKEN?thread_id=1", WebhookUrlError::Query)]
#[case(
    "https://discord.com/api/webhooks/ID/TOKEN?thread_id=1200000000000000002&wait=true",
    WebhookUrlError::Query
)]
fn what_only_looks_like_one_is_refused(#[case] text: &str, #[case] why: WebhookUrlError) {
    let error = parse(text).unwrap_err();
    assert_eq!(error, why);
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn nothing_but_the_last_four_characters_is_shown() {
    let url = parse("https://discord.com/api/webhooks/ID/TOKEN?thread_id=1200000000000000002").unwrap();
    let shown = format!("…/webhooks/{ID}/••••abcd?thread_id=1200000000000000002");
    assert_eq!(url.to_string(), shown);
    assert_eq!(format!("{url:?}"), shown);
    assert_eq!(format!("{:?}", url.to_parts()), "***");
    assert!(!format!("{:?} {}", url.mark(), url.mark().stored()).contains("canary"));
}

#[test]
fn what_the_database_holds_is_read_strictly() {
    for wrong in ["", "1", "1/", "1/abc", "1/abcde", "x/abcd", "1/abcd?thread_id=", "1/abcd?thread_id=x"] {
        assert_eq!(wrong.parse::<WebhookMark>(), Err(()), "{wrong:?}");
    }
}

proptest! {
    // Whatever parses consists of known parts only: put together again, they give the original text.
    #[test]
    fn nothing_slips_in(text in "(https?://)?[a-z@:.]{0,8}(discord\\.com|127\\.0\\.0\\.1:4000)?[/a-z@:.\\\\%?#]{0,6}/api/(v[0-9]{1,2}/)?webhooks/[0-9]{15,21}/[A-Za-z0-9_/-]{55,82}(\\?[a-z_=0-9&]{0,30})?") {
        if let Ok(url) = WebhookUrl::parse(&text, BASE) {
            let tail = format!("/webhooks/{}", url.to_parts().expose());
            let head = text.strip_suffix(&tail).expect("the parts end it");
            let head = head.split_once("/api").expect("below /api").0;
            prop_assert!(head == "https://discord.com" || head == BASE, "{head}");
        }
    }

    #[test]
    fn any_text_is_an_address_or_a_sentence(text in ".{0,200}") {
        if let Err(error) = WebhookUrl::parse(&text, BASE) {
            prop_assert!(error.to_string().len() < 140);
        }
    }
}
