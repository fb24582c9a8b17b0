/**
 * Client of nuncio's dispatcher: an application's events become Discord messages.
 *
 * One file without dependencies: use the package, or copy this file over the old dispatcher module. The eight functions
 * keep their names, arguments and results, and their promises never reject. They read `NUNCIO_URL` and `NUNCIO_API_KEY`
 * at the first call, make one request to nuncio, and wait for what Discord answered.
 *
 * It needs web standards only, nothing of Node: edge runtimes run it too. Its types are erasable: Node 22.18 and later run
 * the file as it is. It also compiles with the target ES5 (Next.js 14).
 */

/** The category of a stored Discord webhook: what it is for. */
export type WebhookType = "GAME_SERVER" | "VPS" | "SYSTEM" | "BILLING" | "SECURITY" | "SUPPORT" | "CUSTOM";
export type WebhookScope = "ADMIN" | "USER" | "PUBLIC";
export type ServerState = "online" | "offline" | "crashed";
export type AlertSeverity = "info" | "warning" | "error" | "critical";
export type TicketAction = "created" | "updated" | "resolved";
export type NodeMetric = "cpu" | "memory" | "disk" | "network";
export type BillingKind = "invoice" | "payment" | "subscription";
/** What may be left out. `null` is the same as absent. */
type Text = string | null;
type TextOrNumber = Text | number;
type Options = DispatchOptions | null | undefined;

/** A Discord embed. Colors are numbers (`3447003`). The footer and the time are nuncio's. */
export interface DiscordEmbed {
  title: string;
  description?: string;
  color?: number;
  fields?: { name: string; value: string; inline?: boolean }[];
  [other: string]: unknown;
}

/** Which stored webhooks receive an event. */
export interface DispatchOptions {
  /** These categories instead of the function's own. */ types?: WebhookType[];
  /** Absent or empty: `["ADMIN"]`. */ scopes?: WebhookScope[];
  /** `false`: disabled webhooks too. */ onlyEnabled?: boolean;
  /** The owner of the webhooks: required with the scope `USER`. */ userId?: string;
}

/** Why a webhook got nothing. `webhook` is its name, or `system` if the event got to no webhook. */
export interface DispatchError { webhook: string; error: string }

/** What Discord answered. `success`: at least one webhook has the message. */
export interface DispatchResult {
  success: boolean; sent: number; failed: number; errors: DispatchError[];
  /** Deliveries without an answer after 10 s: nuncio goes on with them. Absent if there are none. */ pending?: number;
}

/** What nuncio answered at once. `accepted`: it has the event on disk. `deliveries`: how many webhooks will get it. */
export interface Accepted { accepted: boolean; eventId: string | null; deliveries: number; errors: DispatchError[] }

/** Where nuncio is. The environment has what is left out: `NUNCIO_URL`, `NUNCIO_API_KEY`. */
export interface NuncioOptions {
  url?: string; fetch?: typeof fetch;
  /** Sent to `url` and nowhere else. No error text contains it. */ key?: string;
  /** The pause before another try. Tests set their own. */ sleep?: (milliseconds: number) => Promise<void>;
}

/** A route below `/v1/dispatch/` and its JSON body. */
type Call = [route: string, body: Record<string, unknown>];
type Connection = NuncioOptions & { url: string; key: string };
/** The end of a call: the JSON object of a 2xx answer, or the reason why there is none. */
type Answer = { body: Record<string, any> } | { error: string };
/** The end of a try. `retry`: another may follow after so many milliseconds. */
type Outcome = Answer | { error: string; retry: number };

const TRIES = 3;
/** The time of a call, with all tries and pauses: nuncio waits 10 s for Discord, the rest is for the way. */
const CALL_MS = 15_000;
/** The shortest first pause. It doubles, and up to as much again is random, so that callers do not return all at once. */
const BACKOFF_MS = 250;
const [ANSWER_BYTES, ERROR_CHARS] = [1024 * 1024, 500];
/** An alert is sent once in this time, then again with the number of repeats. */
const [FOLD_MS, FOLDED_ALERTS] = [15 * 60_000, 200];

