/**
 * The sandbox's page: what a chat client would show of the Discord that `nuncio sandbox` and `nuncio demo` run.
 *
 * It owns nothing but the view. The truth is `/sandbox/state`; `/sandbox/stream` tells what changed since, in the words
 * of Discord's gateway. After a lost connection or a changed channel it asks for the state again.
 *
 * Invariant: text from messages reaches the document only as text nodes, and addresses only through `safeUrl`. There is
 * no `innerHTML` in this file, so a hostile ticket title is a funny title and nothing else.
 *
 * Read from the top: small tools, the world (data), markdown, messages (one message → one element), the stream (their
 * list), navigation, the connection, and the start at the bottom.
 */

const STATE_URL = "/sandbox/state";
const STREAM_URL = "/sandbox/stream";
/** Messages kept per channel and shown at once; a storm must not make the page slow. */
const KEEP = 200;
/** Messages of one author within this time stand under one name, as Discord groups them. */
const GROUP_MS = 7 * 60_000;
/** This close to the end counts as "reading the newest". */
const NEAR_END_PX = 60;

// ── Small tools ──────────────────────────────────────────────────────────────────────────────────────────────────────

const $ = (id) => document.getElementById(id);

/** Makes an element. Strings among the children become text nodes; `null` and `false` are left out. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** The one door for addresses out of messages: http and https pass, everything else (`javascript:`, `data:`) is null. */
function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

