//! `nuncio discord-webhooks import`: the webhooks of the old dispatcher, from its database or a file of it.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::cli::discord_webhooks::by;
use crate::cli::progress::Progress;
use crate::cli::{FAILED, Usage, print, say, table};
use crate::clock::Clock;
use crate::config::edit;
use crate::discord_webhooks::{DiscordWebhooks, ImportOptions, Importer, read_csv, read_json, read_postgres};

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// postgres://… of the old application, or a file: .json or .csv with the columns of its table `discord_webhooks`
    #[arg(long, value_name = "SOURCE")]
    from: String,
    /// Host of your proxy for Discord, if the old addresses lead through one: they become Discord's own
    #[arg(long, value_name = "HOST")]
    proxy_host: Option<String>,
    /// Id of the company that they belong to, if API keys have companies
    #[arg(long, value_name = "COMPANY_ID", default_value = "")]
    company: String,
    /// Only show what would be stored (the default)
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Store them
    #[arg(long)]
    yes: bool,
    /// Name of the old dispatcher: prints the settings with which messages look like its own
    #[arg(long, value_name = "NAME")]
    brand: Option<String>,
    /// Icon of its messages
    #[arg(long, value_name = "URL", requires = "brand")]
    brand_icon: Option<String>,
    /// Footer of its messages (default: the name)
    #[arg(long, value_name = "TEXT", requires = "brand")]
    brand_footer: Option<String>,
}

pub(super) async fn run(webhooks: &DiscordWebhooks, clock: &Clock, args: Args) -> anyhow::Result<ExitCode> {
    let rows = read(&args.from, clock).await?;
    let options = ImportOptions { proxy_host: args.proxy_host.clone(), company: args.company.clone() };
    let (is_dry, by) = (args.dry_run || !args.yes, by("import"));
    let mut importer = Importer::new(webhooks, is_dry, &by).await?;
    {
        let progress = Progress::new("asking Discord about each webhook");
        let all = rows.len() as u64;
        for (number, row) in (1..).zip(&rows) {
            importer.take(&format!("row {number}"), row, &options).await?;
            progress.set(number, all);
        }
    }
    let report = importer.finish();
    for fault in &report.faults {
        say(&table::clean(fault, 300));
    }
    print(&report.summary());
    if is_dry {
        say("Nothing was stored. The same command with --yes stores what is alive.");
    } else {
        say(&format!("{} stored. nuncio discord-webhooks list shows them.", report.stored));
    }
    if let Some(lines) = brand(&args) {
        say(
            "With these settings in .env, messages look like the old dispatcher's (then `kill -HUP` nuncio or restart it):",
        );
        print(lines.trim_end());
    }
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

async fn read(source: &str, clock: &Clock) -> anyhow::Result<Vec<Value>> {
    if source.starts_with("postgres://") || source.starts_with("postgresql://") {
        // It holds a password, so it is not repeated.
        let rows = read_postgres(source, clock).await;
        return rows.map_err(|why| anyhow::anyhow!("the old database cannot be read: {why}"));
    }
    let unreadable = |why: String| Usage(format!("{}: {why}", table::clean(source, 200)));
    let path = Path::new(source);
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > LARGEST {
        return Err(unreadable("it is larger than 64 MiB".to_owned()).into());
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let rows = if is_csv { read_csv(&text) } else { read_json(&text) };
    Ok(rows.map_err(|why| unreadable(why.to_string()))?)
}

/// The lines of `.env` for the old look.
fn brand(args: &Args) -> Option<String> {
    let name = args.brand.clone()?;
    let mut values = vec![("DISPATCH_NAME", name)];
    values.extend(args.brand_icon.clone().map(|icon| ("DISPATCH_ICON_URL", icon)));
    values.extend(args.brand_footer.clone().map(|footer| ("DISPATCH_FOOTER", footer)));
    edit("", &values).map(|edited| edited.text)
}
