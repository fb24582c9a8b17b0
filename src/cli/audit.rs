//! `nuncio audit`: who did what, and whether the log of it is as it was written.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::app;
use crate::cli::{FAILED, Usage, print, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Audited, Head, HintSender, Store, Verified};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// As JSON, an array with the newest first
    #[arg(long)]
    json: bool,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check every entry: exit 0 if the log is as it was written, 1 if not
    Verify {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// An end of the log that was printed on an earlier day: the log must still contain it
        #[arg(long, value_name = "END")]
        since: Option<String>,
    },
}

/// Prints the entries, or what verifying them came to.
///
/// # Errors
/// If the database or its key cannot be used.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    // Nothing is accepted here, so nobody is hinted at.
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(&config.database.path, Clock::system(), hints).await?;
    let code = match &args.command {
        None => list(&store, args).await,
        Some(Command::Verify { json, since }) => {
            let since = since.as_deref().map(|text| {
                Head::parse(text).ok_or_else(|| {
                    Usage("--since takes an end as `nuncio audit verify` prints it".to_owned())
                })
            });
            app::unlock(&store, &config.encryption).await?;
            verify(&store, since.transpose()?.as_ref(), *json).await
        }
    };
    store.close().await;
    code
}

async fn list(store: &Store, args: &Args) -> anyhow::Result<ExitCode> {
    let entries = store.audited(args.limit).await?;
    if args.json {
        print(&Value::Array(entries.iter().map(as_json).collect()).to_string());
    } else if entries.is_empty() {
        say("Nothing was done yet.");
    } else {
        entries.iter().for_each(|entry| print(&line(entry)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(store: &Store, since: Option<&Head>, json: bool) -> anyhow::Result<ExitCode> {
    let Verified { entries, fault, head } = store.verify_audit(since).await?;
    if json {
        let fault = fault.as_ref().map(ToString::to_string);
        print(
            &json!({"ok": fault.is_none(), "entries": entries, "fault": fault, "end": head.to_string()})
                .to_string(),
        );
    }
    match &fault {
        None if !json => {
            print(&format!("The audit log is as it was written: {entries} entries."));
            say(&format!(
                "Keep this end of it elsewhere, and an older copy put in its place will show too:\n  \
                 nuncio audit verify --since {head}"
            ));
        }
        Some(fault) if !json => {
            print(&format!("The audit log was changed: {fault}. The {entries} entries before that hold."));
        }
        _ => {}
    }
    Ok(if fault.is_none() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn as_json(entry: &Audited) -> Value {
    json!({
        "seq": entry.seq,
        "at": entry.at.to_rfc3339(),
        "actor": {"id": entry.actor_id, "name": entry.actor_name},
        "action": entry.action,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "detail": entry.detail,
        "channel_id": entry.channel,
        "interaction_id": entry.interaction,
        "reference": entry.reference,
    })
}

fn line(entry: &Audited) -> String {
    let at = entry.at.to_rfc3339();
    let line = format!(
        "{}  {:>5}  {:8} {:24} {}  by {} ({})  {}  {}",
        at.get(..19).unwrap_or(&at).replacen('T', " ", 1),
        entry.seq,
        entry.outcome,
        entry.action,
        entry.subject,
        entry.actor_name,
        entry.actor_id,
        entry.detail,
        entry.reference,
    );
    // Names come from outside: nothing that moves the cursor.
    line.trim_end().chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect()
}
