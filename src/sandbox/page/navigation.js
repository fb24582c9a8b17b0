/**
 * Navigation: guilds, channels and the header.
 */

import { composeIn } from "./composer.js";
import { $, h, icon } from "./element.js";
import { forumPosts } from "./forum.js";
import { members } from "./member.js";
import { stream } from "./stream.js";
import { initials } from "./user.js";
import { plural, text } from "./value.js";
import { isForum, isThread, world } from "./world.js";

/** The current view: a guild, and one of its channels or (null) all of them. */
export const view = { guild: null, channel: null };

/**
 * `#channel/<id>`, `#all` and `#all/<server>` are the only addresses. Any other changes nothing, unless the current
 * channel is gone (or none was shown yet): then the first channel that has messages is shown.
 */
export function route() {
  const [, channel] = /^#channel\/(\d+)$/.exec(location.hash) ?? [];
  const all = /^#all(?:\/(\d+))?$/.exec(location.hash);
  const known = (guild) => world.guilds.some(({ id }) => id === guild);
  if (world.channels.has(channel)) {
    Object.assign(view, { guild: world.channels.get(channel).guild_id, channel });
  } else if (all) {
    Object.assign(view, { guild: [all[1], view.guild, world.guilds[0]?.id].find(known) ?? null, channel: null });
  } else if (!known(view.guild) || (view.channel && !world.channels.has(view.channel))) {
    const first = world.channelsOf(world.guilds[0]?.id).find(({ id }) => world.of(id).length > 0);
    Object.assign(view, { guild: world.guilds[0]?.id ?? null, channel: first?.id ?? null });
    history.replaceState(null, "", first ? `#channel/${first.id}` : "#all");
  }
  showView();
}

function showView() {
  const channel = world.channels.get(view.channel);
  $("view-name").textContent = channel ? text(channel.name) : "All channels";
  $("view-topic").textContent = channel ? text(channel.topic ?? parentOf(channel)) : "the newest of every channel, as it arrives";
  $("view-icon").setAttribute("href", `#icon-${channel ? iconOf(channel) : "stream"}`);
  composeIn(channel);
  $("empty").replaceChildren(...emptyState(channel));
  navigation();
  const messages = channel ? world.of(channel.id) : world.everywhere(view.guild);
  stream.show(messages, { place: channel?.id ?? view.guild, showPlaces: !channel, firstUnread: channel ? world.unread(channel.id).first : null });
}

const iconOf = (channel) => (isForum(channel) ? "forum" : isThread(channel) ? "thread" : "hash");

function parentOf(thread) {
  const parent = world.channels.get(thread.parent_id);
  return parent ? `in #${text(parent.name)}` : "";
}

function emptyState(channel) {
  if (channel && isForum(channel)) return forumPosts(channel);
  return [
    icon("envoy"),
    h("h3", {}, channel ? `Welcome to #${text(channel.name)}` : "Nothing here yet"),
    h("p", {}, channel ? "Nothing here yet. " : "", "What a bot sends to this sandbox appears here at once. Send something:"),
    h("p", { class: "markdown" }, h("code", {}, "cargo run -- send --all")),
  ];
}

/** Draws both left columns and the members. Frequent changes go through `badges`, which keeps elements and focus. */
function navigation() {
  const focused = document.activeElement?.getAttribute?.("href");
  const guild = world.guilds.find((guild) => guild.id === view.guild);
  $("server-name").textContent = guild ? text(guild.name) : "No server yet";
  $("servers").replaceChildren(...world.guilds.map(serverEntry));
  $("channels").replaceChildren(...world.channelsOf(guild?.id).map(channelEntry));
  members(guild, view.channel);
  badges();
  if (focused) $("drawer").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function serverEntry({ id, name }) {
  const look = { class: "server", href: `#all/${id}`, title: text(name), "data-guild": id };
  return h("li", {}, h("a", look, h("span", { "aria-hidden": "true" }, initials(name)), h("span", { class: "sr-only" }, text(name)), h("span", { class: "badge ping", hidden: true })));
}

/** A channel with its threads below it. Archived threads are not listed, except the current one. */
function channelEntry(channel) {
  const threads = world.threadsOf(channel.id).filter(({ id, thread_metadata }) => !thread_metadata?.archived || id === view.channel);
  return h("li", {}, channelLink(channel), threads.length > 0 && h("ul", { class: "threads" }, threads.map((thread) => h("li", {}, channelLink(thread)))));
}

function channelLink(channel) {
  const look = { class: "channel", href: `#channel/${channel.id}`, "data-channel": channel.id };
  return h("a", look, icon(iconOf(channel)), h("bdi", { class: "name" }, text(channel.name)), h("span", { class: "badge", hidden: true }));
}

function badges() {
  let total = 0;
  const perGuild = new Map();
  for (const channel of world.channels.values()) {
    const unread = world.unread(channel.id);
    const sum = perGuild.get(channel.guild_id) ?? { count: 0, pings: 0 };
    perGuild.set(channel.guild_id, { count: sum.count + unread.count, pings: sum.pings + unread.pings });
    total += unread.count;
    const entry = $("channels").querySelector(`[data-channel="${CSS.escape(channel.id)}"]`);
    if (!entry) continue;
    entry.toggleAttribute("data-unread", unread.count > 0);
    setBadge(entry.querySelector(".badge"), unread.pings || unread.count, unread.pings > 0);
    setCurrent(entry, channel.id === view.channel);
  }
  for (const entry of $("servers").querySelectorAll(".server")) {
    const sum = perGuild.get(entry.dataset.guild);
    entry.toggleAttribute("data-unread", sum?.count > 0);
    setBadge(entry.querySelector(".badge"), sum?.pings ?? 0, true);
    setCurrent(entry, entry.dataset.guild === view.guild);
  }
  setCurrent($("all-channels"), !view.channel);
  $("menu-dot").hidden = total === 0;
  const place = view.channel ? `#${text(world.channels.get(view.channel)?.name)}` : "All channels";
  document.title = `${total ? `(${total > 99 ? "99+" : total}) ` : ""}${place} · nuncio sandbox`;
}

function setCurrent(entry, current) {
  if (current) entry.setAttribute("aria-current", "page");
  else entry.removeAttribute("aria-current");
}

function setBadge(badge, count, ping) {
  badge.hidden = count === 0;
  badge.textContent = count > 99 ? "99+" : String(count);
  badge.title = ping ? plural(count, "mention") : plural(count, "new message");
  badge.classList.toggle("ping", ping);
}

function readCurrent() {
  if (!view.channel || document.hidden) return;
  world.markRead(view.channel);
  scheduleBadges();
}

let badgesDue = false;
/** A storm of messages redraws the badges once per frame, not once per message. */
export function scheduleBadges() {
  if (badgesDue) return;
  badgesDue = true;
  requestAnimationFrame(() => {
    badgesDue = false;
    badges();
  });
}

stream.atEnd = readCurrent;
