/**
 * The status line: counts of the sandbox's answers since its start.
 */

import { $, h } from "./element.js";
import { text } from "./value.js";

/** The status line: counts of the answers of the sandbox's Discord since its start. */
export function counts(counts = {}) {
  const one = (label, n, title, trouble) =>
    h("span", { title, class: trouble && n > 0 ? "trouble" : null }, `${label} `, h("b", {}, text(n ?? 0)));
  $("counts").replaceChildren(
    one("accepted", counts.accepted, "requests this Discord took"),
    one("refused", counts.refused, "requests it refused with one of Discord's own errors", true),
    one("rate limited", counts.rate_limited, "requests it answered with 429: come back later", true),
  );
}
