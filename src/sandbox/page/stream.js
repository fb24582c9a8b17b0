/**
 * The message list on the screen: one list item per message, the newest at the end.
 */

import { $, h, icon } from "./element.js";
import { lineAbove, messageBody, tools } from "./message.js";
import { note } from "./note.js";
import { formats, timeElement, timeOf, when } from "./time.js";
import { appTag, avatar, nameOf } from "./user.js";
import { plural, text } from "./value.js";
import { KEEP, pings, world } from "./world.js";

/** Messages of one author within this time are grouped under one name, as in Discord. */
const GROUP_MS = 7 * 60_000;
/** A scroll position this close to the end counts as "reading the newest". */
const NEAR_END_PX = 60;

export const stream = {
  list: $("messages"),
  scroller: $("scroller"),
  shown: [],
  place: null, // the channel shown; drawing it again (after a reload) keeps the scroll position
  showPlaces: false,
  firstUnread: null,
  pinned: true, // the reader is at the end and stays there
  due: [], // changes for the next frame
  atEnd() {}, // called while the reader is at the end; navigation then marks the channel as read
  waiting: 0, // messages that arrived while the reader was further up

  /** Replaces the shown messages; `firstUnread` gets the line "new" above it. */
  show(messages, { place, showPlaces, firstUnread }) {
    const stay = place === this.place && !this.pinned ? this.scroller.scrollTop : null;
    Object.assign(this, { place, shown: [...messages], showPlaces, firstUnread, waiting: 0, due: [] });
    const focus = this.focused();
    this.list.replaceChildren(...this.shown.map((message, i) => this.item(message, this.shown[i - 1])));
    this.refocus(focus);
    if (stay === null) this.toEnd();
    else this.scroller.scrollTop = stay;
    this.refresh();
  },

  append(message) {
    this.later(() => {
      const item = this.item(message, this.shown.at(-1));
      item.querySelector(".message").classList.add("fresh");
      this.shown.push(message);
      this.list.append(item);
      if (!this.pinned) this.waiting += 1;
    });
  },

  update(message) {
    this.later(() => {
      const at = this.shown.findIndex((shown) => shown.id === message.id);
      if (at < 0) return;
      this.shown[at] = message;
      this.redraw(at)?.querySelector(".message").classList.add("changed");
    });
  },

  remove(id) {
    this.later(() => {
      const at = this.shown.findIndex((shown) => shown.id === id);
      if (at < 0) return;
      this.shown.splice(at, 1);
      this.list.children[at].remove();
      this.redraw(at);
    });
  },

  /** Changes are drawn once per frame: a storm costs one layout, not one per message. A hidden page has no frames. */
  later(change) {
    this.due.push(change);
    if (this.due.length > 1) return;
    const draw = () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      this.drawDue();
    };
    const timer = setTimeout(draw, 250);
    const frame = requestAnimationFrame(draw);
  },

  drawDue() {
    const due = this.due;
    this.due = [];
    if (due.length === 0) return;
    this.measure();
    for (const change of due) change();
    const old = this.shown.length - KEEP;
    if (old > 0) {
      this.shown.splice(0, old);
      for (let i = 0; i < old; i++) this.list.firstElementChild.remove();
      this.redraw(0);
    }
    if (this.pinned) this.toEnd();
    this.refresh();
  },

  /** Redraws one item without taking the focus away from a button in it. */
  redraw(at) {
    const before = this.list.children[at];
    if (!before) return null;
    const focus = before.contains(document.activeElement) ? this.focused() : null;
    const after = this.item(this.shown[at], this.shown[at - 1]);
    before.replaceWith(after);
    this.refocus(focus);
    return after;
  },

  /** The focused message, and which of its buttons has the focus. */
  focused() {
    const item = this.list.contains(document.activeElement) && document.activeElement.closest("[data-id]");
    return item ? { message: item.dataset.id, button: document.activeElement.dataset.customId } : null;
  },

  /** Restores the focus to its button, otherwise to its message: never to another button, nor to the page's top. */
  refocus(focus) {
    const item = focus && this.list.querySelector(`[data-id="${CSS.escape(focus.message)}"]`);
    const button = focus?.button && item?.querySelector(`[data-custom-id="${CSS.escape(focus.button)}"]`);
    (button || item)?.focus({ preventScroll: true });
  },

  /** One list item. Whatever a message contains, a failure affects at most its own item. */
  item(message, previous) {
    try {
      return this.draw(message, previous);
    } catch (error) {
      console.error("message", message.id, error);
      return h("li", { class: "item", "data-id": message.id }, h("div", { class: "message" }, h("i", { class: "body" }, "This message cannot be shown.")));
    }
  },

  /** The lines above a message (day, "new"), and the message: under its author, or grouped with the one before. */
  draw(message, previous) {
    const date = timeOf(message);
    const day = !previous || timeOf(previous).toDateString() !== date.toDateString();
    const fresh = message.id === this.firstUnread;
    const reply = lineAbove(message, (id) => this.reveal(id));
    const grouped =
      !day && !fresh && !reply && previous.channel_id === message.channel_id && previous.author.id === message.author.id &&
      previous.author.username === message.author.username && date - timeOf(previous) < GROUP_MS;
    return h(
      "li",
      { class: grouped ? "item" : "item head", "data-id": message.id, tabindex: "-1" },
      day && h("div", { class: "divider", role: "separator" }, formats.D.format(date)),
      fresh && h("div", { class: "divider new", role: "separator" }, "New"),
      h(
        "div",
        { class: `message${pings(message) ? " pinged" : ""}${message.only_for ? " private" : ""}` },
        reply,
        grouped ? h("div", { class: "gutter" }, timeElement(date, formats.t.format(date))) : avatar(message.author),
        messageBody(message, grouped ? null : this.head(message, date), () => this.dismiss(message)),
        tools(message),
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

  /** Scrolls to a message and highlights it; if it is not here, shows a notice. */
  reveal(id) {
    const item = this.list.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (!item) return note("That message is further up than this page goes.");
    const message = item.querySelector(".message");
    item.scrollIntoView({ block: "center" });
    message.classList.remove("changed");
    void message.offsetWidth; // restarts the animation
    message.classList.add("changed");
  },

  dismiss(message) {
    world.dismissed.add(message.id);
    this.remove(message.id);
  },

  toEnd() {
    this.pinned = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  },

  /** Also called before every change: in a storm the next one can be faster than the browser's scroll event. */
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
    if (this.pinned) this.atEnd();
  },
};
