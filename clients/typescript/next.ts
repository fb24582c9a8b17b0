/**
 * The same functions for Next.js, and its error hook.
 *
 * Import them from here where nobody awaits them: the work is given to `after()` (Next.js 15.1 and later), so that a
 * serverless platform does not stop it with the response. Elsewhere they behave like the ones of `nuncio.ts`.
 */
// @ts-ignore: the application's own package. Node resolves it only with its extension.
import * as server from "next/server.js";
import * as nuncio from "./nuncio.ts";

export { changedFields, Nuncio } from "./nuncio.ts";
export type * from "./nuncio.ts";

/**
 * Keeps the platform running until the work is done. The promise is given, not a callback: a callback starts after the
 * response, and a handler that awaits the result would wait for itself.
 */
function keep<Work extends Promise<unknown>>(work: Work): Work {
  try {
    // Looked up by a name that bundlers do not see: older versions have no `after`, and the build would warn.
    const name = "after" as string;
    (server as Record<string, any>)[name]?.(work);
  } catch { /* Outside of a request, or a platform without waitUntil: the work runs all the same. */ }
  return work;
}
const kept = <Arguments extends unknown[], Result>(dispatch: (...args: Arguments) => Promise<Result>) =>
  (...args: Arguments): Promise<Result> => keep(dispatch(...args));

export const dispatchWebhook = kept(nuncio.dispatchWebhook);
export const dispatchSettingsUpdate = kept(nuncio.dispatchSettingsUpdate);
export const dispatchServerStateChange = kept(nuncio.dispatchServerStateChange);
export const dispatchSyncCompletion = kept(nuncio.dispatchSyncCompletion);
export const dispatchSystemAlert = kept(nuncio.dispatchSystemAlert);
export const dispatchSupportTicket = kept(nuncio.dispatchSupportTicket);
export const dispatchNodeAlert = kept(nuncio.dispatchNodeAlert);
export const dispatchBillingEvent = kept(nuncio.dispatchBillingEvent);
export const alertOnError = kept(nuncio.alertOnError);

/** `nuncio.ts`'s wrapper: the alert outlives the response. */
export function withSystemAlert<Arguments extends unknown[], Value>(
  handler: (...args: Arguments) => Value, options: { title?: string } = {},
) {
  return nuncio.withSystemAlert(handler, { ...options, keep });
}

/**
 * For `instrumentation.ts`: `export { onRequestError } from "nuncio-client/next"`. Every error that Next.js catches
 * becomes a system alert, repeats are folded. Of the request only the method and the route's pattern are sent: no headers,
 * no query, no values of the path.
 */
export async function onRequestError(
  error: unknown, request: { method?: string }, context: { routePath?: string },
): Promise<void> {
  await alertOnError(`Error in ${request?.method ?? "?"} ${context?.routePath || "an unknown route"}`, error);
}
