//! Telling Discord which commands there are. Never fatal: whoever registered them once has them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serenity::all::{Command, CommandType, CreateCommand, GuildId};
use serenity::http::Http;

use crate::bot::{Shared, command, http};

/// The wait after the first failure; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Registers the commands in the background, once a process.
pub(super) fn begin(shared: &Arc<Shared>, http: Arc<Http>) {
    if shared.registered.swap(true, Ordering::AcqRel) {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let stopping = shared.stopping.clone();
        let _ = stopping.run_until_cancelled(register(&shared, &http)).await;
    });
}

async fn register(shared: &Shared, http: &Http) {
    let commands = poise::builtins::create_application_commands(&command::all());
    if shared.guilds.is_empty() {
        until_done(shared, "everywhere", || async {
            Command::set_global_commands(http, commands.clone()).await
        })
        .await;
    }
    for guild in &shared.guilds {
        let id = GuildId::new(guild.get());
        let place = format!("in server {guild}");
        until_done(shared, &place, || put(http, id, commands.clone())).await;
    }
}

async fn put(http: &Http, guild: GuildId, commands: Vec<CreateCommand>) -> serenity::Result<Vec<Command>> {
    guild.set_commands(http, commands).await
}

/// Tries until Discord takes the commands. A server that the bot is not in is tried again as well: it may be invited.
async fn until_done<F>(shared: &Shared, place: &str, attempt: impl Fn() -> F)
where
    F: Future<Output = serenity::Result<Vec<Command>>>,
{
    let mut pause = FIRST;
    loop {
        match attempt().await {
            Ok(commands) => {
                tracing::info!("commands registered {place}: {}", listed(&commands));
                return;
            }
            Err(error) => {
                tracing::warn!(
                    retry_in_s = pause.as_secs(),
                    "the commands could not be registered {place}: {}. The bot must be in that server, invited with the scope applications.commands",
                    http::sentence(&error)
                );
                shared.clock.sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}

/// "/webhook-status /mute; in a message's menu: Redeliver, Show raw".
fn listed(commands: &[Command]) -> String {
    let of = |kind: CommandType| {
        commands.iter().filter(move |command| command.kind == kind).map(|command| command.name.as_str())
    };
    let typed: Vec<String> = of(CommandType::ChatInput).map(|name| format!("/{name}")).collect();
    let menu: Vec<&str> = of(CommandType::Message).collect();
    match menu.is_empty() {
        true => typed.join(" "),
        false => format!("{}; in a message's menu: {}", typed.join(" "), menu.join(", ")),
    }
}
