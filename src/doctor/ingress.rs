//! Ingress: whether nuncio can listen, and whether its public address leads to it.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, WebhookConfig};
use crate::doctor::code::Code;
use crate::doctor::files;
use crate::doctor::reach::{ProbeProof, Prober, Reached};
use crate::doctor::{Check, probe, public};
use crate::key::Key;

/// The time limit for a nuncio on this machine, which answers at once.
pub(super) const NEAR: Duration = Duration::from_secs(3);

/// The findings about ingress.
#[derive(Default)]
pub(super) struct IngressChecks {
    pub(super) checks: Vec<Check>,
    /// What this nuncio proves and reports about itself, if it runs.
    pub(super) running: Option<Box<ProbeProof>>,
}

/// The program that listens on the port.
enum Port {
    /// None: the port is ours as long as this listener is kept.
    Free(TcpListener),
    /// This nuncio.
    This(Box<ProbeProof>),
    /// A nuncio that could not prove which one it is.
    Unproven,
    /// Another program, or the address cannot be listened on.
    NotOurs,
    /// `WEBHOOK_PORT` is 0: any free port.
    Any,
}

/// All checks of ingress. `key` is this nuncio's, if readable; `is_served` is true if a process holds the database.
pub(super) async fn checks(
    config: &Config,
    key: Option<&Key>,
    is_served: bool,
    clock: &Clock,
) -> IngressChecks {
    let webhook = &config.webhook;
    let prober = key.map(|key| Prober::new(key, clock));
    let (check, port) = port(webhook, prober.as_ref()).await;
    let mut checks = vec![check];
    if let (Some(admin), false) = (config.api.admin_listen, is_served)
        && let Err(error) = TcpListener::bind(admin)
    {
        checks.push(Check::fail(
            Code::AddressUnusable,
            format!("ADMIN_LISTEN is {admin}, and nuncio cannot listen there ({error})."),
            "Name an address of this machine and a free port, or leave it out: then the API is on the port of the webhooks.",
        ));
    }
    if let (Port::Free(_), true) = (&port, is_served) {
        checks.push(Check::warn(
            Code::PortNotServed,
            format!("A nuncio is running on this database, but not on port {}: it was started with other variables.", webhook.port),
            "Restart it: WEBHOOK_HOST and WEBHOOK_PORT count from the start.",
        ));
    }
    if let Port::This(proof) = &port
        && !proof.uses(webhook.secret.as_ref())
    {
        checks.push(Check::fail(
            Code::SecretStale,
            "The nuncio that runs has another WEBHOOK_SECRET than this configuration: it refuses what is signed with this one.",
            "`kill -HUP` nuncio or restart it. If it gets its variables from somewhere else (systemd, Docker), \
             run doctor with the same.",
        ));
    }
    if let Some(url) = &webhook.public_url {
        checks.extend(public_url(config, url, prober.as_ref(), &port, clock).await);
    }
    let running = if let Port::This(proof) = port { Some(proof) } else { None };
    IngressChecks { checks, running }
}

/// The checks of [`public`], if a program can answer there.
async fn public_url(
    config: &Config,
    url: &str,
    prober: Option<&Prober>,
    port: &Port,
    clock: &Clock,
) -> Vec<Check> {
    let untried = |why: &str| {
        vec![Check::ok(
            Code::PublicUrlUntried,
            format!("PUBLIC_URL is {url}; it is not tried, because {why}."),
        )]
    };
    match (port, prober) {
        (Port::Any, _) => untried("WEBHOOK_PORT is 0"),
        (Port::NotOurs, _) => untried("this nuncio does not have its port"),
        (_, None) | (Port::Unproven, _) => untried("the nuncio that listens could not prove which one it is"),
        (Port::Free(listener), Some(prober)) => {
            public::checks(config, url, prober, listener.try_clone().ok(), clock).await
        }
        (Port::This(_), Some(prober)) => public::checks(config, url, prober, None, clock).await,
    }
}

/// Whether nuncio can listen, and whether this nuncio already listens there. Another one, with another key, is a
/// failure; without a key yet, every nuncio is another one.
pub(crate) async fn port_of(config: &Config, clock: &Clock) -> (Check, bool) {
    let key = files::read_key(config).ok().flatten().unwrap_or_else(Key::random);
    let (check, port) = port(&config.webhook, Some(&Prober::new(&key, clock))).await;
    (check, matches!(port, Port::This(_) | Port::Unproven))
}

/// Whether nuncio can listen, and whether a nuncio already does.
async fn port(webhook: &WebhookConfig, prober: Option<&Prober>) -> (Check, Port) {
    let (address, port) = (SocketAddr::new(webhook.host, webhook.port), webhook.port);
    let error = match TcpListener::bind(address) {
        Ok(_) if port == 0 => return (Check::ok(Code::Port, "WEBHOOK_PORT is 0: any free port."), Port::Any),
        Ok(listener) => {
            return (Check::ok(Code::Port, format!("Port {port} is free.")), Port::Free(listener));
        }
        Err(error) => error,
    };
    let (found, remedy) = cannot_listen(address, &error);
    if error.kind() != ErrorKind::AddrInUse {
        return (Check::fail(Code::AddressUnusable, format!("{found}."), remedy), Port::NotOurs);
    }
    let near = near(webhook);
    let answer = match prober {
        Some(prober) => Some(prober.send(&format!("{near}{}", webhook.path), NEAR, true).await),
        None => None,
    };
    let is_busy = matches!(answer, Some(Reached::Other { status: 429, .. }));
    if let Some(Reached::This(proof)) = answer {
        return (
            Check::ok(Code::Port, format!("A nuncio listens on port {port}, and it is this one.")),
            Port::This(proof),
        );
    }
    match probe::is_nuncio(&near, NEAR).await {
        Ok(true) if is_busy || prober.is_none() => {
            let why = if is_busy {
                "it has had too many requests from here"
            } else {
                "there is no key to ask it with"
            };
            (
                Check::ok(
                    Code::Port,
                    format!("A nuncio listens on port {port}; which one is not known: {why}."),
                ),
                Port::Unproven,
            )
        }
        Ok(true) => (
            Check::fail(
                Code::OtherNuncio,
                format!("{found}: by another nuncio, which has another key than this one."),
                "Stop that one, or set WEBHOOK_PORT to another port. If it should be this one, it was started in another folder: \
                 run doctor there.",
            ),
            Port::NotOurs,
        ),
        _ => (Check::fail(Code::PortTaken, format!("{found}, and it is not nuncio."), remedy), Port::NotOurs),
    }
}

/// The URL at which this machine reaches a nuncio with this configuration.
pub(super) fn near(webhook: &WebhookConfig) -> String {
    format!("http://{}", SocketAddr::new(reachable(webhook.host), webhook.port))
}

/// The address at which this machine reaches a listener on `host`.
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
