//! `nuncio demo`: the real application between a fake XTSystems and the sandbox Discord. It needs no account, no guild
//! and no configuration; nothing leaves this machine, and nothing stays on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::print;
use crate::cli::signals;
use crate::clock::Clock;
use crate::config::{Config, Variables};
use crate::demo::{Platform, Stage, XtSystems, story};
use crate::sandbox::discord::Setup;
use crate::sandbox::{self, Discord};
use crate::secret::Secret;
use crate::telemetry;

/// The preferred ports; a free port replaces one that is taken.
const WEBHOOK_PORT: u16 = 3000;
const PAGE_PORT: u16 = 3001;
const PLATFORM_PORT: u16 = 20437;
/// Public on purpose: they open nothing but a demo on the reader's own machine.
const SECRET: &str = "nuncio-demo-secret";
const API_KEY: &str = "nuncio-demo-key";
/// The name that the previous bot gave its registration; ours takes it over.
const WEBHOOK_NAME: &str = "Discord Bot Integration";

/// The addresses where the parts of the demo listen.
struct Addresses {
    page: SocketAddr,
    webhook: SocketAddr,
    platform: SocketAddr,
}

/// Runs the demo until Ctrl-C or SIGTERM.
///
/// # Errors
/// If this machine has no loopback interface, or no place for temporary files.
pub(super) async fn run() -> anyhow::Result<ExitCode> {
    print("Starting a Discord, an XTSystems and nuncio on this machine …");
    let folder =
        tempfile::Builder::new().prefix("nuncio-demo-").tempdir().context("no place for temporary files")?;
    let (_telemetry, _) = telemetry::init("warn", &folder.path().join("logs"));
    let clock = Clock::system();
    let stop = signals::for_terminal()?;

    let (page, listener, api) =
        (bind(PAGE_PORT).await?, bind(WEBHOOK_PORT).await?, bind(PLATFORM_PORT).await?);
    let addresses =
        Addresses { page: page.local_addr()?, webhook: listener.local_addr()?, platform: api.local_addr()? };
    let discord = Discord::new(clock.clone(), Setup::default());
    let config = config(&discord, &addresses, folder.path())?;
    let webhook = format!("http://{}{}", addresses.webhook, config.webhook.path);
    let platform = Platform::new(Secret::new(API_KEY), clock.clone());
    platform.add_webhook(WEBHOOK_NAME, &webhook, Secret::new(SECRET));
    let serving = tokio::spawn(platform.clone().serve(api, stop.clone()));
    let sender = XtSystems::new(webhook.clone(), Secret::new(SECRET), clock.clone())?;
    let health = format!("http://{}/health", addresses.webhook);
    let stage = Stage::new(discord.clone(), sender, platform, health, clock.clone())?;
    let sandbox = tokio::spawn(sandbox::serve_with(discord, stage.router(), page, stop.clone()));
    let app = App::build(config, listener, clock.clone()).await?;
    stage.set_event_lookup(Box::new({
        let store = app.store().clone();
        move |event| {
            let store = store.clone();
            Box::pin(async move {
                let Ok(event) = event.parse() else { return Vec::new() };
                let found = store.receipts(event).await.unwrap_or_default();
                found.into_iter().map(|id| id.to_string()).collect()
            })
        }
    }));
    print(&introduction(addresses.page, &webhook));

    let watching = tokio::spawn({
        let (stage, stop) = (stage.clone(), stop.clone());
        async move { stage.watch(stop).await }
    });
    let playing = tokio::spawn(play_story(stage, clock, stop.clone()));
    app.run(stop).await;
    playing.abort();
    watching.abort();
    sandbox.await??;
    serving.await??;
    print("\nStopped; the demo's data is deleted.");
    Ok(ExitCode::SUCCESS)
}

