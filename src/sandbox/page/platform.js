/**
 * Requests to XTSystems: every request to its API, newest first, next to the chat in which it was decided.
 *
 * It is shown only if the state belongs to the demo.
 */

import { announce } from "./announce.js";
import { $, h } from "./element.js";
import { timeElement, formats } from "./time.js";
import { list, text } from "./value.js";

let known; // the newest entry shown
const keyOf = ({ at, path, status }) => `${at} ${path} ${status}`;

/** `[{ at, method, path, idempotency_key, body, status, answer }]`, newest first, or nothing outside the demo. */
export function showPlatform(entries) {
  $("platform").hidden = !entries;
  if (!entries) return;
  const shown = list(entries).map(entry);
  const newest = list(entries)[0];
  if (newest?.status && known !== undefined && known !== keyOf(newest)) announce(`XTSystems answered ${text(newest.status)} to ${text(newest.method)} ${text(newest.path)}.`);
  known = newest ? keyOf(newest) : null;
  $("platform-list").replaceChildren(...(shown.length > 0 ? shown : [h("li", { class: "platform-none" }, "Nothing yet. Decide about a machine in #machines, or type /webhook-status.")]));
}

function entry({ at, method, path, idempotency_key, body, status, answer }) {
  const date = new Date(Number(at));
  const good = status >= 200 && status < 300;
  return h(
    "li",
    { class: "platform-entry" },
    h("p", {}, h("b", {}, text(method)), " ", h("code", {}, text(path))),
    idempotency_key && h("p", { class: "platform-key" }, "Idempotency-Key ", h("code", {}, text(idempotency_key))),
    body !== null && body !== undefined && h("pre", {}, JSON.stringify(body, null, 1)),
    h("p", { class: good ? "platform-good" : "platform-bad" }, status ? `→ ${status} ` : "→ no answer ", timeElement(date, formats.T.format(date))),
    answer !== null && answer !== undefined && h("pre", {}, short(JSON.stringify(answer, null, 1))),
  );
}

const short = (shown) => (shown.length > 600 ? `${shown.slice(0, 600)} …` : shown);
