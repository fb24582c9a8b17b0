//! `PUBLIC_URL`: whether it leads to this nuncio, and what a proxy changes in a webhook on the way.

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::code::Code;
use crate::doctor::reach::{CLAIMED, ProbeProof, Prober, Reached};
use crate::doctor::{Check, LIMIT};
use crate::ingress::probe::answer_probes;
use crate::outgoing::is_local;

const PROXY: &str = "Have the proxy pass everything on to WEBHOOK_PORT";

/// All checks of `url`. `ours` is the listener on which this check may answer while no nuncio runs.
pub(super) async fn checks(
    config: &Config,
    url: &str,
    prober: &Prober,
    ours: Option<std::net::TcpListener>,
    clock: &Clock,
) -> Vec<Check> {
    let stop = CancellationToken::new();
    let listener = ours.and_then(|ours| {
        ours.set_nonblocking(true).ok()?;
        TcpListener::from_std(ours).ok()
    });
    let answering = listener.map(|listener| {
        let (key, secret) = (prober.key.clone(), config.webhook.secret.clone());
        let proxies = config.trusted_proxies.clone();
        tokio::spawn(answer_probes(listener, key, secret, proxies, clock.clone(), stop.clone()))
    });
    let checks = asked(config, url, prober).await;
    stop.cancel();
    if let Some(answering) = answering {
        // The port is free again when this ends.
        let _ = answering.await;
    }
    checks
}

async fn asked(config: &Config, url: &str, prober: &Prober) -> Vec<Check> {
    let path = &config.webhook.path;
    match prober.send(&format!("{url}{path}"), LIMIT, false).await {
        Reached::This(proof) => {
            let mut checks = of_way(url, path, &proof);
            if checks.is_empty() {
                let found =
                    format!("PUBLIC_URL ({url}) leads to this nuncio, and webhooks arrive there unchanged.");
                checks.push(Check::ok(Code::PublicUrl, found));
            }
            if !is_listener(config, url) {
                checks.extend(of_sender(&proof));
            }
            checks
        }
        Reached::Other { status, location } => vec![of_other(url, path, status, location, prober).await],
        Reached::Certificate(fault) => vec![Check::fail(
            Code::PublicUrlCertificate,
            format!(
                "PUBLIC_URL ({url}) is not accepted over TLS: {fault}. XTSystems refuses it as well, most likely."
            ),
            "Renew or replace the certificate of the proxy (certbot renew, or its own way), for the name in PUBLIC_URL and with its whole chain.",
        )],
        Reached::Nobody(why) => vec![Check::fail(
            Code::PublicUrlUnreachable,
            format!("Nobody answers at PUBLIC_URL ({url}) when this machine asks: {why}."),
            "Check its name in DNS, the proxy and the firewall. If only this machine cannot reach it, ask from another: curl -i PUBLIC_URL/health",
        )],
    }
}

/// What a proxy changes on the way.
fn of_way(url: &str, path: &str, proof: &ProbeProof) -> Vec<Check> {
    let mut checks = Vec::new();
    if proof.arrived.path != path {
        checks.push(Check::fail(
            Code::PublicUrlPath,
            format!(
                "PUBLIC_URL ({url}) leads to this nuncio, but the proxy changes the path: what is sent to {path} arrives at {}.",
                proof.arrived.path
            ),
            format!("Have the proxy pass the path on as it is (nginx: proxy_pass without a path after the port), or set WEBHOOK_PATH and PUBLIC_URL so that {path} is what arrives."),
        ));
    }
    let lost = proof.lost_headers();
    if !lost.is_empty() {
        checks.push(Check::fail(
            Code::PublicUrlHeaders,
            format!("PUBLIC_URL ({url}) leads to this nuncio, but the proxy drops or changes {}.", lost.join(", ")),
            "Have the proxy pass the headers X-XTSystems-Signature, X-XTSystems-Timestamp and Content-Type on as they are.",
        ));
    }
    if !proof.has_whole_body() {
        checks.push(Check::fail(
            Code::PublicUrlBody,
            format!("PUBLIC_URL ({url}) leads to this nuncio, but the proxy changes the body: no signature holds then."),
            "Have the proxy pass the body on byte for byte: no compression, no rewriting of JSON, no filter.",
        ));
    }
    checks
}