/// The configuration an operator would write for this Discord. Refuses an address outside this machine.
fn config(discord: &Discord, addresses: &Addresses, folder: &std::path::Path) -> anyhow::Result<Config> {
    let Addresses { page, webhook, platform } = addresses;
    let role = |name: &str| discord.role_id(name).map(|id| id.to_string()).unwrap_or_default();
    let id = |name: &str| discord.channel_id(name).map(|id| id.to_string()).unwrap_or_default();
    let map = json!({
        "ticket.*": [id("tickets")],
        "machine.*": [id("machines")],
        "asset.*": [id("assets")],
        "alert.*": [id("alerts")],
        "default": [id("general")],
    });
    let variables = Variables::from_map([
        ("DISCORD_TOKEN", discord.bot_token().expose().to_owned()),
        ("DISCORD_API_URL", format!("http://{page}/api")),
        ("DISCORD_WEBHOOK_CHANNELS", map.to_string()),
        ("WEBHOOK_HOST", webhook.ip().to_string()),
        ("WEBHOOK_SECRET", SECRET.to_owned()),
        ("NUNCIO_DATABASE_URL", format!("sqlite://{}", folder.join("nuncio.db").display())),
        ("PUBLIC_URL", format!("http://{webhook}")),
        ("XTSYSTEMS_API_URL", Platform::url(*platform)),
        ("XTSYSTEMS_API_KEY", API_KEY.to_owned()),
        ("APPROVER_ROLES", role("Approvers")),
        ("OPERATOR_ROLES", format!("{},{}", role("Approvers"), role("Operators"))),
        ("NUNCIO_ENCRYPTION_KEY", hex::encode(rand::random::<[u8; 32]>())),
        ("LOG_DIR", folder.join("logs").display().to_string()),
    ]);
    let config = Config::from_variables(&variables)?;
    ensure!(
        config.discord.base.is_loopback()
            && [page, webhook, platform].iter().all(|address| address.ip().is_loopback()),
        "the demo uses only addresses of this machine, and one of them is not: please report this"
    );
    Ok(config)
}

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on 127.0.0.1"),
    }
}

async fn play_story(stage: Stage, clock: Clock, stop: CancellationToken) {
    let ended = tokio::select! {
        ended = story::play(&stage, &clock) => ended,
        () = stop.cancelled() => return,
    };
    match ended {
        Ok(accepted) => print(&format!(
            "The story is over: {accepted} signed events were accepted and are in their channels.\n\
             Send your own with the lines above. Ctrl-C ends the demo."
        )),
        Err(error) => tracing::error!(
            "the demo's story stopped early: {}. Start the demo again to see it",
            error.without_url()
        ),
    }
}

/// What a visitor needs: the page, and lines to copy. No frame at the sides, so that a copied line is clean.
fn introduction(page: SocketAddr, webhook: &str) -> String {
    let rule = "─".repeat(78);
    // Cargo sets it when it runs the program.
    let nuncio = if std::env::var_os("CARGO").is_some() { "cargo run --" } else { "nuncio" };
    format!(
        r#"
{rule}
  Look:    http://{page}/#all

  Send an event that is accepted (with one character changed, it is refused):

body='{{"event_type":"alert.triggered","data":{{"severity":"critical","title":"Disk full","source":"SRV-DB1"}}}}'
t=$(date +%s); curl {webhook} -H 'Content-Type: application/json' \
  -H "X-XTSystems-Timestamp: $t" -d "$body" \
  -H "X-XTSystems-Signature: sha256=$(printf %s "$t$body" | openssl dgst -sha256 -hmac {SECRET} -r | cut -c1-64)"

  Send one that is refused:

curl {webhook} -H 'Content-Type: application/json' -d '{{}}' \
  -H "X-XTSystems-Timestamp: $(date +%s)" -H 'X-XTSystems-Signature: sha256=0000'

  Or let nuncio sign a sample of every kind:

WEBHOOK_SECRET={SECRET} {nuncio} send --all --to {webhook}
{rule}
A short story plays now: watch the page."#
    )
}
