//! Any JSON in any field: what is sent is within Discord's limits and does nothing but show.
//!
//! Limits are counted and texts are read here by code of its own, after Discord's documentation.

use nuncio::model::{Links, Snowflake};
use nuncio::render::{self, Surface, View};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::event;

/// Pieces of text that mean something to Discord, to Unicode, or to a careless programmer.
const NASTY: &[&str] = &[
    "@everyone",
    "@here",
    "@every\u{200B}one",
    "<@1>",
    "<@!1>",
    "<@&1>",
    "<#1>",
    "</cmd:1>",
    "<t:1:R>",
    "<id:home>",
    "<:x:1>",
    "<a:x:1>",
    ":skull:",
    "**",
    "*",
    "__",
    "_",
    "~~",
    "||",
    "`",
    "``",
    "```",
    "```\n",
    "\\",
    "[a](",
    "](b)",
    "https://evil.example/a_b",
    "http://",
    "steam://run",
    "discord.gg/abc",
    "DISCORD.COM/invite/x",
    "<https://x.y>",
    "://",
    "\n",
    "\r\n",
    "\n# ",
    "\n-# ",
    "\n- ",
    "\n1. ",
    "\n> ",
    "\n>>> ",
    "# ",
    "1",
    ".",
    ". ",
    " ",
    "\t",
    "\0",
    "\u{202E}",
    "\u{2066}",
    "\u{200D}",
    "\u{FE0F}",
    "\u{301}",
    "\u{301}\u{302}\u{303}\u{304}\u{305}",
    "\u{3164}",
    "👩🏽\u{200D}💻",
    "🇩🇪",
    "🇩",
    "é",
    "क्षि",
    "한",
    "𝒜",
    "\u{FFFF}",
    "a",
    "word",
    "ORDER",
    "unknown",
    "…",
];

/// Every field that a card reads.
const FIELDS: &[&str] = &[
    "id",
    "seq_id",
    "title",
    "subject",
    "name",
    "status",
    "priority",
    "severity",
    "description",
    "message",
    "company_name",
    "company",
    "created_by",
    "updated_by",
    "closed_by",
    "assigned_to",
    "resolution",
    "notes",
    "changes",
    "previous",
    "old_status",
    "previous_priority",
    "asset_type",
    "asset_id",
    "hostname",
    "ip_address",
    "operating_system",
    "registered_at",
    "approved_at",
    "approved_by",
    "email",
    "first_name",
    "last_name",
    "role",
    "website",
    "alert_type",
    "source",
    "details",
    "count",
    "first_seen",
    "location",
    "content",
    "from",
    "to",
    "field",
];

/// 100 cases, which take seconds in a debug build; `PROPTEST_CASES` asks for more.
pub(super) fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

pub(super) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(NASTY).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let short = proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat());
    prop_oneof![
        6 => short.clone(),
        1 => (short, 1_usize..100).prop_map(|(text, times)| text.repeat(times)),
        1 => proptest::collection::vec(any::<char>(), 0..60).prop_map(String::from_iter),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        8 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![8 => proptest::sample::select(FIELDS).prop_map(str::to_owned), 1 => text()]
}

fn data() -> impl Strategy<Value = Value> {
    let fields = proptest::collection::vec((name(), json()), 0..10)
        .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>()));
    prop_oneof![12 => fields, 1 => json()]
}

/// Events that say a lot in every field: ten of them are more than Discord takes.
fn full() -> impl Strategy<Value = Value> {
    (text(), 1_usize..60).prop_map(|(text, times)| {
        let text: Value = text.repeat(times).chars().take(800).collect::<String>().into();
        FIELDS.iter().map(|field| ((*field).to_owned(), text.clone())).collect::<Map<_, _>>().into()
    })
}

pub(super) fn events() -> impl Strategy<Value = Vec<(String, String, Value)>> {
    prop_oneof![
        9 => proptest::collection::vec((kind(), text(), data()), 1..=4),
        1 => proptest::collection::vec((kind(), text(), full()), 6..=12),
    ]
}

