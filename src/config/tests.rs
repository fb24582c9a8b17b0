//! Tests from an operator's lines in `.env` to the resulting configuration or problems.

use super::*;
use crate::model::{Kind, Severity};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The block that the Node bot documents, untouched.
const DOCUMENTED: &str = r#"# Discord Configuration
DISCORD_TOKEN=your_discord_bot_token_here
DISCORD_CLIENT_ID=your_discord_client_id_here
DISCORD_GUILD_ID=your_discord_guild_id_here

# XTSystems API Configuration
XTSYSTEMS_API_URL=http://localhost:20437
XTSYSTEMS_API_KEY=your_xtsystems_api_key_here

# Webhook Configuration
WEBHOOK_PORT=3000
WEBHOOK_SECRET=your_secure_webhook_secret_here
WEBHOOK_PATH=/webhooks/xtsystems

# Discord Channel Configuration
DISCORD_WEBHOOK_CHANNELS={"ticket.created":["CHANNEL_ID"],"machine.registered":["CHANNEL_ID"],"default":["CHANNEL_ID"]}
"#;

/// The configuration from these lines of `.env` and a valid secret.
fn config(lines: &str) -> Result<Config, Report> {
    Config::from_variables(&Variables::from_dotenv(&format!("WEBHOOK_SECRET={SECRET}\n{lines}")))
}

fn good(lines: &str) -> Config {
    config(lines).unwrap()
}

/// The problems, one line each, without the fixes.
fn problems(lines: &str) -> Vec<String> {
    let problems = config(lines).unwrap_err().problems;
    problems.iter().map(|problem| format!("{} {}", problem.variable, problem.wrong.what)).collect()
}

