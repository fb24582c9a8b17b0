//! The door: whether nuncio can listen, and whether its public address leads to it.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use crate::config::{Config, Webhook};
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT, probe};

/// A nuncio on this machine answers at once.
const NEAR: Duration = Duration::from_secs(3);

/// Everything about the door.
pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let webhook = &config.webhook;
    let (port, is_running) = port(webhook).await;
    let mut checks = vec![port];
    if let Some(url) = &webhook.public_url {
        checks.push(public(url, is_running).await);
    }
    checks
}

/// Whether nuncio can listen, and whether a nuncio does already.
pub(crate) async fn port(webhook: &Webhook) -> (Check, bool) {
    let address = SocketAddr::new(webhook.host, webhook.port);
    let error = match TcpListener::bind(address) {
        Ok(_) if webhook.port == 0 => {
            return (Check::ok(Code::Port, "WEBHOOK_PORT is 0: any free port."), false);
        }
        Ok(_) => return (Check::ok(Code::Port, format!("Port {} is free.", webhook.port)), false),
        Err(error) => error,
    };
    let (found, remedy) = cannot_listen(address, &error);
    if error.kind() != ErrorKind::AddrInUse {
        return (Check::fail(Code::AddressUnusable, format!("{found}."), remedy), false);
    }
    let near = SocketAddr::new(reachable(webhook.host), webhook.port);
    if probe::is_nuncio(&format!("http://{near}"), NEAR).await == Ok(true) {
        return (Check::ok(Code::Port, format!("A nuncio listens on port {}.", webhook.port)), true);
    }
    (Check::fail(Code::PortTaken, format!("{found}, and it is not nuncio."), remedy), false)
}

/// Whether `PUBLIC_URL` leads to a nuncio. Without one that listens, whatever stands before it has nothing to pass on.
async fn public(url: &str, is_running: bool) -> Check {
    if !is_running {
        return Check::ok(
            Code::PublicUrl,
            format!("PUBLIC_URL is {url}; it is tried while nuncio is running."),
        );
    }
    match probe::is_nuncio(url, LIMIT).await {
        Ok(true) => Check::ok(Code::PublicUrl, format!("PUBLIC_URL ({url}) leads to a nuncio.")),
        Ok(false) => Check::fail(
            Code::PublicUrlElsewhere,
            format!("Something else than nuncio answers at PUBLIC_URL ({url}/health)."),
            "Have the proxy pass everything on to WEBHOOK_PORT, or correct PUBLIC_URL.",
        ),
        Err(why) => Check::fail(
            Code::PublicUrlUnreachable,
            format!("Nobody answers at PUBLIC_URL ({url}) when this machine asks: {why}."),
            "Check its name in DNS, the proxy and the firewall. If only this machine cannot reach it, ask from another: curl -i PUBLIC_URL/health",
        ),
    }
}

/// Where a listener on `host` is reached from this machine.
pub(crate) fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        named => named,
    }
}

/// Why nuncio cannot listen on `address`, without a full stop, and what to do.
#[must_use]
pub fn cannot_listen(address: SocketAddr, error: &Error) -> (String, String) {
    let (host, port) = (address.ip(), address.port());
    match error.kind() {
        ErrorKind::AddrInUse => (
            format!("Port {port} is in use (`ss -ltnp 'sport = :{port}'` shows by which program)"),
            "Stop that program, or set WEBHOOK_PORT to another port.".to_owned(),
        ),
        ErrorKind::AddrNotAvailable => (
            format!("WEBHOOK_HOST is {host}, which is no address of this machine (`ip address` lists them)"),
            "Set it to one of them, or to 0.0.0.0 for all.".to_owned(),
        ),
        ErrorKind::PermissionDenied => (
            format!("This user may not listen on port {port}: ports below 1024 need a privilege"),
            "Set WEBHOOK_PORT to 1024 or more and put a proxy in front, or grant the privilege (systemd: \
             AmbientCapabilities=CAP_NET_BIND_SERVICE)."
                .to_owned(),
        ),
        _ => (
            format!("nuncio cannot listen on {address} ({error})"),
            "Set WEBHOOK_HOST and WEBHOOK_PORT.".to_owned(),
        ),
    }
}
