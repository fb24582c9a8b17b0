/**
 * The demo's part of the page: the counts of sent and shown events, and two buttons that try to break the delivery.
 *
 * It is shown only if the state belongs to the demo.
 */

import { announce } from "./announce.js";
import { $, h } from "./element.js";
import { note } from "./note.js";
import { post } from "./request.js";

const STORM = 200;
const BREAK_S = 20;

const ABOUT =
  "nuncio takes signed webhooks from XTSystems, posts each event as a card in Discord, and sends people's decisions back. " +
  "Here both are stand-ins on this machine: press any button.";

let brokenUntil = 0; // milliseconds of the page's own clock
let timer = null;
let wasBroken = false;

/** `{ sent, shown, lost, twice, pending, broken_s }`, or nothing outside the demo. */
export function showDemo(figures) {
  $("demo").hidden = !figures;
  if (!figures) return;
  $("about-title").textContent = "nuncio demo";
  $("about-text").textContent = ABOUT;
  const one = (label, n, title, bad) => h("span", { title, class: bad && n > 0 ? "lost" : null }, `${label} `, h("b", {}, String(n ?? 0)));
  $("demo-counts").replaceChildren(
    one("sent", figures.sent, "events that were sent to nuncio"),
    one("shown", figures.shown, "of these, shown in a message"),
    one("lost", figures.lost, "neither shown nor on their way", true),
    one("twice", figures.twice, "shown more than once", true),
    ...(figures.pending > 0 ? [one("pending", figures.pending, "on disk, on their way")] : []),
  );
  broken(figures.broken_s ?? 0);
}

function broken(seconds) {
  brokenUntil = performance.now() + seconds * 1000;
  if (timer === null) timer = setInterval(countDown, 250);
  countDown();
}

function countDown() {
  const left = Math.ceil((brokenUntil - performance.now()) / 1000);
  $("broken").hidden = left <= 0;
  // Not `disabled`: that would take the focus away from the button that was just pressed.
  $("demo-break").setAttribute("aria-disabled", String(left > 0));
  const sentence = `Discord is broken on purpose for ${left} s; nothing is lost.`;
  if (left > 0 && $("broken").textContent !== sentence) $("broken").textContent = sentence;
  if (left > 0) {
    wasBroken = true;
    return;
  }
  if (wasBroken) announce("This Discord works again.");
  wasBroken = false;
  clearInterval(timer);
  timer = null;
}

async function order(button, path, body) {
  button.setAttribute("aria-busy", "true");
  const answer = await post(path, body);
  button.removeAttribute("aria-busy");
  if (!answer.ok) note(answer.reason);
  return answer.ok;
}

$("demo-storm").addEventListener("click", async () => {
  if ($("demo-storm").getAttribute("aria-busy")) return;
  if (await order($("demo-storm"), "/demo/storm", { events: STORM })) announce(`${STORM} events were sent to nuncio.`);
});
$("demo-break").addEventListener("click", async () => {
  if ($("demo-break").getAttribute("aria-disabled") === "true") return;
  if (!(await order($("demo-break"), "/demo/break", { seconds: BREAK_S }))) return;
  broken(BREAK_S);
  announce(`This Discord answers nothing but errors for ${BREAK_S} seconds. Nothing is lost.`);
});
