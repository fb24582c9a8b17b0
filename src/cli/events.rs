//! `nuncio events`: recent events, and signed requests that could not be read.

use crate::model::RowResult;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::corrupt::{self, UNREADABLE};
use crate::cli::event_state::state;
use crate::cli::table::{clean, fitted, short};
use crate::cli::{database, event_show, id_lookup, print, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Quarantined, Recent};

/// The default number of rows.
const RECENT: u32 = 50;
/// The most characters of a quarantined body in a table.
const GLIMPSE: usize = 60;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Command>,
    /// Signed requests that cannot be read; the first 2 KiB of each are kept
    #[arg(long)]
    quarantined: bool,
    /// The events of a digest: msg_ and 32 hex digits, or the last 8 as in its footer
    #[arg(long, value_name = "ID", conflicts_with = "quarantined")]
    digest: Option<String>,
    /// Print a JSON array, newest first
    #[arg(long)]
    json: bool,
    /// Maximum number of events [default: 50, all of a digest]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: Option<u32>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show one event: its state, its deliveries and its body, without secrets
    Show(event_show::Args),
}

/// Prints events as JSON or as a table on stdout, newest first.
///
/// # Errors
/// If the database cannot be used.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    let store = database::open(&config, Clock::system()).await?;
    if let Some(Command::Show(args)) = &args.action {
        let shown = event_show::run(args, &store, Clock::system().now()).await;
        store.close().await;
        return shown.map(|()| ExitCode::SUCCESS);
    }
    let mut unreadable = false;
    let (rows, table) = if args.quarantined {
        let found = store.quarantine_list(args.limit.unwrap_or(RECENT)).await?;
        (
            found.iter().map(quarantined_json).collect::<Vec<_>>(),
            found.iter().map(quarantined_line).collect::<Vec<_>>(),
        )
    } else {
        let found = match &args.digest {
            Some(text) => {
                let digest = id_lookup::digest(&store, text).await?;
                store.recent_in(digest, args.limit.unwrap_or(u32::MAX)).await?
            }
            None => store.recent(args.limit.unwrap_or(RECENT)).await?,
        };
        unreadable = found.iter().any(Result::is_err);
        (found.iter().map(recent_json).collect(), found.iter().map(recent_line).collect())
    };
    store.close().await;
    if args.json {
        print(&Value::Array(rows).to_string());
    } else if table.is_empty() {
        say(match (args.quarantined, &args.digest) {
            (true, _) => "Nothing is in quarantine.",
            (false, Some(_)) => "Its events are no longer kept (RETENTION_DAYS).",
            (false, None) => "No events yet.",
        });
    } else {
        table.iter().for_each(|line| print(&fitted(line)));
    }
    if unreadable && !args.json {
        say(&corrupt::advice(&store));
    }
    Ok(ExitCode::SUCCESS)
}

fn recent_json(event: &RowResult<Recent>) -> Value {
    let event = match event {
        Ok(event) => event,
        Err(row) => return corrupt::json(row),
    };
    json!({
        "id": event.id.to_string(),
        "received_at": event.received_at.to_rfc3339(),
        "source": event.source.as_str(),
        "kind": event.kind.as_str(),
        "company_id": event.company,
        "subject": event.subject,
        "unrouted": event.unrouted,
        "deliveries": {
            "open": event.open, "delivered": event.delivered, "dead": event.dead, "cancelled": event.cancelled,
        },
        "state": state(event),
    })
}

fn recent_line(event: &RowResult<Recent>) -> String {
    let event = match event {
        Ok(event) => event,
        Err(row) => {
            return format!("{UNREADABLE}  {}  {}", clean(&row.id, GLIMPSE), clean(&row.why, 300));
        }
    };
    let line = format!(
        "{}  {}  {:24}  {:20}  {}",
        short(event.received_at),
        event.id,
        event.kind.as_str(),
        clean(&state(event), GLIMPSE),
        clean(&event.subject, GLIMPSE)
    );
    line.trim_end().to_owned()
}

fn quarantined_json(body: &Quarantined) -> Value {
    json!({
        "id": body.id.to_string(),
        "received_at": body.received_at.to_rfc3339(),
        "source": body.source.as_str(),
        "reason": body.reason,
        "size": body.size,
        "sha256": body.sha256,
        // Bytes that are not UTF-8 become replacement characters.
        "head": String::from_utf8_lossy(&body.head),
    })
}

fn quarantined_line(body: &Quarantined) -> String {
    format!(
        "{}  {}  {} bytes  {}\n    {}",
        short(body.received_at),
        body.source,
        body.size,
        clean(&body.reason, 200),
        clean(&String::from_utf8_lossy(&body.head), GLIMPSE)
    )
}
