//! XTSystems: whether it is reachable, accepts our key, and sends its events to us.

use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT, calls};
use crate::xtsystems::{CallFailure, PlatformWebhook, XtSystemsClient};

const REGISTER: &str = "Run: nuncio webhooks register (or type /register-webhook in Discord). It makes the webhook in XTSystems or brings it up to date.";

/// All checks of XTSystems.
pub(super) async fn checks(config: &Config, clock: &Clock) -> Vec<Check> {
    let Some(client) = XtSystemsClient::new(&config.xtsystems, clock.clone()) else {
        let found = match &config.webhook.secret {
            Some(_) => {
                "XTSYSTEMS_API_KEY is not set: events come in, and decisions and tickets are not offered."
            }
            None => {
                "Neither WEBHOOK_SECRET nor XTSYSTEMS_API_KEY is set: this nuncio works without XTSystems."
            }
        };
        return vec![Check::ok(Code::Xtsystems, found)];
    };
    let (base, url) = (client.base().to_owned(), config.webhook.url(config.webhook.port));
    let mut checks = Vec::new();
    if config.webhook.secret.is_none() {
        checks.push(match clock.within(LIMIT, client.registration(&url)).await {
            Some(Ok(_)) => Check::ok(
                Code::Xtsystems,
                format!("XTSystems ({base}) takes the key. WEBHOOK_SECRET is not set, so its events are not taken."),
            ),
            Some(Err(failure)) => of_failure(&base, &failure),
            None => unreachable(&base, &format!("it did not answer within {} s", LIMIT.as_secs())),
        });
        return checks;
    }
    if !client.can_reach(&url) {
        checks.push(Check::fail(
            Code::XtsystemsOutOfReach,
            format!("XTSystems ({base}) is not on this machine, so it cannot reach {url}."),
            "Set PUBLIC_URL to the address at which XTSystems reaches nuncio, for example https://nuncio.example.com.",
        ));
    }
    match clock.within(LIMIT, client.registration(&url)).await {
        Some(Ok(registration)) => {
            checks.push(of_registration(registration.as_ref(), &base, &url));
            checks.extend(calls::checks(&client, clock).await);
        }
        Some(Err(failure)) => checks.push(of_failure(&base, &failure)),
        None => checks.push(unreachable(&base, &format!("it did not answer within {} s", LIMIT.as_secs()))),
    }
    checks
}

fn of_registration(registration: Option<&PlatformWebhook>, base: &str, url: &str) -> Check {
    let Some(webhook) = registration else {
        let found =
            format!("XTSystems ({base}) takes the key, but has no webhook that sends to nuncio ({url}).");
        return Check::warn(Code::XtsystemsNotRegistered, found, REGISTER);
    };
    if webhook.url.trim_end_matches('/') != url.trim_end_matches('/') {
        let found =
            format!("The webhook \"{}\" in XTSystems sends to {}, not to {url}.", webhook.name, webhook.url);
        return Check::warn(
            Code::XtsystemsRegisteredElsewhere,
            found,
            format!(
                "If {url} is wrong, correct PUBLIC_URL, WEBHOOK_PORT or WEBHOOK_PATH. Is it right? {REGISTER}"
            ),
        );
    }
    if !webhook.active || webhook.events.is_empty() {
        let why = if webhook.active { "names no events" } else { "is switched off" };
        let found = format!("The webhook \"{}\" in XTSystems {why}: nothing comes in.", webhook.name);
        return Check::fail(Code::XtsystemsRegistrationInactive, found, REGISTER);
    }
    let kinds = webhook.events.join(", ");
    Check::ok(Code::Xtsystems, format!("XTSystems ({base}) takes the key and sends {kinds} to {url}."))
}

pub(crate) fn of_failure(base: &str, failure: &CallFailure) -> Check {
    match failure.status {
        None if failure.platform_reply.is_empty() => {
            let (found, remedy) = failure.outage(base).unwrap_or_default();
            Check::fail(
                Code::XtsystemsUnreachable,
                format!("{found}."),
                format!("{remedy}. Is a firewall between the two?"),
            )
        }
        Some(401 | 403) => Check::fail(
            Code::XtsystemsKeyRefused,
            format!("XTSystems ({base}) refuses XTSYSTEMS_API_KEY: {}.", failure.platform_reply),
            "Make a key in XTSystems that may read and change webhooks, machines and tickets, and put it into XTSYSTEMS_API_KEY.",
        ),
        Some(429) => {
            Check::fail(Code::XtsystemsFailing, format!("{failure}."), "Run nuncio doctor again in a minute.")
        }
        Some(500..) => {
            let (found, remedy) = failure.outage(base).unwrap_or_default();
            Check::fail(
                Code::XtsystemsFailing,
                format!("{found}: {}.", failure.platform_reply),
                format!("{remedy}, then run nuncio doctor again."),
            )
        }
        _ => Check::fail(
            Code::XtsystemsWrongAddress,
            format!("{failure}."),
            format!("XTSYSTEMS_API_URL is {base}: set it to the address of XTSystems' API, without /v1."),
        ),
    }
}

fn unreachable(base: &str, why: &str) -> Check {
    Check::fail(
        Code::XtsystemsUnreachable,
        format!("XTSystems ({base}) does not answer: {why}."),
        "Check XTSYSTEMS_API_URL, whether XTSystems runs, and the network between the two.",
    )
}
