//! `nuncio console`: prints a one-time link that opens the console in a browser. There is no password.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use anyhow::bail;

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::{Usage, database, print, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::hub::Hub;
use crate::model::By;
use crate::store::{EndedSessions, Lock};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End all sessions of the console and all unused links, everybody's, and print no link
    #[arg(long)]
    sign_everybody_out: bool,
}

/// Prints the link of the running server's console, alone on stdout.
///
/// # Errors
/// If no server runs, or the database or its key cannot be used.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    if !args.sign_everybody_out && !Lock::is_held(&config.database.path) {
        bail!(
            "nuncio is not running here, so there is no console to open. Start it (nuncio serve, or systemctl start \
             nuncio), then run nuncio console again. If it runs in another folder, run the command there"
        );
    }
    let base = if args.sign_everybody_out { String::new() } else { base(&config)? };
    let clock = Clock::system();
    let store = database::open(&config, clock.clone()).await?;
    app::unlock(&store, &config.encryption).await?;
    let hub =
        Hub::beside_server(store.clone(), clock.clone(), config.routes.clone(), config.pings.clone()).await?;
    let done =
        if args.sign_everybody_out { sign_everybody_out(&hub).await } else { print_link(&hub, &base).await };
    store.close().await;
    done
}

async fn print_link(hub: &Hub, base: &str) -> anyhow::Result<ExitCode> {
    let link = hub.console_link(&By::new(actor(), "console.link")).await.map_err(at_shell)?;
    print(&format!("{base}/console/link/{}", link.secret().expose()));
    say(
        "Open this link in your browser within 10 minutes. It signs in once: treat it like a password. If the address \
         does not lead here, set PUBLIC_URL, or open it through an SSH tunnel.",
    );
    Ok(ExitCode::SUCCESS)
}

async fn sign_everybody_out(hub: &Hub) -> anyhow::Result<ExitCode> {
    let by = By::new(actor(), "console.sign-everybody-out");
    let ended = hub.end_console_sessions(EndedSessions::All, &by).await.map_err(at_shell)?;
    print(&match ended {
        0 => "Nobody was signed in. Unused links do not work any more.".to_owned(),
        1 => "1 session has ended. Unused links do not work any more.".to_owned(),
        ended => format!("{ended} sessions have ended. Unused links do not work any more."),
    });
    Ok(ExitCode::SUCCESS)
}

/// Where a browser finds the console: at `ADMIN_LISTEN`, at `PUBLIC_URL`, or on this machine.
fn base(config: &Config) -> anyhow::Result<String> {
    let (admin, webhook) = (config.api.admin_listen, &config.webhook);
    match (admin, &webhook.public_url) {
        (Some(admin), _) => local(admin, "ADMIN_LISTEN"),
        (None, Some(url)) => Ok(url.clone()),
        (None, None) => local(SocketAddr::new(webhook.host, webhook.port), "WEBHOOK_PORT"),
    }
}

/// The address of a listener, as a browser on this machine writes it.
fn local(address: SocketAddr, variable: &str) -> anyhow::Result<String> {
    let port = address.port();
    if port == 0 {
        let text = format!(
            "{variable} leaves the port to the system, so its console is at no known address: name a port there"
        );
        return Err(Usage(text).into());
    }
    Ok(match address.ip() {
        ip if ip.is_unspecified() || ip.is_loopback() => format!("http://localhost:{port}"),
        IpAddr::V4(ip) => format!("http://{ip}:{port}"),
        IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
    })
}
