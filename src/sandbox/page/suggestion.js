/**
 * The suggestion list above the composer: completions at the cursor. The focus stays in the field; the field names
 * the active line (`aria-activedescendant`), as in any combobox.
 */

import { $, h } from "./element.js";

let field = null;
let items = [];
let active = -1;
let pick = () => {};

/**
 * Offers `{ label, detail?, … }` for the text in `input`; `onpick` gets the chosen one. Without `first` no line is
 * active until the arrows choose one, so that Enter keeps the typed text.
 */
export function suggest(input, heading, offered, onpick, { first = true } = {}) {
  if (field !== input) dismiss();
  if (offered.length === 0) return dismiss();
  [field, items, pick] = [input, offered, onpick];
  active = first ? 0 : -1;
  $("suggestions").hidden = false;
  $("suggestions").replaceChildren(h("div", { class: "menu-heading", role: "presentation" }, heading), ...offered.map(line));
  input.setAttribute("aria-expanded", "true");
  show();
}

export function dismiss() {
  field?.setAttribute("aria-expanded", "false");
  field?.removeAttribute("aria-activedescendant");
  [field, items, active] = [null, [], -1];
  $("suggestions").hidden = true;
  $("suggestions").replaceChildren();
}

function line(item, at) {
  const onpointerdown = (event) => event.preventDefault(); // the focus stays in the field
  const said = h("span", { class: "menu-text" }, h("bdi", {}, item.label), item.detail && h("small", {}, item.detail));
  return h("div", { class: "menu-item", role: "option", id: `suggestion-${at}`, onpointerdown, onclick: () => take(at) }, item.face, said);
}

function take(at) {
  const [item, onpick] = [items[at], pick];
  dismiss();
  onpick(item);
}

function show() {
  const lines = $("suggestions").querySelectorAll('[role="option"]');
  lines.forEach((line, at) => line.setAttribute("aria-selected", String(at === active)));
  if (active < 0) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", `suggestion-${active}`);
  lines[active].scrollIntoView({ block: "nearest" });
}

/** Handles the keys of the list. Returns whether it did. */
export function suggestionKey(event) {
  if (!field || event.target !== field || event.isComposing) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    active = active < 0 && step < 0 ? items.length - 1 : (active + step + items.length) % items.length;
    show();
  } else if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && active >= 0) {
    take(active);
  } else if (event.key === "Escape") {
    dismiss();
  } else {
    return false;
  }
  event.preventDefault();
  return true;
}