#[test]
fn the_documented_block_works_with_real_values() {
    let block = DOCUMENTED
        .replace("your_discord_bot_token_here", "abc.def.ghi")
        .replace("your_discord_client_id_here", "111111111111111111")
        .replace("your_discord_guild_id_here", "222222222222222222")
        .replace("your_xtsystems_api_key_here", "key")
        .replace("your_secure_webhook_secret_here", SECRET)
        .replace("CHANNEL_ID", "333333333333333333");
    let config = Config::from_variables(&Variables::from_dotenv(&block)).unwrap();
    assert_eq!(config.notes, [""; 0]);
    assert_eq!(config.discord.token, Some(Secret::new("abc.def.ghi")));
    assert_eq!(config.discord.application_id, Some(Snowflake::new(111_111_111_111_111_111)));
    assert_eq!(config.discord.guilds, [Snowflake::new(222_222_222_222_222_222)]);
    assert_eq!(config.xtsystems.api_url, "http://localhost:20437");
    assert_eq!(config.xtsystems.api_key, Some(Secret::new("key")));
    assert_eq!(config.webhook.secret.as_ref().unwrap().expose(), SECRET);
    assert_eq!((config.webhook.port, config.webhook.path.as_str()), (3000, "/webhooks/xtsystems"));
    insta::assert_snapshot!(table(&config.routes).join("\n"), @r#"
ticket.created      → channel 333333333333333333
machine.registered  → channel 333333333333333333
everything else     → channel 333333333333333333
"#);
}

#[test]
fn untouched_it_names_every_placeholder_at_once() {
    let report = Config::from_variables(&Variables::from_dotenv(DOCUMENTED)).unwrap_err();
    let text = report.to_string();
    let secret = text.split("WEBHOOK_SECRET=").nth(1).unwrap().split('\n').next().unwrap();
    assert!(secret.len() == 64 && hex::decode(secret).is_ok(), "{secret}");
    insta::assert_snapshot!(text.replace(secret, "<64 hex digits>"), @r#"
nuncio did nothing: 1 problem in the configuration.

  WEBHOOK_SECRET (.env line 12) still holds a placeholder.
      Use the secret of the webhook in XTSystems, or give both this fresh random one:
      WEBHOOK_SECRET=<64 hex digits>
      Or without XTSystems, for the API alone: set NUNCIO_API_KEY (openssl rand -hex 32 makes one), or run: nuncio keys create NAME --role admin

Still placeholders of the example, so they count as not set:
  DISCORD_TOKEN
  DISCORD_CLIENT_ID
  DISCORD_GUILD_ID
  XTSYSTEMS_API_KEY
  DISCORD_WEBHOOK_CHANNELS at "ticket.created"
  DISCORD_WEBHOOK_CHANNELS at "machine.registered"
  DISCORD_WEBHOOK_CHANNELS at "default"
"#);
}

#[test]
fn the_example_as_it_is_names_what_must_be_filled_in() {
    let report = Config::from_variables(&Variables::from_dotenv(&variable::example())).unwrap_err();
    let wrong: Vec<_> = report.problems.iter().map(|problem| problem.variable.as_str()).collect();
    assert_eq!(wrong, ["WEBHOOK_SECRET"]);
    assert_eq!(report.notes, [""; 0]);
    insta::assert_snapshot!(report.placeholders.join("\n"), @r#"
WEBHOOK_SECRET
DISCORD_TOKEN
XTSYSTEMS_API_KEY
DISCORD_WEBHOOK_CHANNELS at "ticket.created"
DISCORD_WEBHOOK_CHANNELS at "machine.*"
DISCORD_WEBHOOK_CHANNELS at "default"
"#);
}

#[test]
fn every_line_of_the_example_is_valid_once_filled_in() {
    let filled = variable::example()
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .replace("your_discord_bot_token_here", "token")
        .replace("your_source_secret_here", SECRET)
        .replace("your_secure_webhook_secret_here", SECRET)
        .replace("your_xtsystems_api_key_here", "key")
        .replace("your_api_key_here", "a-key-of-nobody-else")
        .replace("your_key_of_64_hex_digits_here", &"5e".repeat(32))
        .replace("CHANNEL_ID\"", "333333333333333333\"");
    let config = Config::from_variables(&Variables::from_dotenv(&filled)).unwrap();
    // A previous secret always comes with a reminder to remove it, private targets with a warning, and planned variables
    // have no effect.
    let (planned, notes): (Vec<_>, Vec<_>) =
        config.notes.iter().partition(|note| note.ends_with("this version does not use it yet"));
    assert_eq!(planned.len(), variable::PLANNED.len(), "{planned:?}");
    assert!(
        matches!(notes.as_slice(), [previous, targets] if previous.starts_with("WEBHOOK_SECRET_PREVIOUS is set")
            && targets.starts_with("ALLOW_PRIVATE_TARGETS lets")),
        "{notes:?}",
    );
    let bare = good("");
    assert_eq!(config.webhook.body_limit, bare.webhook.body_limit);
    assert_eq!(config.webhook.path, bare.webhook.path);
    assert_eq!(config.webhook.host, bare.webhook.host);
    assert_eq!(config.rate_limit, bare.rate_limit);
    assert_eq!(config.discord.base, bare.discord.base);
    assert_eq!(config.database, bare.database);
    assert_eq!(config.xtsystems.calls, bare.xtsystems.calls);
    assert_eq!(config.logs, bare.logs);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let report = Config::from_variables(&Variables::from_dotenv(
        "WEBHOOK_SECRET=short\nWEBHOOK_PORT=70000\nWEBHOOK_HOST=example.com\nWEBHOOK_PATH=webhooks\nWEBHOOK_BODY_LIMIT=big\n\
         RATE_LIMIT=100\nRATE_LIMIT_SCOPE=some\nTRUSTED_PROXIES=proxy\nWEBHOOK_SECRET_PREVIOUS=' x'\n\
         DISCORD_TOKEN='Bot abc'\nDISCORD_CLIENT_ID=x\nDISCORD_GUILD_ID=1,x\nDISCORD_API_URL=https://discord.com\nXTSYSTEMS_API_URL=ftp://x\n\
         XTSYSTEMS_TICKET_URL=https://x/\nNUNCIO_DATABASE_URL=postgres://x\nRUST_LOG='a=b=c'\nLOG_LEVEL=loud\nPING=[]\nMONITOR_CHANNELS=a\nDISCORD_WEBHOOK_CHANNELS=5",
    ))
    .unwrap_err();
    let told: Vec<_> = report
        .problems
        .iter()
        .map(|problem| format!("{} {}", problem.variable, problem.wrong.what))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
WEBHOOK_SECRET is shorter than 16 bytes
WEBHOOK_HOST is not an IP address
WEBHOOK_PORT is not a port number
WEBHOOK_PATH does not begin with /
WEBHOOK_SECRET_PREVIOUS has a space or a line break at one end
WEBHOOK_BODY_LIMIT is not a size
RATE_LIMIT is not a rate
RATE_LIMIT_SCOPE is not a scope
TRUSTED_PROXIES is not a list of networks
DISCORD_API_URL does not end with /api or /api/v10
DISCORD_TOKEN begins with "Bot "
DISCORD_CLIENT_ID is not a Discord id
DISCORD_GUILD_ID is not a Discord id
XTSYSTEMS_TICKET_URL cannot be used for links
XTSYSTEMS_API_URL does not begin with http:// or https://
DISCORD_WEBHOOK_CHANNELS is not a JSON object
MONITOR_CHANNELS does not hold a channel id (17 to 19 digits, in quotes)
PING is not a JSON object
NUNCIO_DATABASE_URL names a PostgreSQL database, which comes with a later version
LOG_LEVEL is not a level of logging
RUST_LOG is not a filter for logs
"#);
}

#[test]
fn no_value_enters_a_message() {
    let names: Vec<_> =
        variable::VARIABLES.iter().map(|variable| variable.name).chain(["DATABASE_URL"]).collect();
    let hostile = [
        "canary",
        "canary one",
        "'canary\t'",
        "{\"k\":\"canary\"}",
        "'{\"k\":{\"canary\":1}}'",
        "{\"k\":[\"1\",\"canary\"",
        "https://canary@x/api",
        "'canary",
        "ca$canary",
    ];
    for value in hostile {
        for name in &names {
            let result = Config::from_variables(&Variables::from_dotenv(&format!("{name}={value}")));
            let text = match result {
                Ok(config) => format!("{:?}", config.notes),
                Err(report) => format!("{report} {report:?}"),
            };
            // Names of options are keys, not values.
            assert!(
                !text.contains("canary") || text.contains("an option \"canary\""),
                "{name}={value}: {text}"
            );
        }
    }
}

#[test]
fn nothing_set_is_a_bare_clone() {
    let report =
        Config::from_variables(&Variables::from_map([("RUST_LOG", "debug"), ("PATH", "/bin")])).unwrap_err();
    assert!(report.bare && report.to_string().contains("nuncio demo"));
    let report = Config::from_variables(&Variables::from_map([("WEBHOOK_PORT", "3000")])).unwrap_err();
    assert!(!report.bare && report.to_string().contains("WEBHOOK_SECRET is not set."));
    assert!(!Config::from_variables(&Variables::from_dotenv("")).unwrap_err().bare);
}

#[rstest::rstest]
#[case("WEBHOOK_SECRET=", "is empty")]
#[case("WEBHOOK_SECRET=changeme", "still holds a placeholder")]
#[case("WEBHOOK_SECRET='0123456789abcdef '", "has a space or a line break at one end")]
#[case("WEBHOOK_SECRET=\"0123456789abcdef\r\"", "has a space or a line break at one end")]
#[case("WEBHOOK_SECRET='a b c d e f g' h i j", "has something after its closing quote")]
fn secrets_that_are_none(#[case] line: &str, #[case] what: &str) {
    let problems = Config::from_variables(&Variables::from_dotenv(line)).unwrap_err().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].variable.as_str(), problems[0].wrong.what.as_str()), ("WEBHOOK_SECRET", what));
}

