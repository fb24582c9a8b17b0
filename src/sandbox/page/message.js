/**
 * One message: its content, and the line above a reply.
 */

import { actionRow } from "./component.js";
import { h } from "./element.js";
import { embed } from "./embed.js";
import { inline, markdown } from "./markdown.js";
import { dateOf, formats } from "./time.js";
import { avatar, nameOf } from "./user.js";
import { list, text } from "./value.js";
import { world } from "./world.js";

export function messageBody(message, head) {
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

/** The line above a reply; a click on it goes to the message it answers. */
export function replyLine(message, reveal) {
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
