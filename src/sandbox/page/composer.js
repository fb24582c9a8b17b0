/**
 * The composer: the input for messages of the current person. A slash at the beginning offers the commands; a chosen
 * command replaces the text until it is used or dismissed.
 */

import { fail, progress, slashCommands } from "./command.js";
import { CommandForm } from "./commandform.js";
import { $ } from "./element.js";
import { nonce, post } from "./request.js";
import { dismiss, suggest, suggestionKey } from "./suggestion.js";
import { avatar } from "./user.js";
import { text } from "./value.js";
import { isForum, world } from "./world.js";

/** Commands offered at once. */
const OFFERED = 25;
/** A bot may register commands at any time without an event: a slash reloads them after this time. */
const COMMANDS_AGE_MS = 2_000;

let channel = null;
let commandForm = null;
let asked = 0;

/** Points the composer at this channel; it is hidden where messages cannot be written. */
export function composeIn(place) {
  if ((place?.id ?? null) !== channel) {
    leaveCommand();
    progress();
  }
  channel = place?.id ?? null;
  const name = text(world.me?.name);
  $("composer").hidden = !place || isForum(place) || !world.me;
  $("composer-text").placeholder = place ? `Message #${text(place.name)} as ${name}` : "";
  $("composer-text").setAttribute("aria-label", $("composer-text").placeholder);
}

async function send() {
  if (commandForm) {
    if (await commandForm.use()) leaveCommand();
    return;
  }
  const content = $("composer-text").value.trim();
  if (!content || !channel) return;
  $("composer-text").value = "";
  progress();
  const sent = await post(`/api/v10/channels/${channel}/messages`, { content, nonce: nonce() });
  if (sent.ok) return;
  if (!$("composer-text").value) $("composer-text").value = content;
  fail("Not sent", sent.reason);
}

// ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function typed() {
  const value = $("composer-text").value;
  if (!/^\/[^\n]{0,100}$/.test(value)) return dismiss();
  refreshCommands();
  offerCommands(value.slice(1).toLowerCase());
}

/** Commands that begin with the input come first, then those that contain it. */
function offerCommands(wanted) {
  const all = slashCommands(channel);
  const name = ({ path }) => path.join(" ").toLowerCase();
  const exact = wanted.endsWith(" ") && all.find((slash) => name(slash) === wanted.trimEnd());
  if (exact) return enterCommand(exact);
  const begins = all.filter((slash) => name(slash).startsWith(wanted));
  const holds = all.filter((slash) => !begins.includes(slash) && name(slash).includes(wanted));
  const items = [...begins, ...holds].slice(0, OFFERED).map((slash) => ({
    slash,
    label: `/${slash.path.join(" ")}`,
    detail: slash.description,
    face: avatar({ id: world.application.id }, "small"),
  }));
  suggest($("composer-text"), items.length ? text(world.application.name) : "", items, ({ slash }) => enterCommand(slash));
}

async function refreshCommands() {
  if (performance.now() - asked < COMMANDS_AGE_MS) return;
  asked = performance.now();
  try {
    const state = await (await fetch("/sandbox/state", { cache: "no-store" })).json();
    const before = JSON.stringify(world.commands);
    world.commands = Array.isArray(state.commands) ? state.commands : [];
    if (JSON.stringify(world.commands) !== before && document.activeElement === $("composer-text")) typed();
  } catch {
    // The connection reports it when the sandbox is gone.
  }
}

function enterCommand(slash) {
  dismiss();
  progress();
  $("composer-text").value = "";
  $("composer-text").hidden = true;
  commandForm = new CommandForm(slash, channel);
  $("composer-command").replaceChildren(commandForm.element);
  $("composer-command").hidden = false;
  $("send-name").textContent = `Use /${slash.path.join(" ")}`;
  commandForm.focus();
}

function leaveCommand() {
  if (!commandForm) return;
  const had = $("composer").contains(document.activeElement);
  commandForm = null;
  dismiss();
  $("composer-command").hidden = true;
  $("composer-command").replaceChildren();
  $("composer-text").hidden = false;
  $("send-name").textContent = "Send";
  if (had) $("composer-text").focus();
}

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

$("composer-text").addEventListener("input", typed);
$("composer-text").addEventListener("blur", dismiss);
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
$("composer").addEventListener("keydown", (event) => {
  if (suggestionKey(event) || event.isComposing) return;
  const inText = event.target === $("composer-text");
  if (event.key === "Enter" && !event.shiftKey && (inText || event.target.tagName === "INPUT")) {
    event.preventDefault();
    send();
  } else if (commandForm && (event.key === "Escape" || (event.key === "Backspace" && commandForm.isEmptyAt(event.target)))) {
    event.preventDefault();
    leaveCommand();
  }
});
