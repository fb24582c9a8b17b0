/**
 * The client-side model: the sandbox's state and events. It does not depend on the screen.
 *
 * The source of truth is `/sandbox/state`; later events are merged in, in the format of Discord's gateway.
 */

import { compareIds, list } from "./value.js";

/** Messages kept and shown per channel; a storm must not make the page slow. */
export const KEEP = 200;

export const world = {
  guilds: [],
  channels: new Map(),
  messages: new Map(), // channel id → messages, oldest first
  roles: new Map(),
  users: new Map(),
  read: new Map(), // channel id → the newest message that was read; kept across reloads of the state
  dismissed: new Set(), // ephemeral messages that this person has dismissed
  application: { id: "", name: "nuncio" },
  people: [], // the people that a visitor can act as: { id, name, roles, token }
  me: null, // the current person
  commands: [],

  load(state) {
    const first = this.read.size === 0;
    this.guilds = list(state.guilds);
    this.application = state.application ?? this.application;
    this.people = list(state.people).map((person) => ({ ...person, id: person.id ?? person.user_id }));
    this.me = this.people.find(({ id }) => id === this.me?.id) ?? null;
    this.commands = list(state.commands);
    for (const map of [this.channels, this.messages, this.roles, this.users]) map.clear();
    for (const guild of this.guilds) {
      for (const channel of list(guild.channels)) this.channels.set(channel.id, { ...channel, guild_id: guild.id });
      for (const role of list(guild.roles)) this.roles.set(role.id, { ...role, guild_id: guild.id });
      for (const member of list(guild.members)) this.users.set(member.user.id, member.user);
    }
    for (const messages of Object.values(state.messages ?? {})) list(messages).forEach((message) => this.put(message));
    for (const { user_id, message } of list(state.ephemeral)) this.put({ ...message, only_for: user_id });
    for (const messages of this.messages.values()) messages.sort((a, b) => compareIds(a.id, b.id));
    for (const id of this.channels.keys()) {
      if (first) this.markRead(id);
      else if (!this.read.has(id)) this.read.set(id, "0");
    }
  },

  /** The messages of a channel that the visitor may see. */
  of(channel) {
    return (this.messages.get(channel) ?? []).filter((message) => this.sees(message));
  },

  sees(message) {
    return (!message.only_for || message.only_for === this.me?.id) && !this.dismissed.has(message.id);
  },

  /** The channels of one guild, without threads, in the guild's order. */
  channelsOf(guild) {
    const channels = [...this.channels.values()].filter((channel) => channel.guild_id === guild && !isThread(channel));
    return channels.sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || compareIds(a.id, b.id));
  },

  /** The threads of a channel, or the posts of a forum, newest first. */
  threadsOf(channel) {
    const threads = [...this.channels.values()].filter((thread) => thread.parent_id === channel && isThread(thread));
    return threads.sort((a, b) => compareIds(b.last_message_id ?? b.id, a.last_message_id ?? a.id));
  },

  guildOf(channel) {
    const id = this.channels.get(channel)?.guild_id;
    return this.guilds.find((guild) => guild.id === id);
  },

  /** The newest messages of all channels of one guild, in the order in which they were sent. */
  everywhere(guild) {
    const channels = [...this.channels.values()].filter((channel) => channel.guild_id === guild);
    return channels.flatMap((channel) => this.of(channel.id)).sort((a, b) => compareIds(a.id, b.id)).slice(-KEEP);
  },

  /** Adds a message or merges an edit into it. Returns the whole message and whether it was new. */
  put(change) {
    if (!this.messages.has(change.channel_id)) this.messages.set(change.channel_id, []);
    const messages = this.messages.get(change.channel_id);
    const at = messages.findIndex((message) => message.id === change.id);
    const message = at < 0 ? { ...change } : { ...messages[at], ...change };
    // Discord's flag EPHEMERAL, in case such a message comes like any other.
    if (message.flags & (1 << 6)) message.only_for ??= message.interaction_metadata?.user?.id;
    // A partial update of a message that is no longer kept has too little to show.
    if (at < 0 && !change.author) return { message: null, created: false };
    if (at < 0) messages.push(message);
    else messages[at] = message;
    if (messages.length > KEEP) messages.splice(0, messages.length - KEEP);
    for (const user of [message.author, ...list(message.mentions)]) {
      if (user?.id && !this.users.has(user.id)) this.users.set(user.id, user);
    }
    return { message, created: at < 0 };
  },

  remove(channel, id) {
    this.messages.set(channel, (this.messages.get(channel) ?? []).filter((message) => message.id !== id));
  },

  find(channel, id) {
    return this.of(channel).find((message) => message.id === id);
  },

  unread(channel) {
    const seen = this.read.get(channel) ?? "0";
    const unread = this.of(channel).filter((message) => compareIds(message.id, seen) > 0);
    return { count: unread.length, pings: unread.filter(pings).length, first: unread[0]?.id };
  },

  markRead(channel) {
    const newest = this.messages.get(channel)?.at(-1);
    if (newest) this.read.set(channel, newest.id);
  },
};

/** Discord's type numbers of threads, and of forums. */
export const isThread = ({ type }) => type === 10 || type === 11 || type === 12;
export const isForum = ({ type }) => type === 15 || type === 16;

/** Whether a message pings the visitor. Without a current person, every role mention counts. */
export function pings(message) {
  const me = world.me;
  if (message.mention_everyone) return true;
  if (!me) return list(message.mention_roles).length > 0;
  return list(message.mention_roles).some((role) => list(me.roles).includes(role)) || list(message.mentions).some((user) => user?.id === me.id);
}
