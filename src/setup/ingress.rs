//! Ingress: the secret that signs events, the port, and the public address.

use crate::config::{Config, InvalidValue, fresh_secret};
use crate::doctor::{self, State};
use crate::setup::draft::{PORT, PREVIOUS, PUBLIC_URL, SECRET};
use crate::setup::platform::refuse;
use crate::setup::{PromptQuestion, Setup, SetupStop};
use crate::xtsystems::XtSystemsClient;

/// Keeps a good secret, and makes one otherwise.
pub(super) fn secret(setup: &mut Setup<'_>) {
    let before = setup.draft.value(SECRET).map(str::to_owned);
    match before {
        Some(_) if !setup.options.new_secret => return setup.keep("the secret in WEBHOOK_SECRET"),
        Some(before) => setup.draft.set(PREVIOUS, &before),
        None => {}
    }
    setup.draft.set(SECRET, fresh_secret().expose());
    setup.say("Made a secret to sign events with: 32 random bytes.");
}

pub(super) async fn ask(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    port(setup).await?;
    public_url(setup)
}

async fn port(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    let question = PromptQuestion {
        text: "Port to listen on:",
        help: "A proxy that speaks HTTPS goes before it.",
        instead: "--port",
    };
    let mut is_known = setup.draft.value(PORT).is_some() && !setup.options.again;
    if let Some(port) = setup.options.port {
        setup.draft.set(PORT, &port.to_string());
        is_known = true;
    }
    let mut is_new = setup.options.port.is_some();
    loop {
        if !is_known {
            let default = setup.draft.value(PORT).unwrap_or("3000").to_owned();
            let typed = setup.prompt.text(&question, Some(&default))?;
            if let Err(wrong) = checked_port(&typed) {
                refuse(setup, "The port", &wrong)?;
                continue;
            }
            setup.draft.set(PORT, typed.trim());
            is_new = true;
        }
        let (check, _) = doctor::ingress::port_of(&setup.draft.config()?, setup.clock).await;
        if check.state != State::Fail {
            let sentence = check.found.trim_end_matches('.').to_owned();
            if is_new {
                setup.say(&format!("{sentence}."))
            } else {
                setup.keep(&sentence)
            }
            return Ok(());
        }
        setup.wrong(&check.found, &check.remedy.unwrap_or_default())?;
        is_known = false;
    }
}

/// Accepts a port that XTSystems can be given: not 0.
fn checked_port(typed: &str) -> Result<(), InvalidValue> {
    if typed.trim() == "0" {
        return Err(InvalidValue::new(
            "has to be known to whoever sends events",
            "A number from 1 to 65535.",
        ));
    }
    Config::check(PORT, typed)
}

fn public_url(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    let options = setup.options;
    let question = PromptQuestion {
        text: "Address at which this port is reached from outside:",
        help: "As https://nuncio.example.com. Leave it empty if only this machine sends events.",
        instead: "--public-url URL",
    };
    let mut is_new = true;
    let mut given = options.public_url.clone();
    if given.is_none() && !options.again {
        given = setup.draft.decided(PUBLIC_URL).map(str::to_owned);
        is_new = given.is_none();
    }
    loop {
        let url = match given.take() {
            Some(url) => url,
            None => {
                is_new = true;
                let before = setup.draft.value(PUBLIC_URL).unwrap_or_default().to_owned();
                setup.prompt.text(&question, Some(&before))?
            }
        };
        let url = url.trim();
        if !url.is_empty()
            && let Err(wrong) = Config::check(PUBLIC_URL, url)
        {
            refuse(setup, "The address", &wrong)?;
            continue;
        }
        setup.draft.set(PUBLIC_URL, url);
        let config = setup.draft.config()?;
        let reached = config.webhook.url(config.webhook.port);
        let platform = XtSystemsClient::new(&config.xtsystems, setup.clock.clone());
        if let Some(platform) = platform.filter(|platform| !platform.can_reach(&reached)) {
            let found = format!(
                "XTSystems ({}) is not on this machine, so it cannot reach {reached}.",
                platform.base()
            );
            setup.wrong(
                &found,
                "Give the address at which it does (--public-url), for example https://nuncio.example.com.",
            )?;
            continue;
        }
        if !is_new {
            setup.keep(&format!("events come in at {reached}"));
        }
        return Ok(());
    }
}
