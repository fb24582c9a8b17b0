//! The gateway's event handler: applies each event to the cached guild state.

use std::sync::atomic::Ordering;

use serenity::all::{Context, Event, RawEventHandler, Ready, UnknownEvent};
use serenity::async_trait;

use super::Watch;
use crate::bot::gateway::guild::{channel, guild, role, until};
use crate::bot::gateway::lenient::ready;
use crate::bot::guild::Guild;
use crate::bot::{lenient, register};
use crate::model::Snowflake;

#[async_trait]
impl RawEventHandler for Watch {
    async fn raw_event(&self, context: Context, event: Event) {
        if self.0.closed.is_cancelled() {
            return;
        }
        match event {
            Event::Ready(event) => {
                self.ready(&event.ready);
                register::begin(&self.0.shared, event.ready.application.id.get(), servers_of(&event.ready));
            }
            Event::Resumed(_) => self.connected(),
            Event::GuildCreate(event) => {
                self.0.guilds.put(guild(&event.guild, self.0.guilds.bot()));
            }
            // An outage, not a removal: the cached state stays valid.
            Event::GuildDelete(event) if event.guild.unavailable => {}
            Event::GuildDelete(event) => self.0.guilds.remove(event.guild.id.get()),
            Event::GuildUpdate(event) => self.0.guilds.change(event.guild.id.get(), |guild| {
                guild.name.clone_from(&event.guild.name);
                guild.owner = event.guild.owner_id.get();
            }),
            Event::GuildMemberUpdate(event) if event.user.id.get() == self.0.guilds.bot() => {
                self.0.guilds.change(event.guild_id.get(), |guild| {
                    guild.held = event.roles.iter().map(|role| role.get()).collect();
                    guild.timed_out_until = until(event.communication_disabled_until);
                });
            }
            Event::GuildRoleCreate(event) => self.put_role(&event.role),
            Event::GuildRoleUpdate(event) => self.put_role(&event.role),
            Event::GuildRoleDelete(event) => self.0.guilds.change(event.guild_id.get(), |guild| {
                guild.roles.remove(&event.role_id.get());
                guild.held.remove(&event.role_id.get());
            }),
            Event::ChannelCreate(event) => self.put_channel(&event.channel),
            Event::ChannelUpdate(event) => self.put_channel(&event.channel),
            Event::ChannelDelete(event) => {
                self.drop_channel(event.channel.guild_id.get(), event.channel.id.get())
            }
            Event::ThreadCreate(event) => self.put_channel(&event.thread),
            Event::ThreadUpdate(event) => self.put_channel(&event.thread),
            Event::ThreadDelete(event) => {
                self.drop_channel(event.thread.guild_id.get(), event.thread.id.get())
            }
            Event::Unknown(unknown) => self.unreadable(context, unknown).await,
            Event::ThreadListSync(event) => {
                event.threads.iter().for_each(|thread| self.put_channel(thread));
            }
            _ => {}
        }
    }
}

impl Watch {
    /// Handles an event that serenity could not parse, from a Discord-compatible server.
    async fn unreadable(&self, context: Context, unknown: UnknownEvent) {
        match unknown.kind.as_str() {
            "INTERACTION_CREATE" => {
                if let Some(hearing) = self.0.hearing.get() {
                    hearing.forward_interaction(context, unknown.value).await;
                }
            }
            "GUILD_CREATE" => {
                if let Some(guild) = lenient::guild(&unknown.value, self.0.guilds.bot()) {
                    self.0.guilds.put(guild);
                }
            }
            "READY" => match ready(&unknown.value) {
                Ok((ready, guilds)) => self.read(context, ready, guilds).await,
                Err(why) => self.end(&why),
            },
            _ => {}
        }
    }

    /// Handles a READY that serenity could not parse, with the whole guilds in it.
    async fn read(&self, context: Context, ready: Ready, guilds: Vec<Guild>) {
        self.0.receives_clicks.store(true, Ordering::Release);
        context.http.set_application_id(ready.application.id);
        self.ready(&ready);
        guilds.into_iter().for_each(|guild| self.0.guilds.put(guild));
        register::begin(&self.0.shared, ready.application.id.get(), servers_of(&ready));
        if let Some(hearing) = self.0.hearing.get() {
            hearing.forward_ready(context, ready).await;
        }
    }

    fn put_role(&self, found: &serenity::all::Role) {
        self.0.guilds.change(found.guild_id.get(), |guild| {
            guild.roles.insert(found.id.get(), role(found));
        });
    }

    fn put_channel(&self, found: &serenity::all::GuildChannel) {
        self.0.guilds.change(found.guild_id.get(), |guild| {
            guild.channels.insert(found.id.get(), channel(found));
        });
    }

    fn drop_channel(&self, guild: u64, channel: u64) {
        self.0.guilds.change(guild, |guild| {
            guild.channels.remove(&channel);
        });
    }
}

/// The guilds that READY announced.
fn servers_of(ready: &Ready) -> Vec<Snowflake> {
    ready.guilds.iter().map(|guild| Snowflake::new(guild.id.get())).collect()
}