/// Which client address counts for limits and logs.
fn of_sender(proof: &ProbeProof) -> Option<Check> {
    let arrived = &proof.arrived;
    let is_ours = arrived.forwarded_for.as_deref() == Some(CLAIMED);
    let is_marked = arrived.forwarding.iter().any(|name| name != "x-forwarded-for");
    let is_handed_on = is_marked || arrived.forwarded_for.as_deref().is_some_and(|_| !is_ours);
    let peer = &arrived.peer;
    match arrived.is_peer_trusted {
        false if is_handed_on => Some(Check::warn(
            Code::ProxyNotTrusted,
            format!(
                "A proxy at {peer} hands webhooks on, and TRUSTED_PROXIES does not name it: for RATE_LIMIT and the log everybody is {peer}."
            ),
            format!(
                "Set TRUSTED_PROXIES={peer} (with what it names already), then `kill -HUP` nuncio or restart it."
            ),
        )),
        true if arrived.client == CLAIMED => Some(Check::warn(
            Code::ProxyBelievesSenders,
            format!(
                "The proxy at {peer} passes X-Forwarded-For on as senders write it: each chooses the address that counts for RATE_LIMIT."
            ),
            "Have the proxy append the sender's address to X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;), or take the proxy out of TRUSTED_PROXIES.",
        )),
        true if arrived.forwarded_for.is_none()
            && !arrived.forwarding.iter().any(|name| name == "forwarded") =>
        {
            Some(Check::warn(
                Code::ProxyHidesSender,
                format!(
                    "TRUSTED_PROXIES names {peer}, but no X-Forwarded-For comes from there: for RATE_LIMIT and the log everybody is {peer}."
                ),
                "Have the proxy send it (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;).",
            ))
        }
        _ => None,
    }
}

/// The check for an answer that does not prove to be this nuncio's.
async fn of_other(url: &str, path: &str, status: u16, location: Option<String>, prober: &Prober) -> Check {
    if let (300..=399, Some(location)) = (status, location) {
        return Check::fail(
            Code::PublicUrlRedirects,
            format!(
                "PUBLIC_URL ({url}) answers with a redirect ({status}) to {location}, and XTSystems follows none."
            ),
            "Set PUBLIC_URL to where it leads in the end (https in place of http, for instance), then register it: nuncio webhooks register",
        );
    }
    if status == 429 {
        return Check::warn(
            Code::PublicUrl,
            format!("PUBLIC_URL ({url}) was not checked: it has had too many requests from here (429)."),
            "Run doctor again in a few minutes, or raise RATE_LIMIT.",
        );
    }
    if let Reached::This(_) = prober.send(&format!("{url}/health"), LIMIT, false).await {
        return Check::fail(
            Code::PublicUrlPath,
            format!(
                "PUBLIC_URL ({url}) leads to this nuncio, but what is sent to {path} does not: it is answered {status}."
            ),
            format!("{PROXY}, {path} included."),
        );
    }
    if prober.is_nuncio(url, LIMIT).await {
        return Check::fail(
            Code::PublicUrlOtherNuncio,
            format!("PUBLIC_URL ({url}) leads to another nuncio: it does not have this one's key."),
            "Have the proxy lead to this machine's WEBHOOK_PORT, or correct PUBLIC_URL. (A proxy that drops what follows the ? of an address makes this nuncio look like another one.)",
        );
    }
    Check::fail(
        Code::PublicUrlElsewhere,
        format!("Something else than nuncio answers at PUBLIC_URL ({url}{path}: {status})."),
        format!("{PROXY}, or correct PUBLIC_URL."),
    )
}

/// Whether `url` is the listener itself, without a proxy.
fn is_listener(config: &Config, url: &str) -> bool {
    is_local(url) && url.ends_with(&format!(":{}", config.webhook.port))
}