#[test]
fn the_whole_map() {
    let config = good(
        r#"DISCORD_WEBHOOK_CHANNELS={"ticket_created":["1","2","1"],"ticket.*":"3","ticket.*@ACME":4,"alert.triggered":{"channels":["5"],"ping":["6"],"cards":"append"},"user.*":[],"asset.*":["dst_0190b0a0000070008000000000000001"],"default":["9"]}"#,
    );
    let route =
        |kind: &str, company: &str| config.routes.find(&Kind::new(kind), company).unwrap().key.clone();
    assert_eq!(route("ticket.created", "ACME"), "ticket_created");
    assert_eq!(route("ticket.closed", "ACME"), "ticket.*@ACME");
    assert_eq!(config.routes.routes()[3].ping, [Snowflake::new(6)]);
    insta::assert_snapshot!(table(&config.routes).join("\n"), @r#"
ticket.created             → channel 1, channel 2
ticket.*                   → channel 3
ticket.* of customer ACME  → channel 4
alert.triggered            → channel 5
user.*                     → nowhere, on purpose
asset.*                    → destination dst_0190b0a0000070008000000000000001
everything else            → channel 9
"#);
    assert_eq!(config.notes, [""; 0]);
}

#[rstest::rstest]
#[case(r#"{"a.b":["1"],"a_b":["2"]}"#, r#"at "a_b": this key means the same as "a.b""#)]
#[case(r#"{"a.b":["1"],"a.b":["2"]}"#, r#"at "a.b": this key is there twice"#)]
#[case(r#"{"default":["1"],"Default":["2"]}"#, r#"at "Default": this key means the same as "default""#)]
#[case(r#"{"a@x":["1"],"a@x":["2"]}"#, r#"at "a@x": this key is there twice"#)]
#[case(r#"{"a@":["1"]}"#, r#"at "a@": this key names no customer after its @"#)]
#[case(r#"{"a b":["1"]}"#, r#"at "a b": this key is neither a kind of event, a pattern nor default"#)]
#[case(r#"{"":["1"]}"#, r#"at "": this key is neither a kind of event, a pattern nor default"#)]
#[case(
    r#"{"a":["1","x"]}"#,
    r#"at "a": this key has something that is not a channel id (17 to 19 digits, in quotes), at position 2"#
)]
#[case(r#"{"a":"x"}"#, r#"at "a": this key does not hold a channel id (17 to 19 digits, in quotes)"#)]
#[case(r#"{"a":null}"#, r#"at "a": this key does not hold a channel id (17 to 19 digits, in quotes)"#)]
#[case(r#"{"a":1.5}"#, r#"at "a": this key does not hold a channel id (17 to 19 digits, in quotes)"#)]
#[case(r#"{"a":{"ping":["1"]}}"#, r#"at "a": this key has options but no "channels""#)]
#[case(
    r#"{"a":{"channels":["1"],"color":1}}"#,
    r#"at "a": this key has an option "color", which nuncio does not know"#
)]
#[case(r#"{"a":{"channels":["1"],"channels":["2"]}}"#, r#"at "a": this key has the option "channels" twice"#)]
#[case(
    r#"{"a":{"channels":["1"],"cards":"x"}}"#,
    r#"at "a": this key has cards that are neither "append" nor "living""#
)]
#[case(
    r#"{"a":{"channels":["1"],"ping":"x"}}"#,
    r#"at "a": this key has a ping that does not hold a role id (17 to 19 digits, in quotes)"#
)]
#[case(r#"["1"]"#, "is not a JSON object")]
#[case("'{a:[1]}'", "is not JSON (key must be a string at line 1 column 2)")]
fn errors_of_the_map_name_the_key(#[case] map: &str, #[case] what: &str) {
    assert_eq!(
        problems(&format!("DISCORD_WEBHOOK_CHANNELS={map}")),
        [format!("DISCORD_WEBHOOK_CHANNELS {what}")]
    );
}