/** Arguments to requests: the one place that knows arguments, routes and the names of fields. */
const request = {
  custom: (eventType: WebhookType, embed: DiscordEmbed): Call => ["custom", { type: eventType, embed }],
  settingsUpdate: (changedFields: string[], updatedBy?: Text): Call =>
    ["settings-update", { changed_fields: changedFields, updated_by: updatedBy }],
  serverStateChange: (serverName: string, newState: ServerState, nodeId?: TextOrNumber): Call =>
    ["server-state", { server_name: serverName, new_state: newState, node_id: nodeId }],
  syncCompletion: (success: boolean, details?: Text, duration?: TextOrNumber): Call =>
    ["sync-completion", { success, details, duration }],
  systemAlert: (title: string, error: string | Error, severity: AlertSeverity = "error"): Call =>
    ["system-alert", { title, error: typeof error === "string" ? error : describe(error), severity }],
  supportTicket: (action: TicketAction, ticketId: string | number, subject: string, details?: Text): Call =>
    ["support-ticket", { action, ticket_id: ticketId, subject, details }],
  nodeAlert: (nodeName: string, alertType: NodeMetric, usage: number, threshold: number): Call =>
    ["node-alert", { node_name: nodeName, alert_type: alertType, usage, threshold }],
  billingEvent: (eventType: BillingKind, details: string, amount?: TextOrNumber): Call =>
    ["billing-event", { event_type: eventType, details, amount }],
};
const waiting = <Arguments extends unknown[]>(make: (...args: Arguments) => Call) =>
  async (...args: Arguments): Promise<DispatchResult> => dispatched(make(...args));

/** Sends the caller's own embed to the webhooks of the category `eventType`. */
export const dispatchWebhook = async (eventType: WebhookType, embed: DiscordEmbed, options?: Options) =>
  dispatched(request.custom(eventType, embed), options);
/** Settings were changed: which ones (see `changedFields`), and by whom. */
export const dispatchSettingsUpdate = waiting(request.settingsUpdate);
/** A game server went online or offline, or crashed. */
export const dispatchServerStateChange = waiting(request.serverStateChange);
/** A sync ended. `duration` is a text (`45.23s`) or seconds. */
export const dispatchSyncCompletion = waiting(request.syncCompletion);
/** Something is wrong, and a person should know. */
export const dispatchSystemAlert = waiting(request.systemAlert);
/** A support ticket was created, updated or resolved. */
export const dispatchSupportTicket = waiting(request.supportTicket);
/** A node uses more than the threshold. Both are percent. */
export const dispatchNodeAlert = waiting(request.nodeAlert);
/** An invoice, a payment or a subscription. */
export const dispatchBillingEvent = waiting(request.billingEvent);

/** Kept outside of the objects: `console.log(nuncio)` does not print the key. (`#private` needs the target ES2015.) */
const given = new WeakMap<Nuncio, NuncioOptions>();

/**
 * The same events without the wait: nuncio answers as soon as the event is on disk. A method takes the arguments of its
 * function, then `options`, which choose the webhooks. The promises never reject.
 */
export class Nuncio {
  constructor(options: NuncioOptions = {}) { given.set(this, { ...options }); }
  dispatch(eventType: WebhookType, embed: DiscordEmbed, options?: Options) {
    return accepted(request.custom(eventType, embed), options, given.get(this));
  }
  settingsUpdate(changedFields: string[], updatedBy?: Text, options?: Options) {
    return accepted(request.settingsUpdate(changedFields, updatedBy), options, given.get(this));
  }
  serverStateChange(serverName: string, newState: ServerState, nodeId?: TextOrNumber, options?: Options) {
    return accepted(request.serverStateChange(serverName, newState, nodeId), options, given.get(this));
  }
  syncCompletion(success: boolean, details?: Text, duration?: TextOrNumber, options?: Options) {
    return accepted(request.syncCompletion(success, details, duration), options, given.get(this));
  }
  systemAlert(title: string, error: string | Error, severity: AlertSeverity = "error", options?: Options) {
    return accepted(request.systemAlert(title, error, severity), options, given.get(this));
  }
  supportTicket(action: TicketAction, ticketId: string | number, subject: string, details?: Text, options?: Options) {
    return accepted(request.supportTicket(action, ticketId, subject, details), options, given.get(this));
  }
  nodeAlert(nodeName: string, alertType: NodeMetric, usage: number, threshold: number, options?: Options) {
    return accepted(request.nodeAlert(nodeName, alertType, usage, threshold), options, given.get(this));
  }
  billingEvent(eventType: BillingKind, details: string, amount?: TextOrNumber, options?: Options) {
    return accepted(request.billingEvent(eventType, details, amount), options, given.get(this));
  }
}

