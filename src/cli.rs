//! The command line: parses the command, runs it, and maps its result to an exit code.
//!
//! Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration.
//! Every command is a file in `cli/` with a `run` that returns an exit code or an error to print.

mod actor;
mod audit;
mod clock;
mod config;
mod console;
mod core_dump;
mod corrupt;
mod database;
mod db;
mod deliveries;
mod demo;
mod discord_webhooks;
mod dispatch;
mod doctor;
mod event_show;
mod event_state;
mod events;
mod health;
mod help;
mod hub_error;
mod id_lookup;
mod keys;
mod mute;
mod output;
mod progress;
mod redeliver;
mod reload;
mod runtime_kick;
mod sandbox;
mod send;
mod serve;
mod setup;
mod signals;
mod start;
mod supervisor;
mod table;
mod verify;
mod webhooks;

use std::path::Path;
use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser, Subcommand};

use crate::app::CannotListen;
use crate::config::{Config, Entrance, Report, Variables};
use crate::key;
use crate::store;

use output::{counted, print, say};
use start::CannotStart;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
/// `EX_CONFIG` of BSD's `sysexits.h`.
const CONFIGURATION: u8 = 78;

/// Signed events in, Discord messages out, decisions back.
#[derive(Debug, Parser)]
#[command(name = "nuncio", version, about, max_term_width = 100)]
#[command(
    after_help = "Without a command, nuncio serves. It is configured by .env in the working directory; see .env.example."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive events and send them to Discord (the default)
    Serve,
    /// Set nuncio up: asks for what is missing, checks every answer, writes .env and sends a test event
    Setup(Box<setup::Args>),
    /// Show nuncio at work, with a built-in Discord and XTSystems and a short story
    Demo,
    /// Run a built-in Discord and XTSystems for testing any bot; prints their addresses as JSON
    Sandbox {
        /// Port to listen on (default: any free port)
        #[arg(long)]
        port: Option<u16>,
        /// The bot's permissions, as the number in its invite link; 8 is all
        #[arg(long)]
        permissions: Option<u64>,
    },
    /// Sign an event and post it, like XTSystems
    Send(send::Args),
    /// Check the signature of a request and name the wrong part; reads the body from stdin
    Verify(verify::Args),
    /// List received events, or signed requests that cannot be read
    Events(events::Args),
    /// List the audit log (decisions, clicks, commands), or check that it is unchanged
    Audit(audit::Args),
    /// Show this machine's time, or confirm it when nuncio doubts it
    Clock(clock::Args),
    /// Show each variable's value and where it is set, without secrets; also works with a wrong configuration
    Config(config::Args),
    /// Print a one-time link that opens the console of the running nuncio in a browser
    Console(console::Args),
    /// Check the whole setup: what is wrong, and what to do. Works with and without a running nuncio. Writes nothing without
    /// --fix, and sends nothing without --send
    Doctor(doctor::Args),
    /// Back up, restore, check or export the database
    Db(db::Args),
    /// Report what happened on a hosting platform to its stored Discord webhooks
    Dispatch(dispatch::Args),
    /// List deliveries: waiting, delivered, or given up and why
    Deliveries(deliveries::Args),
    /// Manage Discord webhooks as destinations
    DiscordWebhooks(discord_webhooks::Args),
    /// Mute a kind of event for a while; at the end one card sums up what was not shown
    Mute(mute::Args),
    /// End a mute
    Unmute(mute::UnmuteArgs),
    /// Check the health of the nuncio on this machine: one line, exit code 0 or 1
    Health(health::Args),
    /// Manage the keys of the API
    Keys(keys::Args),
    /// Print the completion script of a shell
    Completions(help::CompletionsArgs),
    /// Print the man page, or write one for each command
    Man(help::ManArgs),
    /// Send deliveries again: given up, delivered, or without a route when the event came
    Redeliver(redeliver::Args),
    /// Manage the webhooks of XTSystems: register this nuncio; list, change, test or delete one
    Webhooks(webhooks::Args),
}

