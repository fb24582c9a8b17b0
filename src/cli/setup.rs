//! `nuncio setup`: its flags, and the prompt that answers its questions.

mod terminal;
mod unattended;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::actor::actor;
use crate::cli::start::CannotStart;
use crate::cli::{FAILED, Usage, signals, variables};
use crate::clock::Clock;
use crate::config::Variables;
use crate::setup::{self, Options, Prompt, SetupStop};

use terminal::Terminal;
use unattended::Unattended;

/// The most bytes read from stdin: more than two secrets need.
const LONGEST_STDIN: u64 = 16 * 1024;
/// The variables that stdin may hold.
const SECRETS: [&str; 2] = ["DISCORD_TOKEN", "XTSYSTEMS_API_KEY"];

#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Ask nothing: use the flags, the environment and .env; fail if something is missing or wrong
    #[arg(long)]
    yes: bool,
    /// URL of XTSystems' API
    #[arg(long, value_name = "URL", conflicts_with = "no_xtsystems")]
    xtsystems_url: Option<String>,
    /// Set up without XTSystems: any sender can send signed events
    #[arg(long)]
    no_xtsystems: bool,
    /// Your Discord server, by id or name
    #[arg(long, value_name = "ID")]
    guild: Option<String>,
    /// Channel (id or name) for a group of events: tickets, assets, machines, alerts, default, or any key of the map. Can be
    /// repeated
    #[arg(long = "channel", value_name = "KIND=ID", value_parser = channel)]
    channels: Vec<(String, String)>,
    /// Role (id or name) whose members approve and deny machines. Can be repeated
    #[arg(long = "approver-role", value_name = "ID")]
    approver_roles: Vec<String>,
    /// Role (id or name) whose members may do everything else: tickets, mutes, routes. Can be repeated
    #[arg(long = "operator-role", value_name = "ID")]
    operator_roles: Vec<String>,
    /// URL at which XTSystems reaches this machine
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Port to listen on
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Read secrets from stdin, one per line: `DISCORD_TOKEN=…`, `XTSYSTEMS_API_KEY=…`
    #[arg(long, requires = "yes")]
    secrets_from_stdin: bool,
    /// Create a new signing secret; the previous one stays accepted
    #[arg(long)]
    new_secret: bool,
    /// Ask everything again, with the current values as defaults
    #[arg(long, conflicts_with = "yes")]
    again: bool,
    /// Do not change the webhooks in XTSystems
    #[arg(long)]
    no_register: bool,
    /// Do not send a test event
    #[arg(long)]
    no_test: bool,
}

fn channel(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((kind, channel)) if !kind.is_empty() && !channel.is_empty() => {
            Ok((kind.to_owned(), channel.to_owned()))
        }
        _ => Err("it is KIND=ID, as alerts=123456789012345678".to_owned()),
    }
}

/// Asks, writes `.env`, registers and tests. If the operator wants it, this process becomes `nuncio serve`.
///
/// # Errors
/// If there is no one to ask, or setup stops before it changes anything.
pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if !args.yes && !is_terminal() {
        return Err(Usage(
            "setup asks questions, and this is no terminal. Run it in one, or give everything beforehand: nuncio setup --yes \
             (nuncio setup --help names the flags)"
                .to_owned(),
        )
        .into());
    }
    let mut variables = variables();
    if args.secrets_from_stdin {
        take_secrets(&mut variables)?;
    }
    let mut prompt: Box<dyn Prompt> =
        if args.yes { Box::new(Unattended) } else { Box::new(Terminal::default()) };
    let options = Options {
        folder: PathBuf::new(),
        xtsystems_url: args.xtsystems_url,
        no_xtsystems: args.no_xtsystems,
        guild: args.guild,
        channels: args.channels,
        approver_roles: args.approver_roles,
        operator_roles: args.operator_roles,
        public_url: args.public_url,
        port: args.port,
        new_secret: args.new_secret,
        again: args.again,
        no_register: args.no_register,
        no_test: args.no_test,
        actor: actor(),
    };
    let stop = signals::for_questions()?;
    let done = setup::run(&options, &variables, &Clock::system(), &mut *prompt, &stop).await;
    drop(prompt);
    let outcome = done.map_err(refusal)?;
    if outcome.serves {
        return Err(serve().context("nuncio could not be started: start it with `nuncio`"));
    }
    Ok(if outcome.is_well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// Whether an operator can be asked.
pub(super) fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Without any configuration: sets nuncio up, shows the demo, or neither, as the operator chooses.
///
/// # Errors
/// Those of [`run`] or of the demo.
pub(super) async fn offer() -> anyhow::Result<Option<ExitCode>> {
    match terminal::first_step() {
        Some(terminal::FirstStep::Setup) => run(Args::default()).await.map(Some),
        Some(terminal::FirstStep::Demo) => crate::cli::demo::run().await.map(Some),
        None => Ok(None),
    }
}

/// Reads secrets from stdin; they take precedence over the environment and `.env`.
fn take_secrets(variables: &mut Variables) -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().take(LONGEST_STDIN).read_to_string(&mut text).context("stdin holds no text")?;
    let given = Variables::from_dotenv(&text);
    let mut is_any = false;
    for name in SECRETS {
        if let Some(value) = given.value(name) {
            variables.set(name, Some(value));
            is_any = true;
        }
    }
    if is_any {
        return Ok(());
    }
    Err(Usage("stdin holds neither DISCORD_TOKEN=… nor XTSYSTEMS_API_KEY=…. Nothing was written".to_owned())
        .into())
}

/// The error, and so the exit code, of a setup that stopped before it changed anything.
fn refusal(stop: SetupStop) -> anyhow::Error {
    match stop {
        SetupStop::Missing { .. } => Usage(stop.to_string()).into(),
        SetupStop::Configuration(_) => CannotStart(stop.to_string()).into(),
        stop => anyhow::Error::new(stop),
    }
}

/// Replaces this process with `nuncio serve`. Returns only if that fails, with the reason.
fn serve() -> anyhow::Error {
    match std::env::current_exe() {
        Ok(program) => std::process::Command::new(program).arg(OsString::from("serve")).exec().into(),
        Err(error) => error.into(),
    }
}