/**
 * The names of the settings that differ, for `dispatchSettingsUpdate`. Values are compared here and never leave the
 * application. Missing and `undefined` are equal. What cannot be compared, like a circular object, counts as changed.
 */
export function changedFields(before: object | null | undefined, after: object | null | undefined): string[] {
  const [old, now] = [before ?? {}, after ?? {}];
  return Object.keys(now).concat(Object.keys(old).filter((key) => !Object.hasOwn(now, key))).filter((key) => {
    try { return !same(own(old, key), own(now, key)); } catch { return true; }
  });
}

/**
 * Wraps a handler: what it throws becomes a system alert, then is thrown again. Nobody waits for the alert. `keep`
 * receives its promise, for platforms that stop as soon as the response is out (`waitUntil`).
 */
export function withSystemAlert<Arguments extends unknown[], Value>(
  handler: (...args: Arguments) => Value,
  { title, keep = () => {} }: { title?: string; keep?: (alert: Promise<unknown>) => void } = {},
) {
  return async (...args: Arguments): Promise<Awaited<Value>> => {
    try {
      return await handler(...args);
    } catch (error) {
      // Whatever happens here, the caller gets the handler's error.
      try { keep(alertOnError(title ?? `Error in ${place(args[0]) ?? (handler.name || "a handler")}`, error)); } catch {}
      throw error;
    }
  };
}

const folded = new Map<string, { since: number; repeats: number }>();

/**
 * Sends an error as a system alert and does not wait for Discord. One with the same title and text is sent once in 15
 * minutes, the next time with the number of repeats. `null`: folded, or no error (a framework's redirect, "not found").
 */
export async function alertOnError(title: string, error: unknown): Promise<Accepted | null> {
  const text = describe(error);
  if (text === null) return null;
  const [id, now] = [`${title}\n${text}`, Date.now()];
  const last = folded.get(id);
  if (last && Math.abs(now - last.since) < FOLD_MS) {
    last.repeats += 1;
    return null;
  }
  folded.delete(id);
  folded.set(id, { since: now, repeats: 0 });
  if (folded.size > FOLDED_ALERTS) folded.delete(folded.keys().next().value as string);
  const repeats = last?.repeats ? `\n(${last.repeats} more since the last alert)` : "";
  const result = await accepted(request.systemAlert(title, text + repeats));
  // Not delivered to nuncio: the next one must not be folded into it.
  if (!result.accepted) folded.delete(id);
  return result;
}

async function dispatched(call: Call, options?: Options): Promise<DispatchResult> {
  const answer = await send(call, options, {}, true);
  if ("error" in answer) return { success: false, sent: 0, failed: 0, errors: system(answer.error) };
  const { sent, failed, deliveries, pending, errors } = answer.body;
  const waiting = count(sent === undefined ? deliveries : pending);
  const result = { success: count(sent) > 0, sent: count(sent), failed: count(failed), errors };
  return waiting > 0 ? { ...result, pending: waiting } : result;
}

async function accepted(call: Call, options?: Options, where: NuncioOptions = {}): Promise<Accepted> {
  const answer = await send(call, options, where, false);
  if ("error" in answer) return { accepted: false, eventId: null, deliveries: 0, errors: system(answer.error) };
  const { event_id: id, deliveries, errors } = answer.body;
  const eventId = typeof id === "string" ? id : null;
  return { accepted: true, eventId, deliveries: count(deliveries), errors };
}

/** Never rejects: every fault is an `error`. */
async function send(call: Call, options: Options, where: NuncioOptions, wait: boolean): Promise<Answer> {
  try {
    const to = connection(where);
    if ("error" in to) return to;
    let json: string;
    try {
      const { types, scopes, onlyEnabled, userId } = options ?? {};
      const chosen = present({ types, scopes, only_enabled: onlyEnabled, user_id: userId });
      json = JSON.stringify(present({ ...call[1], options: Object.keys(chosen).length > 0 ? chosen : undefined }));
    } catch {
      return { error: "The event was not sent: it cannot be written as JSON. Look for a BigInt or a circular object in it" };
    }
    const answer = await repeat(to, `/v1/dispatch/${call[0]}${wait ? "?wait=true" : ""}`, json);
    if ("error" in answer) return { error: clean(answer.error, to.key) };
    const { sent, deliveries, errors } = answer.body;
    if (typeof (sent ?? deliveries) !== "number") return unreadable(to);
    const cleaned = list(errors).map((one): DispatchError => (
      { webhook: clean(one?.webhook ?? "?", to.key), error: clean(one?.error ?? "no reason given", to.key) }));
    return { body: { ...answer.body, errors: cleaned } };
  } catch {
    // Without the exception's text: it may contain the key.
    return { error: "The event was not sent: this runtime lacks fetch, crypto or another web standard that it needs" };
  }
}

