/**
 * What screen readers hear: the newest sentence, once it has been quiet for a moment. A storm of messages is one sentence.
 */

import { $ } from "./element.js";

const QUIET_MS = 700;

let timer;

/** Says one sentence to those who do not see the page. */
export function announce(sentence) {
  clearTimeout(timer);
  timer = setTimeout(() => ($("announcer").textContent = sentence), QUIET_MS);
}