#[test]
fn all_wrong_keys_are_named() {
    assert_eq!(problems(r#"DISCORD_WEBHOOK_CHANNELS={"a":"x","b":["1"],"c":true}"#).len(), 2);
}

#[test]
fn odd_but_harmless_things_in_the_map_are_noted() {
    let config = good(
        r#"DISCORD_WEBHOOK_CHANNELS={"a":{"channels":[900000000000000001],"cards":"living","threads":true},"b":["CHANNEL_ID"],"c":["channel_id_1","7"]}"#,
    );
    insta::assert_snapshot!(config.notes.join("\n"), @r#"
DISCORD_WEBHOOK_CHANNELS at "a": "threads":true is not in this version yet
DISCORD_WEBHOOK_CHANNELS at "a": an id is a number without quotes; most tools round numbers that large, so check it and put it in quotes
Still placeholders of the example, so they count as not set: DISCORD_WEBHOOK_CHANNELS at "b", DISCORD_WEBHOOK_CHANNELS at "c".
"#);
    insta::assert_snapshot!(table(&config.routes).join("\n"), @r#"
a                → channel 900000000000000001
c                → channel 7
everything else  → nowhere yet: kept as unrouted
"#);
}

#[rstest::rstest]
#[case("MONITOR_CHANNELS=1,2", "everything else  → channel 1, channel 2")]
#[case("MONITOR_CHANNELS='1, 2,'", "everything else  → channel 1, channel 2")]
#[case("MONITOR_CHANNELS=[\"1\"]", "everything else  → channel 1")]
#[case(
    "MONITOR_CHANNELS=1\nDISCORD_WEBHOOK_CHANNELS={\"default\":[]}",
    "everything else  → nowhere, on purpose"
)]
#[case("MONITOR_CHANNELS=channel_id_1,channel_id_2", "everything else  → nowhere yet: kept as unrouted")]
#[case("", "everything else  → nowhere yet: kept as unrouted")]
fn monitor_channels_serve_as_default(#[case] lines: &str, #[case] table: &str) {
    assert_eq!(super::table(&good(lines).routes), [table]);
}

#[test]
fn pings() {
    let pings = good(r#"PING={"alert.triggered>=error":["7"],"machine.*":"8"}"#).pings;
    assert_eq!(pings.roles(&Kind::new("alert_triggered"), Some(Severity::Critical)), [Snowflake::new(7)]);
    assert_eq!(pings.roles(&Kind::new("alert.triggered"), Some(Severity::Warning)), []);
    assert_eq!(pings.roles(&Kind::new("machine.registered"), None), [Snowflake::new(8)]);
}

#[rstest::rstest]
#[case(r#"{"a>=loud":["1"]}"#, r#"at "a>=loud": this key has a severity that nuncio does not know"#)]
#[case(r#"{">=error":["1"]}"#, r#"at ">=error": this key names no kind of event"#)]
#[case(r#"{"a":["x"]}"#, r#"at "a": this key does not hold a role id (17 to 19 digits, in quotes)"#)]
#[case(r#"{"a":["1"],"a":["1"]}"#, r#"at "a": this key is there twice"#)]
#[case("'7'", "is not a JSON object")]
fn errors_of_ping_name_the_key(#[case] ping: &str, #[case] what: &str) {
    assert_eq!(problems(&format!("PING={ping}")), [format!("PING {what}")]);
}

#[rstest::rstest]
#[case("LOG_LEVEL=warning", "warn")]
#[case("LOG_LEVEL=silly", "trace")]
#[case("LOG_LEVEL=error\nRUST_LOG=nuncio=debug", "nuncio=debug")]
#[case("", "info")]
fn log_levels(#[case] lines: &str, #[case] filter: &str) {
    assert_eq!(good(lines).logs.filter, filter);
}

#[rstest::rstest]
#[case("DATABASE_URL=sqlite://own.db", "own.db")]
#[case("DATABASE_URL=postgres://x\nNUNCIO_DATABASE_URL=sqlite://ours.db", "ours.db")]
fn databases(#[case] lines: &str, #[case] path: &str) {
    assert_eq!(good(lines).database.path, PathBuf::from(path));
}

#[test]
fn another_programs_database_url_in_our_file_is_named() {
    assert_eq!(problems("DATABASE_URL=file:./dev.db"), ["DATABASE_URL is not a sqlite:// address"]);
}

#[test]
fn webhook_alone_can_be_read_when_others_are_wrong() {
    let lines =
        format!("WEBHOOK_SECRET={SECRET}\nWEBHOOK_PORT=4000\nDISCORD_API_URL=nonsense\nDISCORD_TOKEN=a b");
    let (webhook, _) = WebhookConfig::for_signing(&Variables::from_dotenv(&lines)).unwrap();
    assert_eq!(webhook.port, 4000);
    assert!(WebhookConfig::for_signing(&Variables::from_dotenv("WEBHOOK_PORT=x")).is_err());
}

#[test]
fn a_token_in_the_clear_is_noted() {
    assert_eq!(good("DISCORD_API_URL=http://127.0.0.1:4000/api").notes, [""; 0]);
    assert!(
        good("DISCORD_API_URL=http://proxy.internal/api").notes[0]
            .starts_with("DISCORD_API_URL is not encrypted")
    );
}
