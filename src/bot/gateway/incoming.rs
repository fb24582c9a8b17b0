//! Discord's interactions as nuncio's own: the only place that converts them.

use serenity::all::{
    ActionRowComponent, CommandInteraction, ComponentInteraction, ComponentInteractionDataKind, Member,
    Message, ModalInteraction, User,
};

use crate::bot::gateway::guild::until;
use crate::bot::interaction::{
    ComponentClick, ComponentInput, Interaction, InteractionKind, InteractionMember, InteractionUser,
    SourceEmbed, SourceMessage, SubmittedDialog,
};
use crate::model::Snowflake;
use crate::secret::Secret;

/// A click on a button, or a choice in a menu.
pub(super) fn component(click: &ComponentInteraction) -> Interaction {
    let input = match &click.data.kind {
        ComponentInteractionDataKind::Button => ComponentInput::Button,
        ComponentInteractionDataKind::StringSelect { values } => ComponentInput::Texts(values.clone()),
        ComponentInteractionDataKind::ChannelSelect { values } => {
            ComponentInput::Channels(values.iter().map(|id| Snowflake::new(id.get())).collect())
        }
        _ => ComponentInput::Other,
    };
    let custom_id = click.data.custom_id.clone();
    Interaction {
        id: Snowflake::new(click.id.get()),
        token: Secret::new(click.token.as_str()),
        application: Snowflake::new(click.application_id.get()),
        kind: InteractionKind::Component(ComponentClick { custom_id, input }),
        user: user(&click.user),
        member: click.member.as_ref().map(member),
        guild: click.guild_id.map(|id| Snowflake::new(id.get())),
        channel: Snowflake::new(click.channel_id.get()),
        message: Some(message(&click.message)),
    }
}

/// A submitted dialog.
pub(super) fn dialog(modal: &ModalInteraction) -> Interaction {
    let inputs = modal.data.components.iter().flat_map(|row| &row.components);
    let fields = inputs.filter_map(|component| match component {
        ActionRowComponent::InputText(input) => Some((input.custom_id.clone(), input.value.clone()?)),
        _ => None,
    });
    let dialog = SubmittedDialog { custom_id: modal.data.custom_id.clone(), fields: fields.collect() };
    Interaction {
        id: Snowflake::new(modal.id.get()),
        token: Secret::new(modal.token.as_str()),
        application: Snowflake::new(modal.application_id.get()),
        kind: InteractionKind::Dialog(dialog),
        user: user(&modal.user),
        member: modal.member.as_ref().map(member),
        guild: modal.guild_id.map(|id| Snowflake::new(id.get())),
        channel: Snowflake::new(modal.channel_id.get()),
        message: modal.message.as_deref().map(message),
    }
}

/// A command, or an option that is being typed: poise has parsed which.
pub(super) fn command(command: &CommandInteraction, kind: InteractionKind) -> Interaction {
    Interaction {
        id: Snowflake::new(command.id.get()),
        token: Secret::new(command.token.as_str()),
        application: Snowflake::new(command.application_id.get()),
        kind,
        user: user(&command.user),
        member: command.member.as_deref().map(member),
        guild: command.guild_id.map(|id| Snowflake::new(id.get())),
        channel: Snowflake::new(command.channel_id.get()),
        message: None,
    }
}

fn user(user: &User) -> InteractionUser {
    InteractionUser {
        id: Snowflake::new(user.id.get()),
        username: user.name.clone(),
        display_name: user.global_name.as_ref().map(ToString::to_string),
    }
}

fn member(member: &Member) -> InteractionMember {
    InteractionMember {
        nick: member.nick.clone(),
        roles: member.roles.iter().map(|role| Snowflake::new(role.get())).collect(),
        permissions: member.permissions.unwrap_or_default().bits(),
        timed_out_until: until(member.communication_disabled_until),
    }
}

fn message(message: &Message) -> SourceMessage {
    let embed = |embed: &serenity::all::Embed| SourceEmbed {
        title: embed.title.clone(),
        description: embed.description.clone(),
    };
    SourceMessage {
        id: Snowflake::new(message.id.get()),
        author: Snowflake::new(message.author.id.get()),
        is_of_webhook: message.webhook_id.is_some(),
        embeds: message.embeds.iter().map(embed).collect(),
    }
}
