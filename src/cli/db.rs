//! `nuncio db`: online backup, restore, integrity check, and export as JSON lines.

use crate::model::RowResult;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::app;
use crate::cli::progress::Progress;
use crate::cli::{FAILED, audit, corrupt, database, deliveries, print, say};
use crate::clock::Clock;
use crate::config::{Config, EncryptionKey};
use crate::key;
use crate::model::payload;
use crate::store::{self, HintSender, Lock, Staged, Store, WholeEvent};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Copy the database into a new file, also while nuncio runs; the copy does not contain the key
    Backup {
        /// The file to make
        file: PathBuf,
    },
    /// Replace the database with a backup and keep the old one next to it; nuncio must be stopped
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Check the database and its audit log: exit code 0 if both are intact, 1 if not
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print events, deliveries and the audit log as JSON lines, without secrets
    Export,
}

/// Runs the subcommand.
///
/// # Errors
/// If the database cannot be used.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Backup { file } => backup(&config, file),
        Command::Restore { file } => restore(&config, file).await,
        Command::Check { json } => check(&config, *json).await,
        Command::Export => export(&config).await,
    }
}

fn backup(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let database = &config.database.path;
    store::must_exist(database)?;
    let progress = Progress::new("copying the database");
    let bytes = store::backup(database, file)?;
    drop(progress);
    print(&format!("{} holds all of {}: {bytes} bytes", file.display(), database.display()));
    say(&match &config.encryption {
        EncryptionKey::Given(_) => {
            "NUNCIO_ENCRYPTION_KEY is not in it. Keep a copy of the key elsewhere: without it the backup's audit log cannot \
             be verified and its stored webhooks cannot be used."
                .to_owned()
        }
        EncryptionKey::File { path, .. } => format!(
            "The key ({}) is not in it. Keep a copy of the key elsewhere: without it the backup's audit log cannot be \
             verified and its stored webhooks cannot be used.",
            path.display()
        ),
    });
    Ok(ExitCode::SUCCESS)
}

async fn restore(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let (clock, database) = (Clock::system(), &config.database.path);
    anyhow::ensure!(file.is_file(), "there is no backup {}. Nothing was changed", file.display());
    // Refused while a server holds the lock.
    let lock = Lock::acquire(database, &clock).await?;
    let progress = Progress::new("checking the backup");
    let found = looked_over(file)?;
    drop(progress);
    if !found.is_empty() {
        say(&format!("{} is damaged, so nothing was changed:", file.display()));
        found.iter().for_each(|line| say(&format!("  {line}")));
        return Ok(ExitCode::from(FAILED));
    }
    let progress = Progress::new("copying the backup");
    let staged = Staged::copy(file, database, &lock)?;
    // Opening the copy shows whether this version can read it, before anything is moved.
    let (hints, _nobody) = HintSender::channel();
    let copy = Store::open(staged.path(), clock.clone(), hints).await?;
    let fits = app::unlock(&copy, &config.encryption).await;
    let backlog = copy.backlog().await;
    copy.close().await;
    let backlog = backlog?;
    let aside = staged.take_place(clock.now())?;
    drop((lock, progress));
    print(&format!("Restored {} from {}.", database.display(), file.display()));
    if let Some(aside) = aside {
        print(&format!("The database from before is kept as {}.", aside.display()));
    }
    let waiting = backlog.pending + backlog.sending;
    if waiting > 0 {
        say(&format!(
            "{waiting} deliveries wait in the backup. nuncio sends them at its next start. Those that were delivered \
             after the backup was made are shown twice."
        ));
    }
    match fits {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if is_about_the_key(&error) => {
            say(&format!("nuncio does not start on it yet: {error}"));
            Ok(ExitCode::from(FAILED))
        }
        Err(error) => Err(error),
    }
}

fn is_about_the_key(error: &anyhow::Error) -> bool {
    error.is::<key::Error>() || matches!(error.downcast_ref(), Some(store::Error::OtherKey(_)))
}

