/**
 * One message: the line above it, its content, and its actions.
 */

import { appsButton } from "./apps.js";
import { components } from "./component.js";
import { h, icon } from "./element.js";
import { embed } from "./embed.js";
import { inline, markdown } from "./markdown.js";
import { dateOf, formats } from "./time.js";
import { avatar, nameOf } from "./user.js";
import { list, plural, text } from "./value.js";
import { world } from "./world.js";

/** The answer is deferred and not there yet (Discord: the flag LOADING). */
const LOADING = 1 << 7;
/** The types of messages that answer a slash command or a context menu command. */
const COMMAND_ANSWERS = [20, 23];

export function messageBody(message, head, dismiss) {
  const body = h("div", { class: "body" }, head);
  const context = { everyone: message.mention_everyone };
  if (message.flags & LOADING) {
    body.append(h("p", { class: "thinking" }, h("i", { "aria-hidden": "true" }), h("bdi", {}, `${nameOf(message.author)} is thinking…`)));
  } else if (message.content || message.edited_timestamp) {
    const content = markdown(text(message.content), context);
    const edited = dateOf(message.edited_timestamp);
    const mark = edited && h("span", { class: "edited", title: `Edited ${formats.F.format(edited)}` }, "(edited)");
    if (mark) (content.lastElementChild ?? content).append(mark);
    body.append(content);
  }
  body.append(...list(message.attachments).filter(Boolean).map(attachment));
  body.append(...list(message.embeds).filter(Boolean).map(embed));
  body.append(...components(message));
  if (message.thread) body.append(threadLink(message.thread));
  if (message.only_for) {
    const put = h("button", { class: "as-link", type: "button", onclick: dismiss }, "Dismiss message");
    body.append(h("p", { class: "only-you" }, icon("eye"), "Only you can see this · ", put));
  }
  return body;
}

/** Attachments are named, not shown. */
function attachment({ filename, size }) {
  const bytes = Number.isFinite(size) ? ` · ${(size / 1024).toFixed(1)} KiB` : "";
  return h("p", { class: "attachment" }, icon("file"), h("bdi", {}, text(filename)), bytes);
}

function threadLink({ id, name, message_count: count }) {
  const more = Number.isFinite(count) && count > 0 ? ` · ${plural(count, "message")}` : "";
  return h("a", { class: "thread-link", href: `#channel/${text(id)}` }, icon("thread"), h("bdi", {}, text(name)), h("span", {}, `${more} ›`));
}

/** Actions on a message besides its own buttons: the applications' commands on messages and on users. */
export function tools(message) {
  const button = appsButton(message.channel_id, { message, user: message.author });
  return button && h("div", { class: "tools" }, button);
}

/** The line above a message: the message that it replies to, or the command. */
export function lineAbove(message, reveal) {
  return COMMAND_ANSWERS.includes(message.type) ? commandLine(message) : replyLine(message, reveal);
}

function commandLine({ interaction, interaction_metadata: metadata, type }) {
  const user = interaction?.user ?? metadata?.user;
  const name = text(interaction?.name ?? metadata?.name);
  if (!user || !name) return null;
  const shown = h("span", { class: "used" }, type === 20 ? `/${name}` : name);
  return h("div", { class: "reply" }, avatar(user, "tiny"), h("b", {}, h("bdi", {}, nameOf(user))), " used ", shown);
}

/** The line above a reply; a click on it jumps to the message that it replies to. */
function replyLine(message, reveal) {
  const reference = message.message_reference;
  if (!reference?.message_id || message.type !== 19) return null;
  const answered = world.find(reference.channel_id ?? message.channel_id, reference.message_id) ?? message.referenced_message;
  if (!answered) return h("div", { class: "reply" }, h("i", {}, "Original message was deleted"));
  const excerpt = answered.content || answered.embeds?.[0]?.title || "a card";
  return h(
    "button",
    { class: "reply", type: "button", title: "Go to this message", onclick: () => reveal(answered.id) },
    avatar(answered.author, "tiny"),
    h("b", {}, h("bdi", {}, nameOf(answered.author))),
    h("span", { class: "excerpt" }, inline(text(excerpt).split("\n")[0], { plain: true })),
  );
}
