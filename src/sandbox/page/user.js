/**
 * The appearance of users: name, avatar, and the app badge.
 */

import { h, icon } from "./element.js";
import { text } from "./value.js";
import { world } from "./world.js";

/** A stable hue for an id; neighboring ids get distant hues. */
function hue(id) {
  let hash = 2166136261;
  for (const char of text(id)) hash = Math.imul(hash ^ char.codePointAt(0), 16777619) >>> 0;
  return Math.imul(hash ^ (hash >>> 15), 2654435761) % 360;
}

export function initials(name) {
  const words = text(name).match(/[\p{L}\p{N}]+/gu) ?? ["?"];
  return words.slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
}

export function avatar(user, size = "") {
  const ours = user.id === world.application.id;
  const face = ours ? icon("envoy") : initials(nameOf(user));
  return h("span", { class: `avatar ${size} ${ours ? "ours" : ""}`, "--hue": hue(user.id), "aria-hidden": "true" }, face);
}

export const appTag = () => h("span", { class: "tag" }, "APP");
export const nameOf = (user) => text(user.global_name || user.username || "someone");