async fn check(config: &Config, as_json: bool) -> anyhow::Result<ExitCode> {
    let database = &config.database.path;
    store::must_exist(database)?;
    let progress = Progress::new("checking the database");
    let found = looked_over(database)?;
    let log = match found.is_empty() {
        true => audit_log(config).await,
        false => Err("not checked: repair the database first".to_owned()),
    };
    drop(progress);
    let is_well = found.is_empty() && log.is_ok();
    if as_json {
        let (entries, fault) = match &log {
            Ok(entries) => (Some(entries), None),
            Err(fault) => (None, Some(fault)),
        };
        print(
            &json!({"ok": is_well, "database": found, "audit_entries": entries, "audit_fault": fault})
                .to_string(),
        );
    } else {
        match found.is_empty() {
            true => print("database   ok"),
            false => found.iter().for_each(|line| print(&format!("database   WRONG: {line}"))),
        }
        match &log {
            Ok(entries) => print(&format!("audit log  ok, {entries} entries")),
            Err(fault) => print(&format!("audit log  WRONG: {fault}")),
        }
    }
    if !found.is_empty() {
        say(
            "The disk, or another program, changed the file. Stop nuncio and restore a backup (nuncio db restore \
             FILE), or save what can be read with: sqlite3 FILE .recover",
        );
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The integrity problems of a database; a database that cannot be read at all has one more.
fn looked_over(database: &Path) -> store::Result<Vec<String>> {
    match store::inspect(database) {
        Err(store::Error::Damaged(why)) => Ok(vec![why]),
        found => found,
    }
}

/// The number of entries in the audit log, or what is wrong with it.
async fn audit_log(config: &Config) -> Result<u64, String> {
    let verify = async {
        let store = database::open(config, Clock::system()).await?;
        app::unlock(&store, &config.encryption).await?;
        let verified = store.verify_audit(None).await?;
        store.close().await;
        anyhow::Ok(verified)
    };
    match verify.await {
        Ok(verified) => match verified.fault {
            None => Ok(verified.entries),
            Some(fault) => Err(fault.to_string()),
        },
        Err(error) => Err(format!("{error:#}")),
    }
}

async fn export(config: &Config) -> anyhow::Result<ExitCode> {
    store::must_exist(&config.database.path)?;
    let clock = Clock::system();
    let now = clock.moment();
    let store = database::open(config, clock).await?;
    let progress = Progress::beside_output("printing events, deliveries and the audit log");
    let mut after = Some(0);
    while let Some(place) = after {
        let (page, next) = store.events_from(place).await?;
        page.iter().for_each(|event| line("event", event_json(event)));
        after = next;
    }
    let mut after = Some(0);
    while let Some(place) = after {
        let (page, next) = store.deliveries_from(place).await?;
        page.iter().for_each(|letter| line("delivery", deliveries::json_of(letter, now)));
        after = next;
    }
    let mut after = Some(0);
    while let Some(place) = after {
        let (page, next) = store.audited_from(place).await?;
        page.iter().for_each(|entry| line("audit", audit::as_json(entry)));
        after = next;
    }
    drop(progress);
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn line(what: &str, row: Value) {
    let mut line = json!({"type": what});
    if let (Some(line), Value::Object(row)) = (line.as_object_mut(), row) {
        line.extend(row);
    }
    print(&line.to_string());
}

fn event_json(event: &RowResult<WholeEvent>) -> Value {
    let WholeEvent { event, unrouted, body } = match event {
        Ok(event) => event,
        Err(row) => return corrupt::json(row),
    };
    // A body that is not JSON was never accepted as an event. If one is there, its content is unknown: it becomes null.
    let body: Option<Value> = serde_json::from_slice(body).ok();
    json!({
        "id": event.id.to_string(),
        "received_at": event.received_at.to_rfc3339(),
        "occurred_at": event.occurred_at.to_rfc3339(),
        "source": event.source.as_str(),
        "kind": event.kind.as_str(),
        "company_id": event.company,
        "subject": event.subject,
        "unrouted": unrouted,
        "body": body.map(|body| payload::without_secrets(&body).0),
    })
}
