/**
 * What a message offers to press: rows of buttons.
 */

import { h, icon, link, safeUrl } from "./element.js";
import { press } from "./interaction.js";
import { list, text } from "./value.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary" };

/** An action row of buttons. Selects and the rest have their place here once something sends them. */
export function actionRow(message, row) {
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
