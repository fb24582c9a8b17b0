/**
 * A notice at the foot of the page, for a few seconds.
 */

import { $ } from "./element.js";

let noteTimer;
/** Shows one sentence at the foot of the page, for a few seconds. */
export function note(sentence) {
  $("note").textContent = sentence;
  $("note").hidden = false;
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => ($("note").hidden = true), 4500);
}