/** Up to three tries with one idempotency key: a lost answer makes no second message. */
async function repeat(to: Connection, path: string, body: string): Promise<Answer> {
  const headers = {
    Authorization: `Bearer ${to.key}`, "Content-Type": "application/json", Accept: "application/json",
    // Makes every call unlike any other: Next.js 14 may cache a POST, and would then answer in nuncio's place.
    "Idempotency-Key": crypto.randomUUID(),
  };
  let left = CALL_MS;
  for (let tried = 1; ; tried += 1) {
    const begun = performance.now();
    const outcome = await once(to, path, { method: "POST", headers, body, redirect: "manual" }, left, tried > 1);
    if (!("retry" in outcome)) return outcome;
    left -= performance.now() - begun;
    const step = BACKOFF_MS * 2 ** (tried - 1);
    const pause = Math.max(step, outcome.retry) + Math.random() * step;
    // A pause beyond the call's time is not begun: the caller learns the reason now.
    if (tried === TRIES || pause >= left) return { error: outcome.error };
    left -= pause;
    await (to.sleep ? to.sleep(pause) : new Promise((resolve) => setTimeout(resolve, pause)));
  }
}

/** One try. */
async function once(to: Connection, path: string, init: RequestInit, limit: number, again: boolean): Promise<Outcome> {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const exchange = (async () => {
      const response = await (to.fetch ?? fetch)(to.url + path, { ...init, signal: stop.signal });
      return { response, body: parse(await read(response)) };
    })();
    exchange.catch(() => undefined); // It may fail after the time is over, when nobody looks any more.
    const late = new Promise<null>((resolve) => { timer = setTimeout(() => resolve(null), limit); });
    const done = await Promise.race([exchange, late]);
    if (!done) return { error: `nuncio at ${to.url} did not answer in time. It may have the event: look there first` };
    const { response: { status, type, headers }, body } = done;
    // Not followed: the key would go to whoever the redirect names.
    if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
      return { error: `${to.url} answers with a redirect. Set NUNCIO_URL to the address that it leads to` };
    }
    if (status >= 200 && status < 300) return body ? { body } : unreadable(to);
    const parts = [body?.detail ?? body?.title ?? body?.error ?? `asked at ${to.url}`,
      ...list(body?.errors).map((one) => `${one?.pointer ?? ""} ${one?.message ?? ""}`)];
    const error = `nuncio answered HTTP ${status}: ${parts.map((text) => String(text).replace(/\.$/, "")).join("; ")}`;
    if (status === 401) return { error: `${error}. Set NUNCIO_API_KEY to a key of \`nuncio keys create\`` };
    // 409 to a repeat: nuncio still works on the try whose answer was lost.
    const passing = status === 429 || (status >= 502 && status <= 504) || (again && status === 409);
    return passing ? { error, retry: retryAfter(headers.get("retry-after")) } : { error };
  } catch (error) {
    const code = (error as { cause?: { code?: unknown } } | null)?.cause?.code;
    const why = typeof code === "string" && /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? ` (${code})` : "";
    return { error: `nuncio cannot be reached at ${to.url}${why}`, retry: 0 };
  } finally {
    clearTimeout(timer);
    stop.abort(); // Ends what is still open: a body beyond the bound, a try that is too late.
  }
}

let environment: Record<string, string | undefined> | undefined;