function link(url, properties, ...children) {
  return h("a", { ...properties, href: url, title: url, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

/** Snowflakes are unsigned 64-bit numbers in strings: too large for Number, but longer is larger. */
const compareIds = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
const list = (value) => (Array.isArray(value) ? value : []);
const text = (value) => (value === undefined || value === null ? "" : String(value));
const hex = (color) => `#${(Number(color) & 0xffffff).toString(16).padStart(6, "0")}`;
const plural = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** A hue that stays the same for the same id; neighbouring ids get distant hues. */
function hue(id) {
  let hash = 2166136261;
  for (const char of text(id)) hash = Math.imul(hash ^ char.codePointAt(0), 16777619) >>> 0;
  return Math.imul(hash ^ (hash >>> 15), 2654435761) % 360;
}

function initials(name) {
  const words = text(name).match(/[\p{L}\p{N}]+/gu) ?? ["?"];
  return words.slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
}

function avatar(user, size = "") {
  const ours = user.id === world.application.id;
  const face = ours ? icon("envoy") : initials(nameOf(user));
  return h("span", { class: `avatar ${size} ${ours ? "ours" : ""}`, "--hue": hue(user.id), "aria-hidden": "true" }, face);
}

const appTag = () => h("span", { class: "tag" }, "APP");
const nameOf = (user) => text(user.global_name || user.username || "someone");

let noteTimer;
/** Says one sentence at the foot of the page, for a few seconds. */
function note(sentence) {
  $("note").textContent = sentence;
  $("note").hidden = false;
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => ($("note").hidden = true), 4500);
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const formats = {
  t: new Intl.DateTimeFormat(undefined, { timeStyle: "short" }),
  T: new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }),
  d: new Intl.DateTimeFormat(undefined, { dateStyle: "short" }),
  D: new Intl.DateTimeFormat(undefined, { dateStyle: "long" }),
  f: new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" }),
  F: new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" }),
};
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

function relative(date) {
  const seconds = (date - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return relativeFormat.format(Math.trunc(seconds / size), unit);
}

/** As short as a chat says it; the tooltip has the whole date. */
function when(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return formats.t.format(date);
  if (days === 1) return `Yesterday at ${formats.t.format(date)}`;
  return `${formats.d.format(date)} ${formats.t.format(date)}`;
}

function timeElement(date, shown, properties = {}) {
  return h("time", { datetime: date.toISOString(), title: formats.F.format(date), ...properties }, shown);
}

/** A valid Date, or null: everything in a message may be anything. */
function dateOf(value) {
  const date = new Date(value ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Discord's epoch, and the fallback for a message without a timestamp. */
const timeOf = (message) => dateOf(message.timestamp) ?? new Date(Number(BigInt(message.id) >> 22n) + 1_420_070_400_000);

setInterval(() => {
  for (const time of document.querySelectorAll("time[data-relative]")) time.textContent = relative(new Date(time.dateTime));
}, 5_000);

// ── The world: what the sandbox has told us ──────────────────────────────────────────────────────────────────────────

const world = {
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
const pings = (message) => Boolean(message.mention_everyone) || list(message.mention_roles).length > 0;

// ── Markdown, as Discord reads it ────────────────────────────────────────────────────────────────────────────────────

/** Deeper nesting than this is shown as typed; it bounds the work a hostile text can cause. */
const DEPTH = 8;

/** Block level: code blocks, quotes, headings, lists, and paragraphs between them. */
function markdown(source, context = {}) {
  const root = h("div", { class: "markdown" });
  const fence = /(?<!\\)```(?:([\w+#.-]*)\n)?([^]*?)```/g;
  let from = 0;
  for (const match of text(source).matchAll(fence)) {
    if (match[2].trim() === "") continue;
    root.append(...blocks(source.slice(from, match.index).replace(/\n$/, ""), context));
    root.append(h("pre", { tabindex: "0" }, h("code", {}, match[2].replace(/\n$/, ""))));
    from = match.index + match[0].length;
  }
  root.append(...blocks(text(source).slice(from).replace(from ? /^\n/ : /^$/, ""), context));
  return root;
}

function blocks(source, context) {
  const out = [];
  const lines = source === "" ? [] : source.split("\n");
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) out.push(h("div", {}, inline(paragraph.join("\n"), context)));
    paragraph = [];
  };
  /** Takes the lines from `i` on that match, and what follows their prefix. */
  const run = (i, pattern) => {
    const matches = [];
    for (let match; i < lines.length && (match = pattern.exec(lines[i])); i++) matches.push(match);
    return matches;
  };
  for (let i = 0; i < lines.length; ) {
    let match;
    if ((match = /^>>> (.*)$/.exec(lines[i]))) {
      flush();
      out.push(h("blockquote", {}, blocks([match[1], ...lines.slice(i + 1)].join("\n"), context)));
      break;
    } else if (/^> /.test(lines[i])) {
      flush();
      const quoted = run(i, /^> (.*)$/);
      out.push(h("blockquote", {}, inline(quoted.map((line) => line[1]).join("\n"), context)));
      i += quoted.length;
    } else if ((match = /^(#{1,3}) +(\S.*)$/.exec(lines[i]))) {
      flush();
      out.push(h(`h${match[1].length + 2}`, {}, inline(match[2], context)));
      i += 1;
    } else if ((match = /^-# +(\S.*)$/.exec(lines[i]))) {
      flush();
      out.push(h("div", {}, h("small", {}, inline(match[1], context))));
      i += 1;
    } else if ((match = /^( *)(?:[-*]|(\d{1,9})\.) +(\S.*)$/.exec(lines[i]))) {
      flush();
      const numbered = match[2] !== undefined;
      const items = run(i, numbered ? /^( *)(\d{1,9})\. +(\S.*)$/ : /^( *)([-*]) +(\S.*)$/);
      const item = (line) => h("li", { "--depth": Math.min(Math.floor(line[1].length / 2), 4) }, inline(line[3], context));
      out.push(h(numbered ? "ol" : "ul", { start: numbered && match[2] }, items.map(item)));
      i += items.length;
    } else {
      paragraph.push(lines[i]);
      i += 1;
    }
  }
  flush();
  return out;
}

/**
 * Inline level: each rule is tried where its first character stands; the first that matches wins. In the patterns,
 * `\\[^]|[^\\]` walks over escapes, so that an escaped mark never closes anything. A run of backticks opens only where it
 * begins: without that, 4,000 of them keep a browser busy for seconds.
 */
const RULES = [
  [/\\([^A-Za-z0-9\s])/y, (m) => m[1]],
  [/(?<!`)(`+)(?!`)([^]*?[^`])\1(?!`)/y, (m) => h("code", {}, m[2])],
  [/\*\*((?:\\[^]|[^\\])+?)\*\*(?!\*)/y, (m, inner) => h("strong", {}, inner(m[1]))],
  [/__((?:\\[^]|[^\\])+?)__(?!_)/y, (m, inner) => h("u", {}, inner(m[1]))],
  [/~~((?:\\[^]|[^\\])+?)~~(?!~)/y, (m, inner) => h("s", {}, inner(m[1]))],
  [/\|\|((?:\\[^]|[^\\])+?)\|\|/y, (m, inner) => spoiler(inner(m[1]))],
  [/\*(?=\S)((?:\*\*|\\[^]|[^\\*])+?)\*(?!\*)/y, (m, inner) => h("em", {}, inner(m[1]))],
  [/(?<!\w)_(?=\S)((?:__|\\[^]|[^\\_])+?)_(?!\w)/y, (m, inner) => h("em", {}, inner(m[1]))],
  [/\[((?:\\[^]|[^\]\\])+)\]\(<?(https?:\/\/[^\s<>)]+)>?(?: +"[^"]*")?\)/y, (m, inner, context) => masked(m, inner, context)],
  [/<(https?:\/\/[^\s<>]+)>/y, (m, _, context) => bare(m[1], context)],
  [/https?:\/\/[^\s<]+[^\s<.,:;"'\])]/y, (m, _, context) => bare(m[0], context)],
  [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, (m) => timestamp(Number(m[1]), m[2] ?? "f")],
  [/<@&(\d+)>/y, (m) => rolePill(m[1])],
  [/<@!?(\d+)>/y, (m) => userPill(m[1])],
  [/<#(\d+)>/y, (m) => channelPill(m[1])],
  [/<a?:(\w{2,32}):\d+>/y, (m) => `:${m[1]}:`],
  [/@(?:everyone|here)\b/y, (m, _, context) => (context.everyone ? h("span", { class: "pill" }, m[0]) : m[0])],
];
const MARK = /[\\`*_~|[<h@]/g;

function inline(source, context, depth = 0) {
  const out = [];
  const inner = (part) => inline(part, context, depth + 1);
  if (depth > DEPTH) return [source];
  let plainFrom = 0;
  for (let at = nextMark(source, 0); at >= 0; ) {
    let node = null;
    for (const [pattern, build] of RULES) {
      pattern.lastIndex = at;
      const match = pattern.exec(source);
      if (match && (node = build(match, inner, context)) !== null) {
        if (at > plainFrom) out.push(source.slice(plainFrom, at));
        out.push(node);
        plainFrom = at + match[0].length;
        break;
      }
    }
    at = nextMark(source, node === null ? at + 1 : plainFrom);
  }
  if (plainFrom < source.length) out.push(source.slice(plainFrom));
  return out;
}

function nextMark(source, from) {
  MARK.lastIndex = from;
  return MARK.exec(source)?.index ?? -1;
}

function masked([, label, target], inner, context) {
  const url = safeUrl(target);
  return url && !context.plain ? link(url, {}, inner(label)) : null;
}

function bare(target, context) {
  const url = safeUrl(target);
  return url && !context.plain ? link(url, {}, target) : null;
}

function timestamp(seconds, style) {
  const date = dateOf(seconds * 1000);
  if (!date) return null;
  return style === "R" ? timeElement(date, relative(date), { "data-relative": true }) : timeElement(date, formats[style].format(date));
}

function userPill(id) {
  const user = world.users.get(id);
  return h("bdi", { class: "pill" }, `@${user ? nameOf(user) : "unknown-user"}`);
}

function rolePill(id) {
  const role = world.roles.get(id);
  const color = role?.color ? { "data-role": true, "--role": hex(role.color) } : {};
  return h("bdi", { class: "pill", ...color }, `@${role ? text(role.name) : "unknown-role"}`);
}

function channelPill(id) {
  const channel = world.channels.get(id);
  return channel ? h("a", { class: "pill", href: `#channel/${id}` }, `#${text(channel.name)}`) : h("span", { class: "pill" }, "#unknown");
}

function spoiler(children) {
  const toggle = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    cover.setAttribute("aria-expanded", cover.getAttribute("aria-expanded") !== "true");
  };
  const cover = h(
    "span",
    { class: "spoiler", role: "button", tabindex: "0", "aria-expanded": "false", "aria-label": "Spoiler", onclick: toggle, onkeydown: toggle },
    h("span", {}, children),
  );
  return cover;
}

// ── Messages: one message, one element ───────────────────────────────────────────────────────────────────────────────

function messageBody(message, head) {
  const body = h("div", { class: "body" }, head);
  const context = { everyone: message.mention_everyone };
  if (message.content || message.edited_timestamp) {
    const content = markdown(text(message.content), context);
    const edited = dateOf(message.edited_timestamp);
    const mark = edited && h("span", { class: "edited", title: `Edited ${formats.F.format(edited)}` }, "(edited)");
    if (mark) (content.lastElementChild ?? content).append(mark);
    body.append(content);
  }
  body.append(...list(message.embeds).filter(Boolean).map(embed));
  body.append(...list(message.components).map((row) => actionRow(message, row)).filter(Boolean));
  return body;
}

function embed(data) {
  const title = data.title && inline(text(data.title), { plain: true });
  const url = safeUrl(data.url);
  const author = data.author?.name && text(data.author.name);
  const authorUrl = safeUrl(data.author?.url);
  const stamp = dateOf(data.timestamp);
  const footer = [
    data.footer?.text && h("bdi", {}, text(data.footer.text)),
    data.footer?.text && stamp && " · ",
    stamp && timeElement(stamp, when(stamp)),
  ].filter(Boolean);
  return h(
    "article",
    { class: "embed", "--bar": Number.isInteger(data.color) ? hex(data.color) : null },
    author && h("div", { class: "embed-author" }, authorUrl ? link(authorUrl, {}, author) : author),
    title && (url ? link(url, { class: "embed-title" }, title) : h("div", { class: "embed-title" }, title)),
    data.description && markdown(text(data.description)),
    list(data.fields).length > 0 && h("div", { class: "fields" }, fieldRows(data.fields)),
    picture(data.image?.url, "Picture"),
    picture(data.thumbnail?.url, "Thumbnail"),
    footer.length > 0 && h("div", { class: "embed-footer" }, footer),
  );
}

/** Discord puts up to three inline fields that follow each other into one row; `data-of` says how many share it. */
function fieldRows(fields) {
  const rows = [];
  for (const field of fields) {
    const row = rows.at(-1);
    if (field.inline && row?.[0].inline && row.length < 3) row.push(field);
    else rows.push([field]);
  }
  const cell = (field, _, row) => {
    const name = h("div", { class: "field-name" }, inline(text(field.name), { plain: true }));
    return h("div", { class: "field", "data-of": row.length }, name, markdown(text(field.value)));
  };
  return rows.flatMap((row) => row.map(cell));
}

/** The page's policy lets pictures come from Discord's own CDN only; any other is named, not fetched. */
function picture(address, label) {
  const url = safeUrl(address);
  if (!url) return null;
  if (new URL(url).origin === "https://cdn.discordapp.com") return h("img", { src: url, alt: label, loading: "lazy" });
  return h("div", { class: "embed-media" }, link(url, {}, `${label}: ${new URL(url).host}`));
}

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary" };

/** An action row of buttons. Selects and the rest have their place here once something sends them. */
function actionRow(message, row) {
  const buttons = list(row.components).filter((component) => component.type === 2);
  if (buttons.length === 0) return null;
  return h("div", { class: "actions" }, buttons.map((component) => button(message, component)));
}

function button(message, component) {
  const emoji = component.emoji?.name && (component.emoji.id ? `:${component.emoji.name}:` : component.emoji.name);
  const label = [
    emoji && h("span", { "aria-hidden": component.label ? "true" : null }, emoji),
    component.label && h("bdi", {}, text(component.label)),
  ];
  const look = { class: `action ${STYLES[component.style] ?? "secondary"}` };
  const url = safeUrl(component.url);
  if (component.style === 5 && url && !component.disabled) return link(url, look, label, icon("out"));
  const onclick = () => press(message, component);
  return h("button", { ...look, type: "button", disabled: component.disabled, "data-custom-id": component.custom_id, onclick }, label);
}

/** The one place where a person acts. The state names the endpoint as soon as the sandbox can take interactions. */
async function press(message, component) {
  if (!world.interactions) return note("Nobody answers this button yet: decisions come with a later version.");
  const data = { component_type: component.type, custom_id: component.custom_id };
  const body = JSON.stringify({ type: 3, channel_id: message.channel_id, message_id: message.id, data });
  try {
    const answer = await fetch(world.interactions, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!answer.ok) note(`This interaction failed (${answer.status}).`);
  } catch {
    note("This interaction failed: the sandbox cannot be reached.");
  }
}

/** The line above a reply; a click on it goes to the message it answers. */
function replyLine(message) {
  const reference = message.message_reference;
  if (!reference?.message_id || message.type !== 19) return null;
  const answered = world.find(reference.channel_id ?? message.channel_id, reference.message_id) ?? message.referenced_message;
  if (!answered) return h("div", { class: "reply" }, h("i", {}, "Original message was deleted"));
  const excerpt = answered.content || answered.embeds?.[0]?.title || "a card";
  return h(
    "button",
    { class: "reply", type: "button", title: "Go to this message", onclick: () => stream.reveal(answered.id) },
    avatar(answered.author, "tiny"),
    h("b", {}, h("bdi", {}, nameOf(answered.author))),
    h("span", { class: "excerpt" }, inline(text(excerpt).split("\n")[0], { plain: true })),
  );
}

// ── The stream: the list of messages on the screen ───────────────────────────────────────────────────────────────────

const stream = {
  list: $("messages"),
  scroller: $("scroller"),
  shown: [],
  place: null, // whose messages these are; the same again (after a reload) keeps the reader where they were
  showPlaces: false,
  firstUnread: null,
  pinned: true, // the reader is at the end and wants to stay there
  waiting: 0, // messages that came while the reader was further up

  /** Shows these messages instead of those before; `firstUnread` gets the line "new" above it. */
  show(messages, { place, showPlaces, firstUnread }) {
    const stay = place === this.place && !this.pinned ? this.scroller.scrollTop : null;
    Object.assign(this, { place, shown: [...messages], showPlaces, firstUnread, waiting: 0 });
    this.list.replaceChildren(...this.shown.map((message, i) => this.item(message, this.shown[i - 1])));
    if (stay === null) this.toEnd();
    else this.scroller.scrollTop = stay;
    this.refresh();
  },

  append(message) {
    this.measure();
    const item = this.item(message, this.shown.at(-1));
    item.querySelector(".message").classList.add("fresh");
    this.shown.push(message);
    this.list.append(item);
    if (this.shown.length > KEEP) {
      this.shown.shift();
      this.list.firstElementChild.remove();
      this.redraw(0);
    }
    if (this.pinned) this.toEnd();
    else this.waiting += 1;
    this.refresh();
  },

  update(message) {
    const at = this.shown.findIndex((shown) => shown.id === message.id);
    if (at < 0) return;
    this.measure();
    this.shown[at] = message;
    this.redraw(at)?.querySelector(".message").classList.add("changed");
  },

  remove(id) {
    const at = this.shown.findIndex((shown) => shown.id === id);
    if (at < 0) return;
    this.measure();
    this.shown.splice(at, 1);
    this.list.children[at].remove();
    this.redraw(at);
    this.refresh();
  },

  /** Draws one item anew, without taking the focus away from a button in it. */
  redraw(at) {
    const before = this.list.children[at];
    if (!before) return null;
    const focused = before.contains(document.activeElement) ? document.activeElement.dataset.customId : undefined;
    const after = this.item(this.shown[at], this.shown[at - 1]);
    before.replaceWith(after);
    if (focused) after.querySelector(`[data-custom-id="${CSS.escape(focused)}"]`)?.focus();
    if (this.pinned) this.toEnd();
    return after;
  },

  /** One list item. Whatever a message holds, it costs at most its own place in the list. */
  item(message, previous) {
    try {
      return this.draw(message, previous);
    } catch (error) {
      console.error("message", message.id, error);
      return h("li", { class: "item", "data-id": message.id }, h("div", { class: "message" }, h("i", { class: "body" }, "This message cannot be shown.")));
    }
  },

  /** The lines above a message (day, "new"), and the message: under its author's name, or under the one before. */
  draw(message, previous) {
    const date = timeOf(message);
    const day = !previous || timeOf(previous).toDateString() !== date.toDateString();
    const fresh = message.id === this.firstUnread;
    const reply = replyLine(message);
    const grouped =
      !day && !fresh && !reply && previous.channel_id === message.channel_id && previous.author.id === message.author.id &&
      previous.author.username === message.author.username && date - timeOf(previous) < GROUP_MS;
    return h(
      "li",
      { class: grouped ? "item" : "item head", "data-id": message.id },
      day && h("div", { class: "divider", role: "separator" }, formats.D.format(date)),
      fresh && h("div", { class: "divider new", role: "separator" }, "New"),
      h(
        "div",
        { class: pings(message) ? "message pinged" : "message" },
        reply,
        grouped ? h("div", { class: "gutter" }, timeElement(date, formats.t.format(date))) : avatar(message.author),
        messageBody(message, grouped ? null : this.head(message, date)),
      ),
    );
  },

  head(message, date) {
    const place = this.showPlaces && world.channels.get(message.channel_id);
    return h(
      "div",
      { class: "message-head" },
      h("span", {}, h("bdi", { class: "author" }, nameOf(message.author)), (message.author.bot || message.webhook_id) && appTag()),
      timeElement(date, when(date)),
      place && h("a", { class: "place", href: `#channel/${place.id}`, title: `Open #${place.name}` }, icon("hash"), h("bdi", {}, text(place.name))),
    );
  },

  /** Scrolls to a message and lets it light up; if it is not here, the reader is told. */
  reveal(id) {
    const item = this.list.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (!item) return note("That message is further up than this page goes.");
    const message = item.querySelector(".message");
    item.scrollIntoView({ block: "center" });
    message.classList.remove("changed");
    void message.offsetWidth; // lets the animation start again
    message.classList.add("changed");
  },

  toEnd() {
    this.pinned = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  },

  /** Asked before every change as well: in a storm the next message can be faster than the browser's scroll event. */
  measure() {
    this.pinned = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_END_PX;
  },

  scrolled() {
    this.measure();
    if (this.pinned) this.waiting = 0;
    this.refresh();
  },

  refresh() {
    $("empty").hidden = this.shown.length > 0;
    $("jump").hidden = this.pinned;
    $("jump-text").textContent = this.waiting ? plural(this.waiting, "new message") : "Jump to newest";
    if (this.pinned) readCurrent();
  },
};

// ── Navigation: servers, channels, members, header, status ───────────────────────────────────────────────────────────

/** What is on the screen: a guild, and one of its channels or (null) all of them. */
const view = { guild: null, channel: null };

/**
 * `#channel/<id>`, `#all` and `#all/<server>` are the whole address space. Anything else changes nothing, unless what is
 * shown is gone (or nothing was shown yet): then the first channel that has messages.
 */
function route() {
  const [, channel] = /^#channel\/(\d+)$/.exec(location.hash) ?? [];
  const all = /^#all(?:\/(\d+))?$/.exec(location.hash);
  const known = (guild) => world.guilds.some(({ id }) => id === guild);
  if (world.channels.has(channel)) {
    Object.assign(view, { guild: world.channels.get(channel).guild_id, channel });
  } else if (all) {
    Object.assign(view, { guild: [all[1], view.guild, world.guilds[0]?.id].find(known) ?? null, channel: null });
  } else if (!known(view.guild) || (view.channel && !world.channels.has(view.channel))) {
    const first = ordered(world.guilds[0]).find(({ id }) => world.of(id).length > 0);
    Object.assign(view, { guild: world.guilds[0]?.id ?? null, channel: first?.id ?? null });
    history.replaceState(null, "", first ? `#channel/${first.id}` : "#all");
  }
  showView();
}

function showView() {
  const channel = world.channels.get(view.channel);
  $("view-name").textContent = channel ? text(channel.name) : "All channels";
  $("view-topic").textContent = channel ? text(channel.topic) : "the newest of every channel, as it arrives";
  $("view-icon").setAttribute("href", channel ? "#icon-hash" : "#icon-stream");
  $("empty").replaceChildren(...emptyState(channel));
  navigation();
  const messages = channel ? world.of(channel.id) : world.everywhere(view.guild);
  stream.show(messages, { place: channel?.id ?? view.guild, showPlaces: !channel, firstUnread: channel ? world.unread(channel.id).first : null });
}

function emptyState(channel) {
  return [
    icon("envoy"),
    h("h3", {}, channel ? `Welcome to #${text(channel.name)}` : "Nothing here yet"),
    h("p", {}, channel ? "Nothing here yet. " : "", "What a bot sends to this sandbox appears here at once. Send something:"),
    h("p", { class: "markdown" }, h("code", {}, "cargo run -- send --all")),
  ];
}

function ordered(guild) {
  const channels = [...world.channels.values()].filter((channel) => channel.guild_id === guild?.id);
  return channels.sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || compareIds(a.id, b.id));
}

/** Draws both left columns and the members. What changes often is `badges`: it leaves the elements, and so the focus, alone. */
function navigation() {
  const focused = document.activeElement?.getAttribute?.("href");
  const guild = world.guilds.find((guild) => guild.id === view.guild);
  $("server-name").textContent = guild ? text(guild.name) : "No server yet";
  $("servers").replaceChildren(...world.guilds.map(serverEntry));
  $("channels").replaceChildren(...ordered(guild).map(channelEntry));
  $("identity-name").textContent = text(world.application.name);
  $("identity-avatar").replaceChildren(avatar({ id: world.application.id }, "small"));
  members(guild);
  badges();
  if (focused) $("drawer").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function serverEntry({ id, name }) {
  const look = { class: "server", href: `#all/${id}`, title: text(name), "aria-label": text(name), "data-guild": id };
  return h("li", {}, h("a", look, initials(name), h("span", { class: "badge ping", hidden: true })));
}

function channelEntry({ id, name }) {
  const look = { class: "channel", href: `#channel/${id}`, "data-channel": id };
  return h("li", {}, h("a", look, icon("hash"), h("bdi", { class: "name" }, text(name)), h("span", { class: "badge", hidden: true })));
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

/** Members under the first of their roles, as the server lists its roles; people without one and apps come last. */
function members(guild) {
  const roles = list(guild?.roles).filter((role) => role.id !== guild.id); // a server's own id is its @everyone
  const groups = [...roles.map(({ name, color }) => ({ name, color, users: [] })), { name: "Members", users: [] }, { name: "Apps", users: [] }];
  for (const { user, roles: theirs } of list(guild?.members)) {
    const role = roles.findIndex((role) => list(theirs).includes(role.id));
    groups.at(role >= 0 ? role : user.bot ? -1 : -2).users.push(user);
  }
  $("members").replaceChildren(...groups.filter(({ users }) => users.length > 0).map(memberGroup));
}

function memberGroup({ name, color, users }) {
  const person = (user) =>
    h("li", { class: "member" }, avatar(user, "small"), h("span", { class: "who" }, h("bdi", {}, nameOf(user)), user.bot && appTag()));
  const heading = h("h3", {}, color ? h("i", { "--role": hex(color) }) : null, h("bdi", {}, `${text(name)} · ${users.length}`));
  return h("section", { class: "members" }, heading, h("ul", {}, users.map(person)));
}

/** The status line: what the sandbox's Discord answered since it started. */
function counts(counts = {}) {
  const one = (label, n, title, trouble) =>
    h("span", { title, class: trouble && n > 0 ? "trouble" : null }, `${label} `, h("b", {}, text(n ?? 0)));
  $("counts").replaceChildren(
    one("accepted", counts.accepted, "requests this Discord took"),
    one("refused", counts.refused, "requests it refused with one of Discord's own errors", true),
    one("rate limited", counts.rate_limited, "requests it answered with 429: come back later", true),
  );
}

function readCurrent() {
  if (!view.channel || document.hidden) return;
  world.markRead(view.channel);
  scheduleBadges();
}

let badgesDue = false;
/** A storm of messages redraws the badges once a frame, not once a message. */
function scheduleBadges() {
  if (badgesDue) return;
  badgesDue = true;
  requestAnimationFrame(() => {
    badgesDue = false;
    badges();
  });
}

// ── The connection ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Events that came while the state was on its way; they are idempotent, so replaying them on top of it is safe. */
let held = null;

async function load() {
  if (held) return;
  held = [];
  try {
    const answer = await fetch(STATE_URL, { cache: "no-store" });
    if (!answer.ok) throw new Error(`state: ${answer.status}`);
    const state = await answer.json();
    world.load(state);
    counts(state.counts);
    linkState("live");
    route();
  } catch (error) {
    console.warn("no state yet:", error);
    linkState("lost");
    setTimeout(load, 2000);
  }
  const late = held;
  held = null;
  late.forEach(receive);
}

function receive(event) {
  if (held) return held.push(event);
  const { t: kind, d: data } = event;
  if (kind === "MESSAGE_CREATE" || kind === "MESSAGE_UPDATE") {
    const { message, created } = world.put(data);
    if (!message) return;
    if (created) arrived(message);
    else stream.update(message);
  } else if (kind === "MESSAGE_DELETE" || kind === "MESSAGE_DELETE_BULK") {
    for (const id of data.ids ?? [data.id]) {
      world.remove(data.channel_id, id);
      stream.remove(id);
    }
  } else if (kind === "SANDBOX_COUNTS") {
    counts(data);
  } else if (/^(SANDBOX_RELOAD|CHANNEL_|THREAD_|GUILD_)/.test(kind)) {
    // Servers and channels change rarely: asking again is simpler than eleven kinds of merging, and never wrong.
    load();
  }
  scheduleBadges();
}

function arrived(message) {
  const here = view.channel ? message.channel_id === view.channel : world.channels.get(message.channel_id)?.guild_id === view.guild;
  if (here) stream.append(message);
  announce(message);
}

let announceTimer;
/** Screen readers hear the newest summary line, at most once a second. */
function announce(message) {
  clearTimeout(announceTimer);
  announceTimer = setTimeout(() => {
    const place = text(world.channels.get(message.channel_id)?.name);
    $("announcer").textContent = `${place}: ${text(message.content || message.embeds?.[0]?.title).slice(0, 200)}`;
  }, 1000);
}

function linkState(state) {
  $("link").dataset.state = state;
  $("link").textContent = state === "live" ? "live" : "reconnecting…";
  $("banner").hidden = state === "live";
  $("banner").textContent = state === "live" ? "" : "The sandbox cannot be reached. This page comes back by itself.";
}

function connect() {
  const source = new EventSource(STREAM_URL);
  // Each (re)connection may have missed something: the stream opens first, then the state is asked for.
  source.onopen = () => load();
  source.onmessage = (message) => {
    try {
      receive(JSON.parse(message.data));
    } catch (error) {
      console.error("event", message.data, error);
    }
  };
  source.onerror = () => {
    linkState("lost");
    // The browser tries again by itself, except after an HTTP error.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}

// ── Theme, drawer, start ─────────────────────────────────────────────────────────────────────────────────────────────

/** Storage throws where the visitor has switched it off; the page works without. */
const remembered = {
  get(key) {
    try { return localStorage.getItem(key); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, value); } catch { /* then it is not remembered */ }
  },
};

function setTheme(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  $("theme-icon").setAttribute("href", currentTheme() === "dark" ? "#icon-sun" : "#icon-moon");
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const currentTheme = () => document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light");

function openDrawer(open) {
  $("drawer").toggleAttribute("data-open", open);
  $("backdrop").hidden = !open;
  $("menu").setAttribute("aria-expanded", open);
  document.querySelector("main").inert = open;
}

setTheme(new URLSearchParams(location.search).get("theme") ?? remembered.get("nuncio.theme"));
systemDark.addEventListener("change", () => setTheme());
$("theme").addEventListener("click", () => {
  const theme = currentTheme() === "dark" ? "light" : "dark";
  setTheme(theme);
  remembered.set("nuncio.theme", theme);
});
$("menu").addEventListener("click", () => {
  openDrawer(true);
  $("all-channels").focus();
});
$("backdrop").addEventListener("click", () => openDrawer(false));
$("drawer").addEventListener("click", (event) => event.target.closest("a") && openDrawer(false));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !$("drawer").hasAttribute("data-open")) return;
  openDrawer(false);
  $("menu").focus();
});
$("jump").addEventListener("click", () => stream.toEnd());
$("scroller").addEventListener("scroll", () => stream.scrolled(), { passive: true });
document.addEventListener("visibilitychange", () => stream.refresh());
new ResizeObserver(() => stream.pinned && stream.toEnd()).observe($("scroller"));
addEventListener("hashchange", route);

connect();
