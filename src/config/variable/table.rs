//! The table of variables, one entry each.

use super::{ExampleValue, Variable, VariableGroup, variable};

/// All variables, in the order of `.env.example`.
pub const VARIABLES: &[Variable] = &[
    variable(
        "DISCORD_TOKEN",
        VariableGroup::Discord,
        ExampleValue::FillIn("your_discord_bot_token_here"),
        "The bot's token. Without it everything else runs, and events wait until there is one.",
    ),
    variable(
        "DISCORD_CLIENT_ID",
        VariableGroup::Discord,
        ExampleValue::Example("123456789012345678"),
        "The application's id. Not needed: nuncio learns it from the token.",
    ),
    variable(
        "DISCORD_GUILD_ID",
        VariableGroup::Discord,
        ExampleValue::Example("123456789012345678"),
        "Your servers: ids with commas between. They get the commands at once, and commands work there alone. Without it every server that the bot is in gets them, which can take Discord an hour, and they work in those that hold a channel of the map below.",
    ),
    variable(
        "DISCORD_GATEWAY",
        VariableGroup::Discord,
        ExampleValue::Default("on"),
        "off: the bot stays offline. Messages are sent all the same, but there are no commands and no buttons.",
    ),
    variable(
        "DISCORD_WEBHOOK_CHANNELS",
        VariableGroup::Discord,
        ExampleValue::FillIn(
            r#"{"ticket.created":["CHANNEL_ID"],"machine.*":["CHANNEL_ID"],"default":["CHANNEL_ID"]}"#,
        ),
        "Which kind of event goes to which channel. Keys: a kind, a pattern (ticket.*) or default, each also for one \
         customer only (ticket.*@COMPANY_ID). Values: a channel id, a stored webhook (dst_…, see nuncio \
         discord-webhooks), a list of them, or [] for nowhere. An event that only default matches changes the card \
         of its ticket, asset or machine, if there is one.",
    ),
    variable(
        "MONITOR_CHANNELS",
        VariableGroup::Discord,
        ExampleValue::Example("123456789012345678,234567890123456789"),
        "The old bot's list of channels: serves as default when the map above has none.",
    ),
    variable(
        "PING",
        VariableGroup::Discord,
        ExampleValue::Example(r#"{"alert.triggered>=error":["123456789012345678"]}"#),
        "Which roles are pinged by what, from which severity on. Nothing in an event can ping anybody.",
    ),
    variable(
        "APPROVER_ROLES",
        VariableGroup::Discord,
        ExampleValue::Example("123456789012345678,234567890123456789"),
        "Roles whose members may approve and deny machines: ids with commas between. Without it, whoever has Manage Server.",
    ),
    variable(
        "OPERATOR_ROLES",
        VariableGroup::Discord,
        ExampleValue::Example("123456789012345678"),
        "Roles whose members may do everything else that changes something: take and close tickets, mute alerts and \
         whole kinds, say where events go (Set channel), send again what was given up, and see events whole (Show \
         raw). Without it, whoever has Manage Server.",
    ),
    variable(
        "DECISION_GRACE",
        VariableGroup::Discord,
        ExampleValue::Default("10s"),
        "How long a decision can be undone before XTSystems is called. 0s: it is called at once.",
    ),
    variable(
        "DECISION_EXPIRY",
        VariableGroup::Discord,
        ExampleValue::Example("24h"),
        "How long a machine's buttons wait for somebody. Without it, forever.",
    ),
    variable(
        "CARDS",
        VariableGroup::Discord,
        ExampleValue::Default("living"),
        "living: one card for each ticket, asset and machine, which later events change. append: a card for each event.",
    ),
    variable(
        "FOLD_REPEATS",
        VariableGroup::Discord,
        ExampleValue::Default("15m"),
        "How long the same alert changes its card (×14) instead of posting a new one; off: never.",
    ),
    variable(
        "COALESCE",
        VariableGroup::Discord,
        ExampleValue::Default("digest"),
        "When more comes than Discord takes: cards puts up to ten into one message, digest also sums up what would take hours, off sends one by one.",
    ),
    variable(
        "COALESCE_DEPTH",
        VariableGroup::Discord,
        ExampleValue::Default("100"),
        "How many deliveries wait for a channel before they are summed up in a digest.",
    ),
    variable(
        "DISCORD_API_URL",
        VariableGroup::Discord,
        ExampleValue::Default("https://discord.com/api/v10"),
        "Where Discord's API is: a proxy of yours, or the address that `nuncio sandbox` prints.",
    ),
    variable(
        "WEBHOOK_SECRET",
        VariableGroup::Webhook,
        ExampleValue::FillIn("your_secure_webhook_secret_here"),
        "The secret that XTSystems signs its events with, at least 16 bytes. Required, unless there is an API key: then, without it, no events of XTSystems are taken (404).",
    ),
    variable(
        "WEBHOOK_SECRET_PREVIOUS",
        VariableGroup::Webhook,
        ExampleValue::Example("the_secret_before_this_one"),
        "While you change the secret: the one before, accepted as well. Remove it once XTSystems has the new one.",
    ),
    variable("WEBHOOK_PORT", VariableGroup::Webhook, ExampleValue::Default("3000"), "The port to listen on."),
    variable(
        "WEBHOOK_HOST",
        VariableGroup::Webhook,
        ExampleValue::Default("0.0.0.0"),
        "The address to listen on.",
    ),
    variable(
        "WEBHOOK_PATH",
        VariableGroup::Webhook,
        ExampleValue::Default("/webhooks/xtsystems"),
        "The path that XTSystems posts to.",
    ),
    variable(
        "PUBLIC_URL",
        VariableGroup::Webhook,
        ExampleValue::Example("https://nuncio.example"),
        "The address that XTSystems reaches nuncio by, without the path: /register-webhook gives it to XTSystems. Without it, this machine's localhost.",
    ),
    variable(
        "WEBHOOK_BODY_LIMIT",
        VariableGroup::Webhook,
        ExampleValue::Default("1MiB"),
        "The largest body that is accepted, in bytes, KiB or MiB.",
    ),
    variable(
        "RATE_LIMIT",
        VariableGroup::Webhook,
        ExampleValue::Default("100/15m"),
        "Rate limit per sender address: so many requests at once, refilled over this time.",
    ),
    variable(
        "RATE_LIMIT_SCOPE",
        VariableGroup::Webhook,
        ExampleValue::Default("unverified"),
        "What counts: unverified (only requests whose signature does not hold) or all (but /health).",
    ),
    variable(
        "TRUSTED_PROXIES",
        VariableGroup::Webhook,
        ExampleValue::Example("10.0.0.0/8,fd00::/8"),
        "Networks of your own proxies: what they say in X-Forwarded-For or Forwarded is believed.",
    ),
    variable(
        "NUNCIO_API_KEY",
        VariableGroup::Api,
        ExampleValue::Example("your_api_key_here"),
        "The first admin key of the API (/v1), as Authorization: Bearer or X-API-Key; nuncio keys create makes others. Opens /metrics to others than this machine, and /webhooks/config and /webhooks/register. Make one with: openssl rand -hex 32",
    ),
    variable(
        "API_RATE_LIMIT",
        VariableGroup::Api,
        ExampleValue::Default("600/1m"),
        "Rate limit of /v1 for each API key: so many requests over this time, a third of them at once.",
    ),
    variable(
        "ADMIN_LISTEN",
        VariableGroup::Api,
        ExampleValue::Example("127.0.0.1:3002"),
        "Another address for /v1, /console, /docs, /openapi.json and /metrics, which the listener above then answers with 404.",
    ),
    variable(
        "ALLOW_PRIVATE_TARGETS",
        VariableGroup::Api,
        ExampleValue::Example("10.0.0.0/8"),
        "Private networks that nuncio may call at addresses it was given (a picture, an endpoint): networks with commas between. Without it, only public addresses.",
    ),
    variable(
        "DISPATCH_NAME",
        VariableGroup::Api,
        ExampleValue::Default("nuncio"),
        "The name that dispatched messages come from. A stored webhook's own name wins.",
    ),
    variable(
        "DISPATCH_ICON_URL",
        VariableGroup::Api,
        ExampleValue::Example("https://nuncio.example/icon.png"),
        "The picture of dispatched messages. A stored webhook's own picture wins.",
    ),
    variable(
        "DISPATCH_FOOTER",
        VariableGroup::Api,
        ExampleValue::Example("nuncio"),
        "The footer of dispatched messages. Without it, DISPATCH_NAME.",
    ),
    variable(
        "XTSYSTEMS_API_URL",
        VariableGroup::XtSystems,
        ExampleValue::Default("http://localhost:20437"),
        "Where the platform's API is.",
    ),
    variable(
        "XTSYSTEMS_API_KEY",
        VariableGroup::XtSystems,
        ExampleValue::FillIn("your_xtsystems_api_key_here"),
        "The key for the platform's API. Without it there are no buttons, and commands that need the platform say so.",
    ),
    variable(
        "XTSYSTEMS_APPROVE",
        VariableGroup::XtSystems,
        ExampleValue::Default("'POST /v1/machines/{id}/approve'"),
        "The call that approves a machine: method and path below XTSYSTEMS_API_URL.",
    ),
    variable(
        "XTSYSTEMS_DENY",
        VariableGroup::XtSystems,
        ExampleValue::Default("'POST /v1/machines/{id}/deny'"),
        "The call that denies a machine.",
    ),
    variable(
        "XTSYSTEMS_CREATE_TICKET",
        VariableGroup::XtSystems,
        ExampleValue::Default("'POST /v1/tickets'"),
        "The call that makes a ticket.",
    ),
    variable(
        "XTSYSTEMS_UPDATE_TICKET",
        VariableGroup::XtSystems,
        ExampleValue::Default("'PUT /v1/tickets/{id}'"),
        "The call that changes a ticket.",
    ),
    variable(
        "XTSYSTEMS_TICKET_URL",
        VariableGroup::XtSystems,
        ExampleValue::Example("https://xtsystems.example/tickets/{id}"),
        "The web address of a ticket; titles of cards link there.",
    ),
    variable(
        "XTSYSTEMS_ASSET_URL",
        VariableGroup::XtSystems,
        ExampleValue::Example("https://xtsystems.example/assets/{id}"),
        "The web address of an asset.",
    ),
    variable(
        "XTSYSTEMS_MACHINE_URL",
        VariableGroup::XtSystems,
        ExampleValue::Example("https://xtsystems.example/machines/{id}"),
        "The web address of a machine.",
    ),
    variable(
        "NUNCIO_DATABASE_URL",
        VariableGroup::Storage,
        ExampleValue::Default("sqlite://data/nuncio.db"),
        "The database file. DATABASE_URL works too, but only if it is set in this file.",
    ),
    variable(
        "RETENTION_DAYS",
        VariableGroup::Storage,
        ExampleValue::Default("30"),
        "How long delivered and dead deliveries are kept with their events, in days. What waits is always kept.",
    ),
    variable(
        "NUNCIO_ENCRYPTION_KEY",
        VariableGroup::Storage,
        ExampleValue::Example("your_key_of_64_hex_digits_here"),
        "Seals the audit log and the addresses of stored webhooks: 64 hex digits. Without it the key is in nuncio.key beside this file (where there is none: beside the database), made on the first start: keep a copy of it apart from the data.",
    ),
    variable(
        "LOG_DIR",
        VariableGroup::Storage,
        ExampleValue::Default("logs"),
        "Where combined.log and error.log (errors only) are written, a file a day.",
    ),
    variable(
        "RUST_LOG",
        VariableGroup::Storage,
        ExampleValue::Default("info"),
        "How much is logged: error, warn, info, debug, trace, or a filter such as info,nuncio=debug.",
    ),
    variable(
        "LOG_LEVEL",
        VariableGroup::Storage,
        ExampleValue::Example("info"),
        "The old bot's name for RUST_LOG, which wins over it. A level only.",
    ),
];

/// Variables of later versions: setting one is no mistake, but has no effect yet.
pub const PLANNED: &[Variable] = &[variable(
    "SOURCES",
    VariableGroup::Webhook,
    ExampleValue::Example(r#"{"github":{"format":"github","secret":"your_source_secret_here"}}"#),
    "Further senders of webhooks, as JSON.",
)];
