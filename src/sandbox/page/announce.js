/**
 * Announcements for screen readers: the newest sentence, after a moment without changes. A storm of messages is one
 * sentence.
 */

import { $ } from "./element.js";

const QUIET_MS = 700;

let timer;

/** Announces one sentence to users who do not see the page. */
export function announce(sentence) {
  clearTimeout(timer);
  timer = setTimeout(() => ($("announcer").textContent = sentence), QUIET_MS);
}
