//! The slash commands as poise registers and parses them. A doc comment is the description that Discord shows.

use std::convert::Infallible;

use poise::ChoiceParameter;
use serenity::all::{CreateAutocompleteResponse, Message};

use super::{PoiseCommand, PoiseContext, run, suggest};
use crate::bot::interaction::{CommandOptions, SuggestedOption, TicketPriority};
use crate::model::Snowflake;

type Handed = Result<(), Infallible>;

/// All commands.
pub(super) fn all() -> Vec<PoiseCommand> {
    vec![
        webhook_status(),
        webhook_config(),
        register_webhook(),
        test_webhook(),
        create_ticket(),
        machine(),
        deliveries(),
        mute(),
        unmute(),
        redeliver(),
        show_raw(),
    ]
}

/// Show the status: endpoint, database, gateway, what waits, what was refused
#[poise::command(
    slash_command,
    rename = "webhook-status",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
async fn webhook_status(context: PoiseContext<'_>) -> Handed {
    run(context, CommandOptions::WebhookStatus).await
}

/// What nuncio listens to and where events go: port, path, the map with its channels
#[poise::command(
    slash_command,
    rename = "webhook-config",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
async fn webhook_config(context: PoiseContext<'_>) -> Handed {
    run(context, CommandOptions::WebhookConfig).await
}

/// Have XTSystems send its events here: makes the webhook there, or brings it up to date
#[poise::command(
    slash_command,
    rename = "register-webhook",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
async fn register_webhook(
    context: PoiseContext<'_>,
    #[description = "Which events, with commas between; all of them if you leave it out"]
    #[max_length = 1000]
    #[autocomplete = "event_kinds"]
    events: Option<String>,
) -> Handed {
    run(context, CommandOptions::RegisterWebhook { events }).await
}

/// Send a test from XTSystems through nuncio to its channels, and measure every leg
#[poise::command(
    slash_command,
    rename = "test-webhook",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
async fn test_webhook(context: PoiseContext<'_>) -> Handed {
    run(context, CommandOptions::TestWebhook).await
}

/// The choices of a ticket's priority.
#[derive(Clone, Copy, Debug, ChoiceParameter)]
enum PriorityChoice {
    #[name = "low"]
    Low,
    #[name = "medium"]
    Medium,
    #[name = "high"]
    High,
    #[name = "critical"]
    Critical,
}

impl From<PriorityChoice> for TicketPriority {
    fn from(choice: PriorityChoice) -> Self {
        match choice {
            PriorityChoice::Low => Self::Low,
            PriorityChoice::Medium => Self::Medium,
            PriorityChoice::High => Self::High,
            PriorityChoice::Critical => Self::Critical,
        }
    }
}

/// Make a ticket in XTSystems
#[poise::command(
    slash_command,
    rename = "create-ticket",
    guild_only,
    default_member_permissions = "MANAGE_GUILD"
)]
async fn create_ticket(
    context: PoiseContext<'_>,
    #[description = "What is wrong, in a few words"]
    #[min_length = 3]
    #[max_length = 200]
    title: String,
    #[description = "What happened, where, since when"]
    #[max_length = 4000]
    description: String,
    #[description = "How soon somebody should look; medium if you leave it out"] priority: Option<
        PriorityChoice,
    >,
) -> Handed {
    let priority = priority.map(TicketPriority::from);
    run(context, CommandOptions::CreateTicket { title, description, priority }).await
}

/// Machines that ask to join: list them, and decide
#[poise::command(
    slash_command,
    guild_only,
    subcommands("machine_pending", "machine_approve", "machine_deny", "machine_show"),
    default_member_permissions = "MANAGE_GUILD"
)]
#[expect(clippy::unused_async, reason = "poise wants it so; Discord never calls it, only what is below it")]
async fn machine(_: PoiseContext<'_>) -> Handed {
    Ok(())
}

/// List the machines that wait for a decision, the oldest first
#[poise::command(slash_command, rename = "pending", guild_only)]
async fn machine_pending(context: PoiseContext<'_>) -> Handed {
    run(context, CommandOptions::MachinePending).await
}

/// Approve a machine
#[poise::command(slash_command, rename = "approve", guild_only)]
async fn machine_approve(
    context: PoiseContext<'_>,
    #[description = "Which one"]
    #[max_length = 200]
    #[autocomplete = "machines"]
    machine: String,
) -> Handed {
    run(context, CommandOptions::MachineApprove { machine }).await
}

/// Deny a machine, with a reason
#[poise::command(slash_command, rename = "deny", guild_only)]
async fn machine_deny(
    context: PoiseContext<'_>,
    #[description = "Which one"]
    #[max_length = 200]
    #[autocomplete = "machines"]
    machine: String,
    #[description = "Why; shown on the card and sent to XTSystems"]
    #[min_length = 3]
    #[max_length = 400]
    reason: String,
) -> Handed {
    run(context, CommandOptions::MachineDeny { machine, reason }).await
}

