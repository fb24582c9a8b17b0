/**
 * The world: what the sandbox has told us. It knows nothing of the screen.
 *
 * The truth is `/sandbox/state`; what comes after it is merged in, in the words of Discord's gateway.
 */

import { compareIds, list } from "./value.js";

/** Messages kept per channel and shown at once; a storm must not make the page slow. */
export const KEEP = 200;

export const world = {
  guilds: [],
  channels: new Map(),
  messages: new Map(), // channel id → messages, oldest first
  roles: new Map(),
  users: new Map(),
  read: new Map(), // channel id → the newest message that was seen; it outlives reloads of the state
  application: { id: "", name: "nuncio" },
  interactions: null,

  load(state) {
    const first = this.read.size === 0;
    this.guilds = list(state.guilds);
    this.application = state.application ?? this.application;
    this.interactions = state.interactions ?? null;
    for (const map of [this.channels, this.messages, this.roles, this.users]) map.clear();
    for (const guild of this.guilds) {
      for (const channel of list(guild.channels)) this.channels.set(channel.id, { ...channel, guild_id: guild.id });
      for (const role of list(guild.roles)) this.roles.set(role.id, { ...role, guild_id: guild.id });
      for (const member of list(guild.members)) this.users.set(member.user.id, member.user);
    }
    for (const [channel, messages] of Object.entries(state.messages ?? {})) {
      for (const message of list(messages)) this.put(message);
      if (first) this.markRead(channel);
    }
    for (const id of this.channels.keys()) if (!this.read.has(id)) this.read.set(id, "0");
  },

  of(channel) {
    return this.messages.get(channel) ?? [];
  },

  /** The newest messages of every channel of one server, in the order in which they were sent. */
  everywhere(guild) {
    const channels = [...this.channels.values()].filter((channel) => channel.guild_id === guild);
    return channels.flatMap((channel) => this.of(channel.id)).sort((a, b) => compareIds(a.id, b.id)).slice(-KEEP);
  },

  /** Adds a message or merges an edit into it. Returns the whole message and whether it was new. */
  put(change) {
    if (!this.messages.has(change.channel_id)) this.messages.set(change.channel_id, []);
    const messages = this.messages.get(change.channel_id);
    const at = messages.findIndex((message) => message.id === change.id);
    const message = at < 0 ? change : { ...messages[at], ...change };
    // A partial update of a message that has already left our window says too little to be shown.
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
    this.messages.set(channel, this.of(channel).filter((message) => message.id !== id));
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
    const newest = this.of(channel).at(-1);
    if (newest) this.read.set(channel, newest.id);
  },
};

/** Whether a message calls somebody: the page is anybody, so every ping counts. */
export const pings = (message) => Boolean(message.mention_everyone) || list(message.mention_roles).length > 0;
