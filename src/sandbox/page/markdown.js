/**
 * Discord's Markdown: turns a text into elements. It bounds the work that a hostile text can cause.
 */

import { h, link, safeUrl } from "./element.js";
import { dateOf, formats, relative, timeElement } from "./time.js";
import { nameOf } from "./user.js";
import { hex, text } from "./value.js";
import { world } from "./world.js";

/** Deeper nesting than this is shown as typed; it bounds the work that a hostile text can cause. */
const DEPTH = 8;

/** Block level: code blocks, quotes, headings, lists, and paragraphs between them. */
export function markdown(source, context = {}) {
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
  /** Consumes the matching lines from `i` on, and returns their matches. */
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
 * Inline level: each rule is tried where its first character occurs; the first that matches wins. In the patterns,
 * `\\[^]|[^\\]` skips escapes, so that an escaped mark never closes anything. A run of backticks opens only at its
 * beginning: without that, 4,000 of them keep a browser busy for seconds.
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

export function inline(source, context, depth = 0) {
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