/** Where to send. The environment is read at the first call, and again until it has what is needed. */
function connection(where: NuncioOptions): Connection | { error: string } {
  const env = environment ?? (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};
  const { url = env.NUNCIO_URL, key = env.NUNCIO_API_KEY } = where;
  const faults: string[] = [];
  const address = url && webAddress(url);
  if (!url) faults.push("NUNCIO_URL is not set. Set it to nuncio's address, for example http://localhost:3000");
  else if (!address) faults.push("NUNCIO_URL is not an address like https://nuncio.example.com (no user, password, ? or #)");
  if (!key) faults.push("NUNCIO_API_KEY is not set. Set it to a key of `nuncio keys create`");
  else if (!/^[\x21-\x7e]+$/.test(key)) faults.push("NUNCIO_API_KEY has a line break or a letter that no key has. Copy it again");
  if (!address || !key || faults.length > 0) return { error: faults.join(". ") };
  if (env.NUNCIO_URL && env.NUNCIO_API_KEY) environment = { NUNCIO_URL: env.NUNCIO_URL, NUNCIO_API_KEY: env.NUNCIO_API_KEY };
  return { ...where, url: address, key };
}

function webAddress(text: string): string | null {
  try {
    const { protocol, origin, pathname, username, password, search, hash } = new URL(text);
    const plain = /^https?:$/.test(protocol) && !(username || password || search || hash);
    return plain ? origin + pathname.replace(/\/+$/, "") : null;
  } catch { return null; }
}

/** The body's text, or nothing if it is longer than any answer of nuncio. */
async function read(response: Response): Promise<string> {
  const [reader, decoder] = [response.body?.getReader(), new TextDecoder()];
  let [text, bytes] = ["", 0];
  for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
    bytes += chunk.value.byteLength;
    if (bytes > ANSWER_BYTES) return "";
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text;
}

function parse(text: string): Record<string, any> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch { return null; }
}

/** Seconds or a date, as milliseconds from now. Anything else is ignored: 0. */
function retryAfter(header: string | null): number {
  if (header && /^\d{1,9}(\.\d+)?$/.test(header)) return Number(header) * 1000;
  return header?.endsWith(" GMT") ? Math.max(0, Date.parse(header) - Date.now()) || 0 : 0;
}

/** Text for a person: without the key and control characters, a line or two long. */
function clean(text: unknown, key: string): string {
  return String(text).split(key).join("[key]").replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").slice(0, ERROR_CHARS);
}

const system = (error: string): DispatchError[] => [{ webhook: "system", error }];
const unreadable = (to: Connection) => ({ error: `${to.url} gave an answer that is not nuncio's. Is NUNCIO_URL right?` });
const list = (value: unknown): any[] => (Array.isArray(value) ? value : []);
const count = (value: unknown) => (Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0);
const own = (of: object, key: string) => (Object.hasOwn(of, key) ? (of as Record<string, unknown>)[key] : undefined);
const present = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));

/** Equal as JSON shows them. An object of a class without `toJSON` equals only itself. */
function same(a: any, b: any): boolean {
  if (Object.is(a, b)) return true;
  if (!a || !b || typeof a !== "object" || typeof b !== "object") return false;
  if (typeof a.toJSON === "function" && typeof b.toJSON === "function") return same(a.toJSON(), b.toJSON());
  const plain = [Object.prototype, Array.prototype, null];
  if (!plain.includes(Object.getPrototypeOf(a)) || Array.isArray(a) !== Array.isArray(b)) return false;
  return Object.keys({ ...a, ...b }).every((key) => same(own(a, key), own(b, key)));
}

/**
 * An error as one text. Of thrown values that are no errors only texts are shown: others may be a customer's data. `null`
 * is no error: redirects and "not found" of Next.js carry a digest, Remix throws the response.
 */
function describe(error: unknown): string | null {
  try {
    const control = /^(NEXT_|DYNAMIC_SERVER_USAGE|BAILOUT_TO_CLIENT|HANGING_PROMISE)/;
    if (error instanceof Response || control.test(String((error as { digest?: unknown } | null)?.digest))) return null;
    const text = error instanceof Error ? (error.name === "Error" ? "" : `${error.name}: `) + error.message : error;
    return typeof text === "string" ? text.slice(0, 1000) : `a thrown ${error === null ? "null" : typeof error}`;
  } catch {
    return "an error without a readable text";
  }
}

/** `POST /api/servers` of a request: not its query, which may carry a token. */
function place(request: unknown): string | null {
  const { method, url } = (request ?? {}) as { method?: unknown; url?: unknown };
  return typeof url === "string" ? `${method} ${new URL(url, "http://localhost").pathname}` : null;
}