fn kind() -> impl Strategy<Value = String> {
    let known = nuncio::samples::all().iter().map(|sample| sample.kind.to_owned());
    let odd = ["__", "-", "x:y-z.__w", "discord.gg", ":skull:"].map(str::to_owned);
    proptest::sample::select(known.chain(odd).chain(["x_".repeat(64)]).collect::<Vec<_>>())
}

/// What a reader sees of `text` and what is done to it: Discord's inline rules in their order. `U+E000` stands for
/// whatever was escaped or in code.
fn effects(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        let escaped = after
            .chars()
            .next()
            .filter(|next| char == '\\' && !next.is_alphanumeric() && !next.is_whitespace());
        let fence = rest.strip_prefix("```").and_then(|inside| inside.find("```").map(|end| end + 6));
        let code = after.find('`').filter(|end| char == '`' && *end > 0).map(|end| end + 2);
        let time = rest.strip_prefix("<t:").and_then(|inside| inside.find(":R>").map(|end| end + 6));
        let skip = match escaped {
            Some(next) => char.len_utf8() + next.len_utf8(),
            None => fence.or(code).or(time).unwrap_or(0),
        };
        if skip > 0 {
            left.push('\u{E000}');
            rest = &rest[skip..];
        } else if rest.starts_with("**") {
            rest = &rest[2..];
        } else {
            left.push(char);
            rest = after;
        }
    }
    left
}

/// The first thing in a text that would do something.
pub(super) fn effect(text: &str) -> Option<String> {
    let left = effects(text).to_lowercase();
    let signs = [
        "@everyone",
        "@here",
        "<",
        "*",
        "_",
        "~",
        "|",
        "`",
        "[",
        "\\",
        "discord.gg/",
        "discord.com/",
        "discordapp.com/",
        ":skull:",
        "\u{202E}",
        "\u{2066}",
        "\u{200D} ",
        "\0",
    ];
    let sign = signs.iter().find(|sign| left.contains(*sign)).map(|sign| format!("{sign:?}"));
    let link =
        left.match_indices("://").any(|(at, _)| left[..at].ends_with(|c: char| c.is_ascii_alphanumeric()));
    let sign = sign.or_else(|| link.then(|| "a link".to_owned()));
    let block = left.lines().map(str::trim_start).find(|line| {
        let marks = line.trim_start_matches(['#', '-', '>']);
        let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
        (marks.len() < line.len() && marks.starts_with(char::is_whitespace))
            || (number.len() < line.len() && number.starts_with(". "))
    });
    sign.or_else(|| block.map(str::to_owned))
}

