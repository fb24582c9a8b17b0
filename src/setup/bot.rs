//! The bot: whether Discord accepts the token, how its application is set up, and which guilds it is in.

use std::time::Duration;

use crate::discord::{Access, Application, Client, Myself, NamedServer};
use crate::doctor::{self, LIMIT, State};
use crate::hub::invite_link;
use crate::secret::Secret;
use crate::setup::draft::TOKEN;
use crate::setup::{PromptQuestion, Setup, SetupStop, platform};

const PORTAL: &str = "https://discord.com/developers/applications";
/// How often Discord is asked whether the bot was invited.
const ROUND: Duration = Duration::from_secs(3);
/// How often the prompt is checked for Enter in between.
const BLINK: Duration = Duration::from_millis(100);

/// The bot of a token that Discord accepts.
pub(super) struct FoundBot {
    pub(super) client: Client,
    pub(super) me: Myself,
    pub(super) application: Option<Application>,
    /// Never empty.
    pub(super) servers: Vec<NamedServer>,
}

pub(super) async fn ask(setup: &mut Setup<'_>) -> Result<FoundBot, SetupStop> {
    let (client, me) = token(setup).await?;
    setup.prompt.wait_for(Some("Reading the application"));
    // A third-party implementation of Discord may have no applications.
    let application = setup.clock.within(LIMIT, client.application()).await.and_then(Result::ok);
    setup.prompt.wait_for(None);
    if let Some(application) = &application {
        let config = setup.draft.config()?;
        for check in doctor::discord::of_application(&config, application) {
            if check.state != State::Ok {
                let remedy = check.remedy.unwrap_or_default();
                setup.say(&format!("Attention: {} {remedy}", check.found));
            }
        }
    }
    let invite = invite_link(application.as_ref().map_or(me.id, |application| application.id));
    let servers = servers(setup, &client, &invite).await?;
    Ok(FoundBot { client, me, application, servers })
}

async fn token(setup: &mut Setup<'_>) -> Result<(Client, Myself), SetupStop> {
    let mut is_new = setup.options.again || setup.draft.value(TOKEN).is_none();
    if is_new {
        ask_token(setup)?;
    }
    loop {
        let base = setup.draft.config()?.discord.base;
        let token = setup.draft.value(TOKEN).map(Secret::new);
        let access = Access::new(base, token, setup.clock.clone());
        let Some(client) = access.client() else {
            ask_token(setup)?;
            continue;
        };
        setup.prompt.wait_for(Some("Asking Discord"));
        let asked = async { client.myself(client.circuit_breaker().acquire().await).await };
        let answer = setup.clock.within(LIMIT, asked).await;
        setup.prompt.wait_for(None);
        let (check, is_refused) = match answer {
            Some(Ok(me)) => {
                let sentence = format!("Discord takes the token: the bot is {} ({})", me.username, me.id);
                if is_new {
                    setup.say(&format!("{sentence}."))
                } else {
                    setup.keep(&sentence)
                }
                return Ok((client.clone(), me));
            }
            Some(Err(failure)) => {
                (doctor::discord::away(client.base(), &failure), failure.status == Some(401))
            }
            None => (doctor::discord::silent(&client.base().host()), false),
        };
        setup.wrong(&check.found, &check.remedy.unwrap_or_default())?;
        is_new = true;
        if is_refused {
            ask_token(setup)?;
        } else if !setup.prompt.confirm("Ask Discord again?", false)? {
            return Err(SetupStop::Aborted);
        }
    }
}

fn ask_token(setup: &mut Setup<'_>) -> Result<(), SetupStop> {
    let help = format!("{PORTAL} → New Application → Bot → Reset Token. It is not shown.");
    let question = PromptQuestion {
        text: "Token of the Discord bot:",
        help: &help,
        instead: "DISCORD_TOKEN in the environment, in .env or with --secrets-from-stdin",
    };
    let token = platform::secret(setup, &question, TOKEN, "The token")?;
    setup.draft.set(TOKEN, token.expose());
    Ok(())
}

/// The bot's guilds; waits until it is in one.
async fn servers(
    setup: &mut Setup<'_>,
    client: &Client,
    invite: &str,
) -> Result<Vec<NamedServer>, SetupStop> {
    let mut is_waiting = false;
    loop {
        let asked = setup.clock.within(LIMIT, client.servers()).await;
        match asked {
            Some(Ok(servers)) if !servers.is_empty() => {
                setup.prompt.wait_for(None);
                return Ok(servers);
            }
            Some(Ok(_)) if is_waiting => {}
            Some(Ok(_)) => {
                setup.wrong(
                    "The bot is in no server yet.",
                    &format!("Invite it, with the least that it needs: {invite}"),
                )?;
                setup.prompt.wait_for(Some("Waiting until the bot is in a server; Enter asks at once"));
                is_waiting = true;
            }
            away => {
                let check = match away {
                    Some(Err(failure)) => doctor::discord::away(client.base(), &failure),
                    _ => doctor::discord::silent(&client.base().host()),
                };
                setup.prompt.wait_for(None);
                is_waiting = false;
                setup.wrong(&check.found, &check.remedy.unwrap_or_default())?;
                if !setup.prompt.confirm("Ask Discord again?", false)? {
                    return Err(SetupStop::Aborted);
                }
                continue;
            }
        }
        let until = setup.clock.elapsed() + ROUND;
        while setup.clock.elapsed() < until && !setup.prompt.was_nudged()? {
            setup.clock.sleep(BLINK).await;
        }
    }
}
