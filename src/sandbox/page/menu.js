/**
 * Menus: a list of choices at the element that opened it.
 *
 * The browser's own popover closes it (Escape, a click elsewhere) and restores the focus.
 */

import { $, h } from "./element.js";

/** Pixels between a menu and its anchor. */
const GAP = 6;

let closed = null;

/**
 * Opens a menu at `anchor`. An item is `{ label, detail?, face?, checked?, heading?, pick }`; with `checked` it is a
 * selectable option. With `several`, the menu stays open and `pick` marks the item; `onclose` is called when it
 * closes.
 */
export function openMenu(anchor, label, items, { several = false, onclose = null } = {}) {
  const menu = $("menu-list");
  if (menu.matches(":popover-open")) menu.hidePopover();
  menu.setAttribute("aria-label", label);
  menu.replaceChildren(...items.map((item) => entry(menu, item, several)));
  closed = onclose;
  menu.showPopover();
  place(menu, anchor.getBoundingClientRect());
  (menu.querySelector('[aria-checked="true"]') ?? menu.querySelector("button"))?.focus();
}

function entry(menu, { label, detail, face, checked, heading, pick }, several) {
  if (heading) return h("div", { class: "menu-heading", role: "presentation" }, heading);
  const role = checked === undefined ? "menuitem" : several ? "menuitemcheckbox" : "menuitemradio";
  const onclick = () => {
    if (!several) menu.hidePopover();
    pick(item);
  };
  const said = h("span", { class: "menu-text" }, h("bdi", {}, label), detail && h("small", {}, detail));
  const item = h("button", { class: "menu-item", type: "button", role, tabindex: "-1", "aria-checked": checked === undefined ? null : String(checked), onclick }, face, said);
  return item;
}

/** Below its anchor, or above it where there is more room. */
function place(menu, anchor) {
  const below = innerHeight - anchor.bottom - GAP * 2;
  const above = anchor.top - GAP * 2;
  const up = below < Math.min(menu.scrollHeight, 320) && above > below;
  menu.style.setProperty("min-width", `${Math.min(Math.max(anchor.width, 200), 360)}px`);
  menu.style.setProperty("max-height", `${Math.min(up ? above : below, 420)}px`);
  menu.style.setProperty("top", up ? "auto" : `${anchor.bottom + GAP}px`);
  menu.style.setProperty("bottom", up ? `${innerHeight - anchor.top + GAP}px` : "auto");
  menu.style.setProperty("left", `${Math.max(8, Math.min(anchor.left, innerWidth - menu.offsetWidth - 8))}px`);
}

$("menu-list").addEventListener("keydown", (event) => {
  const items = [...event.currentTarget.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Tab") event.currentTarget.hidePopover();
  if (to === undefined) return;
  event.preventDefault();
  items.at(to % items.length)?.focus();
});
$("menu-list").addEventListener("toggle", (event) => {
  if (event.newState !== "closed") return;
  const onclose = closed;
  closed = null;
  onclose?.();
});
