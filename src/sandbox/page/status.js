/**
 * The status line: what the sandbox answered since it started.
 */

import { $, h } from "./element.js";
import { text } from "./value.js";

/** The status line: what the sandbox's Discord answered since it started. */
export function counts(counts = {}) {
  const one = (label, n, title, trouble) =>
    h("span", { title, class: trouble && n > 0 ? "trouble" : null }, `${label} `, h("b", {}, text(n ?? 0)));
  $("counts").replaceChildren(
    one("accepted", counts.accepted, "requests this Discord took"),
    one("refused", counts.refused, "requests it refused with one of Discord's own errors", true),
    one("rate limited", counts.rate_limited, "requests it answered with 429: come back later", true),
  );
}
