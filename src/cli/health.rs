//! `nuncio health`: asks the nuncio on this machine for its health, for container health checks.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cli::{Usage, print};
use crate::config::{Variables, WebhookConfig};

/// The time limit: container health checks allow a few seconds.
const DEADLINE: Duration = Duration::from_secs(3);
/// The most bytes read of an answer: these endpoints answer with less.
const LONGEST: u64 = 16 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Check only that the process runs, not that it can store events
    #[arg(long)]
    live: bool,
    /// Port, if the configuration does not set it
    #[arg(long)]
    port: Option<u16>,
}

/// Asks, and prints one line: exit 0 if all is well, 1 if not. Sets up no TLS, no HTTP client and no database.
///
/// # Errors
/// If no nuncio answers, or the answer is not good.
pub(super) fn run(args: &Args, variables: &Variables) -> anyhow::Result<ExitCode> {
    let listens = WebhookConfig::address(variables)?;
    let port = args.port.unwrap_or(listens.port());
    if port == 0 {
        return Err(Usage("WEBHOOK_PORT is 0, any free one: name the port with --port".to_owned()).into());
    }
    let address = SocketAddr::new(reachable(listens.ip()), port);
    let path = if args.live { "/health/live" } else { "/health/ready" };
    let status = ask(address, path)?;
    match status.as_str() {
        "200" => print(&format!("ok: http://{address}{path}")),
        "503" => bail!("nuncio runs, but cannot store events: `curl http://{address}/health` says why"),
        _ => bail!("http://{address}{path} answered {status}: is that program nuncio?"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The address at which this machine reaches a listener on `host`.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        named => named,
    }
}

/// The HTTP status of the answer to `path`.
fn ask(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let nobody = || format!("no nuncio answers at {address} (WEBHOOK_HOST, WEBHOOK_PORT)");
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).with_context(nobody)?;
    stream.set_read_timeout(Some(DEADLINE)).and_then(|()| stream.set_write_timeout(Some(DEADLINE)))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    stream
        .write_all(request.as_bytes())
        .and_then(|()| stream.take(LONGEST).read_to_end(&mut answer))
        .with_context(nobody)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next());
    Ok(status.unwrap_or("something that is not HTTP").to_owned())
}