/// The longer of the two ways to count characters.
fn length(text: &Value) -> usize {
    let text = text.as_str().unwrap_or_default().trim();
    text.chars().map(char::len_utf16).sum::<usize>().max(text.chars().count())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Which limits a body breaks (Discord: "Create Message", "Embed limits").
pub(super) fn broken_limit(body: &Value) -> Option<String> {
    let mut sum = 0;
    let mut broken: Vec<String> = Vec::new();
    let embeds = list(&body["embeds"]);
    for embed in embeds {
        let mut parts = vec![
            ("title", &embed["title"], 1, 256),
            ("description", &embed["description"], 0, 4096),
            ("footer", &embed["footer"]["text"], 1, 2048),
        ];
        for field in list(&embed["fields"]) {
            parts.extend([("name", &field["name"], 1, 256), ("value", &field["value"], 1, 1024)]);
        }
        for (what, text, least, most) in parts {
            let length = length(text);
            sum += length;
            if !(least..=most).contains(&length) {
                broken.push(format!("{what} has {length}"));
            }
        }
        if list(&embed["fields"]).len() > 25 || length(&embed["url"]) > 2048 {
            broken.push("fields or url".to_owned());
        }
    }
    let content = length(&body["content"]);
    if sum > 6000 || embeds.len() > 10 || !(1..=2000).contains(&content) {
        broken.push(format!("sum {sum}, {} embeds, content {content}", embeds.len()));
    }
    (!broken.is_empty()).then(|| broken.join(", "))
}

/// Every text of a body that Discord would read as markdown, without the pings that were asked for.
pub(super) fn texts(body: &Value) -> Vec<String> {
    let mut content = body["content"].as_str().unwrap_or_default().to_owned();
    for role in list(&body["allowed_mentions"]["roles"]) {
        content = content.replacen(&format!("<@&{}>", role.as_str().unwrap()), "", 1);
    }
    let mut texts = vec![content];
    for embed in list(&body["embeds"]) {
        let fields = list(&embed["fields"]).iter();
        let values = fields.flat_map(|field| [&field["name"], &field["value"]]);
        let all = [&embed["title"], &embed["description"]].into_iter().chain(values);
        texts.extend(all.filter_map(|text| text.as_str().map(str::to_owned)));
    }
    texts
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_json_is_sent_within_every_limit_and_does_nothing(
        events in events(),
        company_name in proptest::option::of(text()),
        pings in proptest::collection::vec(1_u64.., 0..60),
    ) {
        let links = Links::default();
        let view = View { company_name: company_name.as_deref(), links: &links, asked: None };
        let cards: Vec<_> =
            events.iter().map(|(kind, company, data)| render::card(&event(kind, company, data.clone()), &view)).collect();
        let pings: Vec<Snowflake> = pings.into_iter().map(Snowflake::new).collect();
        for body in [render::message(&cards, &pings), render::plain(&cards, &pings)] {
            let body = serde_json::to_value(body).unwrap();
            prop_assert_eq!(broken_limit(&body), None, "{:#}", body);
            prop_assert_eq!(&body["allowed_mentions"]["parse"], &json!([]));
            for text in texts(&body) {
                prop_assert_eq!(effect(&text), None, "in {:?}", text);
            }
        }
    }

    /// The same characters are read from an embed as from a content.
    #[test]
    fn escaping_changes_nothing_that_is_seen(data in text()) {
        let shown = |surface| {
            let written = render::paragraph(&data).write(surface);
            let mut chars = written.chars().filter(|c| *c != '\u{200B}').peekable();
            let mut shown = String::new();
            let mut code = false;
            while let Some(char) = chars.next() {
                match char {
                    '`' => code = !code,
                    '\\' if !code => shown.extend(chars.next()),
                    char => shown.push(char),
                }
            }
            shown
        };
        prop_assert_eq!(shown(Surface::Embed), shown(Surface::Content));
    }

    /// Whole graphemes only, however little room ten cards leave each other.
    #[test]
    fn nothing_is_cut_inside_a_grapheme(
        pieces in proptest::collection::vec(
            proptest::sample::select(&["👩🏽\u{200D}💻", "🇩🇪", "e\u{301}\u{302}", "क्षि", "각", "𝒜", "~", "a", "<", "\u{1F3F4}\u{E0067}\u{E0062}\u{E007F}"][..]),
            1..500,
        ),
        count in 1_usize..=10,
    ) {
        let source = pieces.concat();
        let ends: Vec<usize> = source.grapheme_indices(true).map(|(at, _)| at).chain([source.len()]).collect();
        let data = json!({"title": source, "description": source, "notes": [{"content": source}]});
        let view = View { company_name: Some(&source), links: &Links::default(), asked: None };
        let cards: Vec<_> = ["ticket.created", "ticket.updated", "asset.created", "printer.jammed"]
            .iter()
            .cycle()
            .take(count)
            .map(|kind| render::card(&event(kind, "", data.clone()), &view))
            .collect();
        for body in [render::message(&cards, &[]), render::plain(&cards, &[])] {
            for text in texts(&serde_json::to_value(body).unwrap()) {
                for run in text.replace('\\', "").split(['…', '\n', '·', '(', ')', ' ', ':', ',']) {
                    let run = run.trim_start_matches("**").trim_end_matches("**");
                    if run.len() > 40 {
                        prop_assert!(source.starts_with(run) && ends.contains(&run.len()), "{run:?}");
                    }
                }
            }
        }
    }
}
