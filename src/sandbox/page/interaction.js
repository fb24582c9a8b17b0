/**
 * Interactions: what a person does with an application, until it is known what became of it.
 *
 * The request only says that it was taken (204); the outcome comes over the stream, found again by its nonce.
 */

import { nonce, post } from "./request.js";
import { world } from "./world.js";

/** Discord's types of interactions. */
export const COMMAND = 2;
export const COMPONENT = 3;
export const AUTOCOMPLETE = 4;
export const MODAL = 5;

/** An application has three seconds; a little more until a lost outcome counts as a failure. */
const PATIENCE_MS = 8_000;

/** What a client calls its connection. */
const SESSION = nonce();

const waiting = new Map(); // nonce → what to call with the outcome

/**
 * Does something in a channel. Resolves with `{ state, reason?, choices? }`: `answered`, `deferred`, `modal` (which the
 * page opens by itself), `autocomplete`, or `failed` with a reason. Never rejects.
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

/** What the stream says of an interaction. Returns whether that settled one of this page's. */
export function settle(heard) {
  const resolve = waiting.get(String(heard.nonce));
  if (!resolve || heard.state === "opened") return false;
  waiting.delete(String(heard.nonce));
  resolve(heard);
  return true;
}
