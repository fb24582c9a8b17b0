/**
 * Interactions: user actions for an application, up to their outcome.
 *
 * The answer to the request only confirms its receipt (204); the outcome arrives on the stream, matched by its nonce.
 */

import { nonce, post } from "./request.js";
import { world } from "./world.js";

/** Discord's interaction types. */
export const COMMAND = 2;
export const COMPONENT = 3;
export const AUTOCOMPLETE = 4;
export const MODAL = 5;

/** An application has three seconds; a lost outcome counts as a failure a little later. */
const PATIENCE_MS = 8_000;

/** The client's session id. */
const SESSION = nonce();

const waiting = new Map(); // nonce → callback for the outcome

/**
 * Performs an action in a channel. Resolves with `{ state, reason?, choices? }`: `answered`, `deferred`, `modal`
 * (which the page opens by itself), `autocomplete`, or `failed` with a reason. Never rejects.
 */
export async function interact(type, channel, data, more = {}) {
  const mine = nonce();
  const outcome = new Promise((resolve) => waiting.set(mine, resolve));
  const timer = setTimeout(() => settle({ nonce: mine, state: "failed", reason: "Nothing was heard of it" }), PATIENCE_MS);
  const guild_id = world.channels.get(channel)?.guild_id;
  const body = { type, application_id: world.application.id, guild_id, channel_id: channel, session_id: SESSION, nonce: mine, data, ...more };
  const sent = await post("/api/v10/interactions", body);
  if (!sent.ok) settle({ nonce: mine, state: "failed", reason: sent.reason });
  const became = await outcome;
  clearTimeout(timer);
  return became;
}

/** Handles an interaction event of the stream. Returns whether it settled one of this page's interactions. */
export function settle(heard) {
  const resolve = waiting.get(String(heard.nonce));
  if (!resolve || heard.state === "opened") return false;
  waiting.delete(String(heard.nonce));
  resolve(heard);
  return true;
}
