//! `nuncio mute`, `nuncio unmute`: keeps a kind out of the channels for a while.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::{Usage, database, print, say, table};
use crate::clock::Clock;
use crate::config::{Config, span_of};
use crate::hub::{Error, Hub, UnknownKind};
use crate::model::{By, Mute, Muted};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A kind (ticket.created) or a pattern (alert.*)
    #[arg(required_unless_present = "list", conflicts_with = "list")]
    kind: Option<String>,
    /// Duration: 30m, 1h, 2d
    #[arg(long = "for", value_name = "SPAN", required_unless_present = "list")]
    span: Option<String>,
    /// Reason, shown on the card that sums up
    #[arg(long, default_value = "")]
    reason: String,
    /// Also mute a kind of which no event ever came
    #[arg(long)]
    anyway: bool,
    /// List the active mutes
    #[arg(long)]
    list: bool,
    /// Print the list as JSON
    #[arg(long, requires = "list")]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct UnmuteArgs {
    /// The muted kind or pattern, or the id of the mute
    kind: String,
}

/// Mutes a kind, or lists the mutes. A running `nuncio serve` notices within a second.
///
/// # Errors
/// If the database cannot be used, or the kind cannot be muted.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    with_hub(config, !args.list, async |hub, clock| {
        let (Some(kind), Some(span)) = (&args.kind, &args.span) else {
            return list(hub, clock, args.json).await;
        };
        let span = span_of(span)
            .ok_or_else(|| Usage(format!("{span:?} is not a duration: --for 30m, 1h or 2d")))?;
        let by = By::new(actor(), "command.mute");
        if let Some(unknown) = hub.unknown_kind(kind).await?.filter(|_| !args.anyway) {
            return Err(Usage(never_came(kind, &unknown)).into());
        }
        let (mute, before) = match hub.mute(kind, span, &args.reason, &by).await.map_err(at_shell)? {
            Muted::Now(mute) | Muted::Already(mute) => (mute, None),
            Muted::Renewed { now, before } => (now, Some(before)),
            Muted::Replayed => return Ok(ExitCode::SUCCESS),
        };
        let before = before.map_or_else(String::new, |before| {
            let by = table::clean(&before.by, 40);
            format!(" It was already muted until {} by {by}: that mute continues.", table::short(before.until))
        });
        print(&format!("{} is muted until {}.{before}", mute.pattern, table::short(mute.until)));
        say("A running nuncio applies it within a second. Its events, urgent ones included, are kept and summed up in one card when the mute ends. Events that \
             ask for a decision (machine.registered) are still shown.");
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// Ends a mute. A running `nuncio serve` sends its summary within seconds.
///
/// # Errors
/// If the database cannot be used, or no mute has that name.
pub(super) async fn unmute(args: &UnmuteArgs, config: Config) -> anyhow::Result<ExitCode> {
    with_hub(config, true, async |hub, _| {
        let ended = hub.unmute(&args.kind, &By::new(actor(), "command.unmute")).await;
        for mute in ended.map_err(|error| match error {
            Error::NotFound(sentence) => Usage(sentence).into(),
            error => at_shell(error),
        })? {
            print(&format!(
                "The mute of {} has ended. If it silenced anything, one card sums that up.",
                table::clean(mute.name(), 80)
            ));
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// Explains why a kind that never came is not muted yet.
fn never_came(kind: &str, unknown: &UnknownKind) -> String {
    let meant = unknown.meant.as_ref().map_or_else(String::new, |meant| format!(" Did you mean {meant}?"));
    format!(
        "no event of the kind {} has ever arrived, so nothing was muted.{meant} To mute it anyway, add --anyway.",
        table::clean(kind, 128)
    )
}

async fn list(hub: &Hub, clock: &Clock, as_json: bool) -> anyhow::Result<ExitCode> {
    let mutes = hub.mutes().await?;
    if as_json {
        let row = |(mute, silenced): &(Mute, u64)| {
            json!({
                "id": mute.id, "pattern": mute.pattern, "alert": mute.alert.as_ref().map(|alert| &alert.label),
                "until": mute.until.to_rfc3339(), "reason": mute.reason,
                "by": mute.by, "since": mute.since.to_rfc3339(), "silenced": silenced,
            })
        };
        print(&mutes.iter().map(row).collect::<Value>().to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for (mute, silenced) in &mutes {
        let line = format!(
            "{}  ends in {}  {silenced} silenced  by {}  {}",
            table::clean(mute.name(), 80),
            table::age(mute.until.since(clock.now())),
            table::clean(&mute.by, 40),
            table::clean(&mute.reason, 80)
        );
        print(&table::fitted(line.trim_end()));
    }
    if mutes.is_empty() {
        say("Nothing is muted.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the database for `work`. With `changes`, the audit log gets an entry, which needs the key.
async fn with_hub(
    config: Config,
    changes: bool,
    work: impl AsyncFnOnce(&Hub, &Clock) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let store = database::open(&config, clock.clone()).await?;
    let hub = Hub::beside_server(store.clone(), clock.clone(), config.routes, config.pings).await?;
    let done = match changes.then_some(app::unlock(&store, &config.encryption)) {
        Some(unlocking) => unlocking.await,
        None => Ok(()),
    };
    let done = match done {
        Ok(()) => work(&hub, &clock).await,
        Err(error) => Err(error),
    };
    store.close().await;
    done
}
