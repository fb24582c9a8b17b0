/**
 * Requests to the sandbox's Discord, sent as the current person.
 */

import { world } from "./world.js";

/** How many rate limits are waited out before the visitor gets an error. */
const PATIENCE = 2;

/** Sends `body` as JSON. Returns `{ ok, reason }`: never throws, and `reason` is a sentence. */
export async function post(path, body) {
  for (let waited = 0; ; waited++) {
    let answer;
    try {
      const headers = { "Content-Type": "application/json", ...(world.me && { Authorization: world.me.token }) };
      answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    } catch {
      return { ok: false, reason: "The sandbox cannot be reached." };
    }
    if (answer.ok) return { ok: true, reason: null };
    const data = await answer.json().catch(() => null);
    if (answer.status === 429 && waited < PATIENCE) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(Number(data?.retry_after) || 1, 10) * 1000));
      continue;
    }
    return { ok: false, reason: innermost(data?.errors) ?? data?.message ?? `The answer was ${answer.status}.` };
  }
}

/** The first message in Discord's error tree: it is more specific than "Invalid Form Body". */
function innermost(errors) {
  if (errors === null || typeof errors !== "object") return null;
  if (Array.isArray(errors._errors)) return errors._errors[0]?.message ?? null;
  for (const inner of Object.values(errors)) {
    const found = innermost(inner);
    if (found) return found;
  }
  return null;
}

/** A snowflake for now, as clients generate them as nonces: it is returned with the outcome. */
export function nonce() {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return String((BigInt(Date.now() - 1_420_070_400_000) << 22n) | BigInt(random >>> 10));
}
