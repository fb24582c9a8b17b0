/**
 * Message components: buttons and menus, and the containers of Discord's Components V2.
 *
 * A message may be redrawn at any time; pending clicks and failures are kept here and drawn with it.
 */

import { offers, TYPE } from "./command.js";
import { h, icon, link, safeUrl } from "./element.js";
import { COMPONENT, interact } from "./interaction.js";
import { markdown } from "./markdown.js";
import { openMenu } from "./menu.js";
import { hex, list, text } from "./value.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary" };
/** The values that menus without own options choose from, as command option types. */
const CHOOSES = { 5: TYPE.USER, 6: TYPE.ROLE, 7: TYPE.ANYBODY, 8: TYPE.CHANNEL };
/** The maximum depth of nested containers: deeper ones are not shown, as Discord accepts fewer. */
const DEPTH = 4;

const waiting = new Set(); // message id + custom id of unanswered clicks
const failures = new Map(); // message id → the reason for the last failed click

/** The elements of all components of a message, and the line with the failure. */
export function components(message) {
  const drawn = list(message.components).map((component) => draw(message, component, DEPTH)).filter(Boolean);
  if (drawn.length === 0) return [];
  const line = h("p", { class: "failure", role: "status" });
  sayFailure(line, message.id);
  return [...drawn, line];
}

function draw(message, component, depth) {
  const inner = () => (depth > 0 ? list(component?.components).map((one) => draw(message, one, depth - 1)).filter(Boolean) : []);
  switch (component?.type) {
    case 1: return inner().length > 0 ? h("div", { class: "actions" }, inner()) : null;
    case 2: return button(message, component);
    case 3: case 5: case 6: case 7: case 8: return select(message, component);
    case 9: return h("div", { class: "section" }, h("div", {}, inner()), component.accessory && depth > 0 && draw(message, component.accessory, depth - 1));
    case 10: return markdown(text(component.content));
    case 11: return picture(component.media, component.description);
    case 12: return h("div", {}, list(component.items).map((item) => picture(item?.media, item?.description)));
    case 14: return h("hr", { class: component.divider === false ? "gap" : "gap line" });
    case 17: return h("div", { class: "embed", "--bar": Number.isInteger(component.accent_color) ? hex(component.accent_color) : null }, inner());
    default: return null;
  }
}

/** Images from other origins are named, not fetched. */
function picture(media, description) {
  const url = safeUrl(media?.url);
  return url && h("div", { class: "embed-media" }, link(url, {}, text(description) || new URL(url).host));
}

function faceOf({ emoji, label }) {
  const shown = emoji?.name && (emoji.id ? `:${emoji.name}:` : emoji.name);
  return shown && h("span", { class: "face", "aria-hidden": label ? "true" : null }, shown);
}

function button(message, component) {
  const look = { class: `action ${STYLES[component.style] ?? "secondary"}` };
  const label = [faceOf(component), component.label && h("bdi", {}, text(component.label))];
  const url = safeUrl(component.url);
  if (component.style === 5 && url && !component.disabled) return link(url, look, label, icon("out"));
  const onclick = () => press(message, component);
  return h("button", { ...look, type: "button", disabled: component.disabled, onclick, ...mark(message, component) }, label);
}

function select(message, component) {
  const least = component.min_values ?? 1;
  const most = component.max_values ?? 1;
  const several = most > 1 || least === 0;
  const chosen = new Set(list(component.options).filter((option) => option?.default).map(({ value }) => value));
  for (const { id } of list(component.default_values)) chosen.add(id);
  const own = list(component.options).filter(Boolean);
  const options = () =>
    component.type === 3
      ? own.map((option) => ({ label: text(option.label), detail: text(option.description), face: faceOf(option), value: option.value }))
      : offers({ type: CHOOSES[component.type], channel_types: component.channel_types }, message.channel_id);
  const names = own.filter(({ value }) => chosen.has(value)).map(({ label }) => text(label)).join(", ");
  const open = (event) => {
    const picked = new Set(chosen);
    const items = options().map((option) => ({
      ...option,
      checked: picked.has(option.value),
      pick(item) {
        if (!several) return press(message, component, [option.value]);
        if (!picked.delete(option.value) && picked.size < most) picked.add(option.value);
        item.setAttribute("aria-checked", String(picked.has(option.value)));
      },
    }));
    const onclose = () => {
      const same = picked.size === chosen.size && [...picked].every((value) => chosen.has(value));
      if (!same && picked.size >= least) press(message, component, [...picked]);
    };
    const title = text(component.placeholder) || "Make a selection";
    openMenu(event.currentTarget, title, items, { several, onclose: several ? onclose : null });
  };
  const label = h("bdi", { class: names ? "chosen" : null }, names || text(component.placeholder) || "Make a selection");
  return h("button", { class: "select", type: "button", disabled: component.disabled, "aria-haspopup": "menu", onclick: open, ...mark(message, component) }, label, icon("chevron"));
}

// ── Pressing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const keyOf = (message, component) => `${message.id}/${component.custom_id}`;
const mark = (message, component) => ({ "data-custom-id": component.custom_id, "aria-busy": waiting.has(keyOf(message, component)) ? "true" : null });

/** Presses a button, or chooses `values` from a menu; one click at a time. */
async function press(message, component, values) {
  const key = keyOf(message, component);
  if (waiting.has(key)) return;
  waiting.add(key);
  failures.delete(message.id);
  paint(message, component);
  const data = { component_type: component.type, custom_id: component.custom_id, ...(values && { values }) };
  const outcome = await interact(COMPONENT, message.channel_id, data, { message_id: message.id, message_flags: message.flags ?? 0 });
  waiting.delete(key);
  if (outcome.state === "failed") failures.set(message.id, text(outcome.reason));
  paint(message, component);
}

/** Updates the elements on the screen without redrawing the message: the focus stays. */
function paint(message, component) {
  const item = document.querySelector(`#messages [data-id="${CSS.escape(message.id)}"]`);
  if (!item) return;
  const pressed = item.querySelector(`[data-custom-id="${CSS.escape(text(component.custom_id))}"]`);
  if (waiting.has(keyOf(message, component))) pressed?.setAttribute("aria-busy", "true");
  else pressed?.removeAttribute("aria-busy");
  const line = item.querySelector(".failure");
  if (line) sayFailure(line, message.id);
}

function sayFailure(line, id) {
  line.hidden = !failures.has(id);
  line.replaceChildren(...(line.hidden ? [] : ["This interaction failed", h("small", {}, failures.get(id))]));
}
