//! XTSystems: its address, and whether it accepts the key. It is optional.

use crate::config::{Config, InvalidValue};
use crate::doctor::{self, LIMIT};
use crate::secret::Secret;
use crate::setup::draft::{KEY, URL};
use crate::setup::{Choices, PromptQuestion, Setup, SetupStop};
use crate::xtsystems::XtSystemsClient;

const WITHOUT: &str = "without XTSystems: events come from any sender who signs them";
const INSTEAD: &str =
    "XTSYSTEMS_API_KEY in the environment, in .env or with --secrets-from-stdin, or --no-xtsystems";

pub(super) async fn ask(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    if let Some(url) = &setup.options.xtsystems_url {
        if let Err(wrong) = Config::check(URL, url) {
            setup.wrong(&format!("--xtsystems-url {}.", wrong.what), &wrong.fix)?;
        } else {
            setup.draft.set(URL, url);
        }
    }
    if setup.options.no_xtsystems {
        return without(setup);
    }
    let wants = setup.options.xtsystems_url.is_some() || setup.options.again;
    if setup.draft.decided(KEY) == Some("") && !wants {
        setup.keep(WITHOUT);
        return Ok(());
    }
    let mut is_new = setup.options.again || setup.draft.value(KEY).is_none();
    if is_new {
        let question = PromptQuestion {
            text: "Do events come from XTSystems?",
            help: "Without it, any system of yours can send events, signed with a secret.",
            instead: INSTEAD,
        };
        let lines = ["Yes, connect it", "No, set up without XTSystems"].map(str::to_owned).into();
        if setup.prompt.choose(&question, &Choices { lines, cursor: 0, unattended: None })? == 1 {
            return without(setup);
        }
        ask_url(setup)?;
        ask_key(setup)?;
    }
    loop {
        let config = setup.draft.config()?.xtsystems;
        // Without a key there is nothing to check.
        let Some(client) = XtSystemsClient::new(&config, setup.clock.clone()) else { return without(setup) };
        setup.prompt.wait_for(Some("Asking XTSystems"));
        let answer = setup.clock.within(LIMIT, client.webhooks()).await;
        setup.prompt.wait_for(None);
        let (found, remedy, is_key) = match answer {
            Some(Ok(_)) => {
                let sentence = format!("XTSystems ({}) takes the key", client.base());
                if is_new {
                    setup.say(&format!("{sentence}."))
                } else {
                    setup.keep(&sentence)
                }
                return Ok(());
            }
            Some(Err(failure)) => {
                let check = doctor::xtsystems::of_failure(client.base(), &failure);
                (check.found, check.remedy.unwrap_or_default(), matches!(failure.status, Some(401 | 403)))
            }
            None => {
                let found =
                    format!("XTSystems ({}) did not answer within {} s.", client.base(), LIMIT.as_secs());
                (found, "Check XTSYSTEMS_API_URL, and whether XTSystems runs.".to_owned(), false)
            }
        };
        setup.wrong(&found, &remedy)?;
        is_new = true;
        if is_key {
            ask_key(setup)?;
            continue;
        }
        let question = PromptQuestion { text: "What now?", help: "", instead: INSTEAD };
        let lines =
            ["Ask again", "Type another address", "Set up without XTSystems"].map(str::to_owned).into();
        match setup.prompt.choose(&question, &Choices { lines, cursor: 0, unattended: None })? {
            0 => {}
            1 => ask_url(setup)?,
            _ => return without(setup),
        }
    }
}

fn without(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    setup.draft.set(KEY, "");
    setup.say(&format!("Set up {WITHOUT}."));
    Ok(())
}

fn ask_url(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    let question = PromptQuestion {
        text: "Address of XTSystems' API:",
        help: "As http://localhost:20437, without /v1",
        instead: "--xtsystems-url",
    };
    loop {
        let default = setup.draft.value(URL).unwrap_or("http://localhost:20437").to_owned();
        let typed = setup.prompt.text(&question, Some(&default))?;
        match Config::check(URL, &typed) {
            Ok(()) => {
                setup.draft.set(URL, &typed);
                return Ok(());
            }
            Err(wrong) => refuse(setup, "The address", &wrong)?,
        }
    }
}

fn ask_key(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    let question = PromptQuestion {
        text: "API key of XTSystems:",
        help: "It must be allowed to manage webhooks, machines and tickets. It is not shown.",
        instead: INSTEAD,
    };
    let key = secret(setup, &question, KEY, "The key")?;
    setup.draft.set(KEY, key.expose());
    Ok(())
}

/// Asks for a secret in the format of `name`.
pub(super) fn secret(
    setup: &mut Setup<'_>,
    question: &PromptQuestion<'_>,
    name: &str,
    what: &str,
) -> Result<Secret, SetupStop> {
    loop {
        let typed = setup.prompt.secret(question)?;
        // A blank at an end comes from copying; the check rejects one within.
        let typed = typed.expose().trim();
        let checked = match typed {
            "" => Err(InvalidValue::new("is empty", "Paste it and press Enter; Esc ends setup.")),
            typed => Config::check(name, typed),
        };
        match checked {
            Ok(()) => return Ok(Secret::new(typed)),
            Err(wrong) => refuse(setup, what, &wrong)?,
        }
    }
}

/// Reports what is wrong with an answer.
pub(super) fn refuse(setup: &mut Setup<'_>, what: &str, wrong: &InvalidValue) -> Result<(), SetupStop> {
    setup.wrong(&format!("{what} {}.", wrong.what), &wrong.fix)
}