/// Wrong usage that only the command itself can detect, not the argument parser.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Runs the program with the arguments and the environment of this process.
#[must_use]
pub fn run() -> ExitCode {
    let typed = help::command().try_get_matches();
    let command = match typed.and_then(|typed| Cli::from_arg_matches(&typed)) {
        Ok(cli) => cli.command,
        Err(error) => {
            output::print_clap(&error);
            let code = u8::try_from(error.exit_code()).unwrap_or(USAGE);
            return ended(output::written().map(|()| ExitCode::from(code)));
        }
    };
    // Before any variable is read: variables hold secrets.
    let notes = if matches!(command, None | Some(Command::Serve)) { core_dump::forbid() } else { Vec::new() };
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .and_then(|runtime| runtime_kick::start(runtime.handle()).map(|()| runtime))
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(perform(command, notes)));
    ended(result.and_then(|code| output::written().map(|()| code)))
}

/// The exit code of a result; prints an error to stderr.
fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        let code = exit_code(&error);
        let prefix = if code == CONFIGURATION { "" } else { "nuncio: " };
        say(&format!("{prefix}{error:#}"));
        ExitCode::from(code)
    })
}

/// Runs one command to its end; `notes` are warnings for a server's log.
async fn perform(command: Option<Command>, notes: Vec<String>) -> anyhow::Result<ExitCode> {
    let Some(command) = command else {
        if setup::is_terminal()
            && variables().is_bare()
            && store::entrance_of(&variables()) == Entrance::Configured
            && let Some(code) = setup::offer().await?
        {
            return Ok(code);
        }
        return serve::run(variables(), notes).await;
    };
    match command {
        Command::Serve => serve::run(variables(), notes).await,
        Command::Setup(args) => setup::run(*args).await,
        Command::Demo => demo::run().await,
        Command::Sandbox { port, permissions } => sandbox::run(port, permissions).await,
        Command::Send(args) => send::run(args, &variables()).await,
        Command::Verify(args) => verify::run(&args, &variables()),
        Command::Events(args) => events::run(&args, config()?).await,
        Command::Audit(args) => audit::run(&args, config()?).await,
        Command::Clock(args) => clock::run(&args, config()?).await,
        Command::Console(args) => console::run(&args, Config::from_variables(&variables())?).await,
        Command::Config(args) => Ok(config::run(&args, &variables())),
        Command::Doctor(args) => Ok(doctor::run(&args, &variables()).await),
        Command::Db(args) => db::run(&args, config()?).await,
        Command::Health(args) => health::run(&args, &variables()),
        // The first key need not exist yet.
        Command::Keys(args) => keys::run(args, Config::read(&variables(), Entrance::StoredKey)?).await,
        Command::Completions(args) => Ok(help::complete(&args)),
        Command::Man(args) => help::man(&args),
        Command::Dispatch(args) => dispatch::run(args, config()?).await,
        Command::Deliveries(args) => deliveries::run(&args, config()?).await,
        Command::DiscordWebhooks(args) => discord_webhooks::run(args, config()?).await,
        Command::Mute(args) => mute::run(&args, config()?).await,
        Command::Unmute(args) => mute::unmute(&args, config()?).await,
        Command::Redeliver(args) => redeliver::run(&args, config()?).await,
        Command::Webhooks(args) => webhooks::run(args, config()?).await,
    }
}

/// The configuration of this process, if a server would start with it.
fn config() -> Result<Config, Report> {
    let variables = variables();
    Config::read(&variables, store::entrance_of(&variables))
}

/// The variables of this process and of `.env` in the working directory.
fn variables() -> Variables {
    Variables::load(Path::new(""))
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Report>()
        || error.is::<key::Error>()
        || error.is::<CannotStart>()
        || error.is::<CannotListen>()
    {
        CONFIGURATION
    } else if error.is::<Usage>() {
        USAGE
    } else {
        error.downcast_ref().map_or(FAILED, exit_code_of)
    }
}

/// The exit code of a store error: 78 where a restart cannot help, so that supervisors do not try
/// (systemd: `RestartPreventExitStatus=78`).
fn exit_code_of(error: &store::Error) -> u8 {
    if error.needs_a_person() { CONFIGURATION } else { FAILED }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