/// Everything that is known about a machine's request
#[poise::command(slash_command, rename = "show", guild_only)]
async fn machine_show(
    context: PoiseContext<'_>,
    #[description = "Which one"]
    #[max_length = 200]
    #[autocomplete = "machines"]
    machine: String,
) -> Handed {
    run(context, CommandOptions::MachineShow { machine }).await
}

/// What was given up, and sending it again
#[poise::command(
    slash_command,
    guild_only,
    subcommands("deliveries_failed", "deliveries_show", "deliveries_retry"),
    default_member_permissions = "MANAGE_GUILD"
)]
#[expect(clippy::unused_async, reason = "poise wants it so; Discord never calls it, only what is below it")]
async fn deliveries(_: PoiseContext<'_>) -> Handed {
    Ok(())
}

/// List what was given up, the newest first
#[poise::command(slash_command, rename = "failed", guild_only)]
async fn deliveries_failed(context: PoiseContext<'_>) -> Handed {
    run(context, CommandOptions::DeliveriesFailed).await
}

/// Everything that was tried with one delivery
#[poise::command(slash_command, rename = "show", guild_only)]
async fn deliveries_show(
    context: PoiseContext<'_>,
    #[description = "Its id, or the last 8 characters of it"]
    #[max_length = 40]
    #[autocomplete = "dead_letters"]
    id: String,
) -> Handed {
    run(context, CommandOptions::DeliveriesShow { id }).await
}

/// Send one again that was given up or delivered
#[poise::command(slash_command, rename = "retry", guild_only)]
async fn deliveries_retry(
    context: PoiseContext<'_>,
    #[description = "Its id, or the last 8 characters of it"]
    #[max_length = 40]
    #[autocomplete = "dead_letters"]
    id: String,
) -> Handed {
    run(context, CommandOptions::DeliveriesRetry { id }).await
}

/// Do not post a kind of event for a while: it is kept, and summed up when the mute ends
#[poise::command(slash_command, guild_only, default_member_permissions = "MANAGE_GUILD")]
async fn mute(
    context: PoiseContext<'_>,
    #[description = "A kind (ticket.created) or a pattern (alert.*)"]
    #[max_length = 128]
    #[autocomplete = "mutable_kinds"]
    kind: String,
    #[description = "How long: 30m, 1h, 2d; at most 30 days"]
    #[max_length = 20]
    #[autocomplete = "durations"]
    duration: String,
    #[description = "Why; shown on the card that sums up"]
    #[max_length = 400]
    reason: Option<String>,
) -> Handed {
    run(context, CommandOptions::Mute { kind, duration, reason }).await
}

/// Hear again what is muted, or see what is
#[poise::command(slash_command, guild_only, default_member_permissions = "MANAGE_GUILD")]
async fn unmute(
    context: PoiseContext<'_>,
    #[description = "Which mute; leave it out to see what is muted"]
    #[max_length = 200]
    #[autocomplete = "mutes"]
    mute: Option<String>,
) -> Handed {
    run(context, CommandOptions::Unmute { mute }).await
}

/// Sends again what a message shows.
#[poise::command(context_menu_command = "Redeliver", guild_only, default_member_permissions = "MANAGE_GUILD")]
async fn redeliver(context: PoiseContext<'_>, message: Message) -> Handed {
    run(context, CommandOptions::Redeliver { message: Snowflake::new(message.id.get()) }).await
}

/// Shows the event behind a message as it came, without its secrets.
#[poise::command(context_menu_command = "Show raw", guild_only, default_member_permissions = "MANAGE_GUILD")]
async fn show_raw(context: PoiseContext<'_>, message: Message) -> Handed {
    run(context, CommandOptions::ShowRaw { message: Snowflake::new(message.id.get()) }).await
}

async fn machines(context: PoiseContext<'_>, typed: &str) -> CreateAutocompleteResponse {
    suggest(context, SuggestedOption::Machine, typed).await
}

async fn dead_letters(context: PoiseContext<'_>, typed: &str) -> CreateAutocompleteResponse {
    suggest(context, SuggestedOption::Delivery, typed).await
}

async fn mutes(context: PoiseContext<'_>, typed: &str) -> CreateAutocompleteResponse {
    suggest(context, SuggestedOption::Mute, typed).await
}

async fn mutable_kinds(context: PoiseContext<'_>, typed: &str) -> CreateAutocompleteResponse {
    suggest(context, SuggestedOption::MutableKind, typed).await
}

async fn durations(context: PoiseContext<'_>, typed: &str) -> CreateAutocompleteResponse {
    suggest(context, SuggestedOption::Duration, typed).await
}

async fn event_kinds(context: PoiseContext<'_>, typed: &str) -> CreateAutocompleteResponse {
    suggest(context, SuggestedOption::Events, typed).await
}
