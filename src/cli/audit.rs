//! `nuncio audit`: who did what, and whether the audit log is unchanged since it was written.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::app;
use crate::cli::progress::Progress;
use crate::cli::{FAILED, Usage, database, print, say, table};
use crate::clock::Clock;
use crate::config::{Config, EncryptionKey};
use crate::store::{Audited, ChainStart, Head, Lock, Store, Verified};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print a JSON array, newest first
    #[arg(long)]
    json: bool,
    /// Maximum number of entries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check every entry: exit code 0 if the log is unchanged, 1 if not
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// An end of the log that `verify` printed earlier: the log must still contain it
        #[arg(long, value_name = "END")]
        since: Option<String>,
    },
    /// Continue the log with a new key after its key was lost: starts a new chain, and records that
    Rekey {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Prints the entries, or the result of verifying them.
///
/// # Errors
/// If the database or its key cannot be used.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let lock = match &args.command {
        // A running server would go on with the old key, so this takes the database lock.
        Some(Command::Rekey { .. }) => Some(Lock::acquire(&config.database.path, &clock).await?),
        _ => None,
    };
    let store = database::open(&config, clock).await?;
    let code = match &args.command {
        None => list(&store, args).await,
        Some(Command::Verify { json, since }) => {
            let since = since.as_deref().map(|text| {
                Head::parse(text).ok_or_else(|| {
                    Usage("--since needs a value that `nuncio audit verify` printed".to_owned())
                })
            });
            app::unlock(&store, &config.encryption).await?;
            verify(&store, since.transpose()?.as_ref(), *json).await
        }
        Some(Command::Rekey { json }) => match &lock {
            Some(lock) => rekey(&store, &config.encryption, lock, *json).await,
            None => Ok(ExitCode::from(FAILED)),
        },
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
        entries.iter().for_each(|entry| print(&table::fitted(&line(entry))));
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(store: &Store, since: Option<&Head>, json: bool) -> anyhow::Result<ExitCode> {
    let progress = Progress::new("verifying the audit log");
    let Verified { entries, fault, begun, head } = store.verify_audit(since).await?;
    drop(progress);
    if json {
        let fault = fault.as_ref().map(ToString::to_string);
        print(
            &json!({
                "ok": fault.is_none(), "entries": entries, "fault": fault, "end": head.to_string(),
                "begun_anew": begun.as_ref().map(|begun| json!({"entry": begun.seq, "at": begun.at.to_rfc3339()})),
            })
            .to_string(),
        );
    }
    match &fault {
        None if !json => {
            print(&format!("The audit log is intact: {entries} entries."));
            if let Some(ChainStart { seq, at }) = &begun {
                print(&format!(
                    "It was started anew at entry {seq} on {} because its key was lost: the entries before that have \
                     not changed since then, and cannot be checked further back.",
                    at.to_rfc3339()
                ));
            }
            say(&format!(
                "Keep the value below elsewhere: with it, nuncio also detects an older copy in place of the log.\n  \
                 nuncio audit verify --since {head}"
            ));
        }
        Some(fault) if !json => {
            print(&format!(
                "The audit log was changed: {fault}. The {entries} entries before that are intact."
            ));
        }
        _ => {}
    }
    Ok(if fault.is_none() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// Begins a new chain with the configured key, or with a fresh key if none exists.
async fn rekey(
    store: &Store,
    encryption: &EncryptionKey,
    lock: &Lock,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let key = app::any_key(encryption)?;
    let Some(entry) = store.rekey_audit(&key, lock).await? else {
        say(
            "The audit log is sealed with the key that is configured, or with none yet: nothing was changed.",
        );
        if json {
            print(&json!({"begun_anew": null}).to_string());
        }
        return Ok(ExitCode::SUCCESS);
    };
    app::unlock(store, encryption).await?;
    if json {
        print(&json!({"begun_anew": {"entry": entry}}).to_string());
    } else {
        print(&format!("The audit log continues under the new key: entry {entry} records it."));
    }
    say(
        "Keep a copy of the key apart from the data. Enter again what else was sealed with the lost one: the \
         addresses of stored Discord webhooks (nuncio discord-webhooks replace ID).",
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) fn as_json(entry: &Audited) -> Value {
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
    let line = format!(
        "{}  {:>5}  {:8} {:24} {}  by {} ({})  {}  {}",
        table::short(entry.at),
        entry.seq,
        entry.outcome,
        entry.action,
        entry.subject,
        entry.actor_name,
        entry.actor_id,
        entry.detail,
        entry.reference,
    );
    // Names come from outside: control characters could move the cursor.
    line.trim_end().chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect()
}
