// What may go wrong between an application and nuncio, and must not reach the application.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { fakeNuncio, hurry } from "./fake.mjs";
import { FUNCTIONS, METHODS } from "./names.mjs";
import { at, conformance, file, fresh, KEY, text } from "./subject.mjs";

const bounds = conformance("bounds");
const noPause = { sleep: async () => {} };

function isResult(result) {
  assert.deepEqual(Object.keys(result).filter((name) => name !== "pending"), ["success", "sent", "failed", "errors"]);
  assert.ok(result.errors.every((error) => typeof error.webhook === "string" && typeof error.error === "string"));
  assert.ok(!JSON.stringify(result).includes(KEY));
}
function isAccepted(result) {
  assert.deepEqual(Object.keys(result), ["accepted", "eventId", "deliveries", "errors"]);
  assert.ok(!JSON.stringify(result).includes(KEY));
}

// Contract: {success:false, sent:0, failed:0, errors:[{webhook:"system", error:"nuncio cannot be reached at …"}]}
test("nuncio cannot be reached", async (t) => {
  const nuncio = await fakeNuncio(t);
  await nuncio.stop();
  process.env.NUNCIO_URL = nuncio.url;
  process.env.NUNCIO_API_KEY = KEY;
  const { dispatchWebhook, Nuncio } = await fresh();
  hurry(t);
  const errors = [{ webhook: "system", error: `nuncio cannot be reached at ${nuncio.url} (ECONNREFUSED)` }];
  assert.deepEqual(await dispatchWebhook("CUSTOM", { title: "T" }), { success: false, sent: 0, failed: 0, errors });
  assert.deepEqual(await new Nuncio().systemAlert("a", "b"), { accepted: false, eventId: null, deliveries: 0, errors });
});

test("nothing is configured: both are named, with what to do; set later, it works, and is read once", async (t) => {
  delete process.env.NUNCIO_URL;
  delete process.env.NUNCIO_API_KEY;
  const client = await fresh();
  const { errors, ...rest } = await client.dispatchSettingsUpdate(["a"]);
  assert.deepEqual(rest, { success: false, sent: 0, failed: 0 });
  assert.deepEqual(errors, [{ webhook: "system", error: "NUNCIO_URL is not set. Set it to nuncio's address, for example " +
    "http://localhost:3000. NUNCIO_API_KEY is not set. Set it to a key of `nuncio keys create`" }]);

  const nuncio = await fakeNuncio(t);
  // A client with its own address needs no environment, and remembers none for the others.
  nuncio.next({ status: 202, body: { event_id: "evt_1", deliveries: 1 } });
  assert.equal((await new client.Nuncio({ url: nuncio.url, key: KEY }).settingsUpdate(["a"])).accepted, true);

  process.env.NUNCIO_URL = nuncio.url;
  process.env.NUNCIO_API_KEY = KEY;
  const sent = { status: 200, body: { sent: 1, failed: 0, errors: [] } };
  nuncio.next(sent, sent);
  assert.equal((await client.dispatchSettingsUpdate(["a"])).success, true);
  process.env.NUNCIO_URL = "http://127.0.0.1:9";
  assert.equal((await client.dispatchSettingsUpdate(["a"])).success, true);
  assert.equal(nuncio.requests.length, 3);
});

// Control: an error text with the given value, or the exception of fetch ("Headers.append: … is an invalid header value").
test("an address or a key that cannot be: named, never shown", async () => {
  const { Nuncio } = await fresh();
  let fetched = 0;
  const fetch = async () => { fetched += 1; throw new Error(`Bearer ${KEY}`); };
  const secret = "p4ssw0rd-canary";
  for (const url of ["nuncio.example.com", "localhost:3000", "ftp://a", "file:///etc/passwd", "http://", "javascript:1",
    `https://user:${secret}@nuncio.example.com`, `https://nuncio.example.com/?key=${secret}`, `https://a/#${secret}`]) {
    const { errors } = await new Nuncio({ url, key: KEY, fetch }).systemAlert("a", "b");
    assert.match(errors[0].error, /^NUNCIO_URL is not an address/, url);
    assert.ok(!errors[0].error.includes(secret));
  }
  for (const key of [`${KEY}\n`, ` ${KEY}`, `${KEY}\r\nX-Evil: 1`, `${KEY}ß`, `${KEY}\0`]) {
    const { errors } = await new Nuncio({ url: "http://127.0.0.1:9", key, fetch }).systemAlert("a", "b");
    assert.match(errors[0].error, /^NUNCIO_API_KEY has a line break/);
    assert.ok(!errors[0].error.includes(KEY));
  }
  assert.equal(fetched, 0);
});

// Control: keep the options as a field of the object.
test("a printed client does not show its key", async () => {
  const { Nuncio } = await fresh();
  const client = new Nuncio({ url: "http://127.0.0.1:9", key: KEY });
  for (const shown of [inspect(client, { depth: 9, showHidden: true }), JSON.stringify(client), String(client)]) {
    assert.ok(!shown.includes(KEY), shown);
  }
});

// Control: `redirect: "follow"`: the other server is asked, and with the same host it gets the key.
test("a redirect takes the key nowhere", async (t) => {
  const [nuncio, other] = [await fakeNuncio(t), await fakeNuncio(t)];
  const { Nuncio } = await fresh();
  const client = new Nuncio({ url: nuncio.url, key: KEY, ...noPause });
  for (const status of [301, 302, 303, 307, 308]) {
    nuncio.next({ status, headers: { location: `${other.url}/v1/dispatch/system-alert` }, text: "" });
    const { errors } = await client.systemAlert("a", "b");
    assert.match(errors[0].error, /answers with a redirect/);
  }
  assert.deepEqual([nuncio.requests.length, other.requests.length], [5, 0]);
  // What a browser or an edge runtime shows of a redirect.
  const opaque = { status: 0, type: "opaqueredirect", headers: new Headers(), body: null };
  const { errors } = await new Nuncio({ url: nuncio.url, key: KEY, fetch: async () => opaque }).systemAlert("a", "b");
  assert.match(errors[0].error, /answers with a redirect/);
});

// Control: `response.text()` reads for ever.
test("an answer is read up to its bound, then the connection is closed", async (t) => {
  const nuncio = await fakeNuncio(t);
  const { Nuncio } = await fresh();
  const client = new Nuncio({ url: nuncio.url, key: KEY, ...noPause });
  nuncio.next({ fault: "endless" });
  assert.equal((await client.systemAlert("a", "b")).accepted, false);
  // What is beyond the bound are buffers of the two sockets.
  assert.ok(await nuncio.written < bounds.answer_bytes + 16 * 1024 * 1024);

  const body = '{"deliveries":1}';
  nuncio.next({ status: 202, text: body + " ".repeat(bounds.answer_bytes - body.length) });
  assert.equal((await client.systemAlert("a", "b")).accepted, true);
  nuncio.next({ status: 202, text: body + " ".repeat(bounds.answer_bytes - body.length + 1) });
  assert.equal((await client.systemAlert("a", "b")).accepted, false);
});

// Control: without the cut a log line is as long as an answer.
test("a text of an answer is cut", async (t) => {
  const nuncio = await fakeNuncio(t);
  const { Nuncio } = await fresh();
  nuncio.next({ status: 400, body: { detail: "x".repeat(100_000) } });
  const { errors } = await new Nuncio({ url: nuncio.url, key: KEY }).systemAlert("a", "b");
  assert.equal(errors[0].error.length, bounds.error_chars);
});

const circular = {};
circular.self = circular;
const hostile = [
  undefined, null, 0, NaN, "", "\ud800", "x".repeat(50_000), Symbol("s"), 10n, () => 1, [], {}, circular, Object.create(null),
  new Proxy({}, { get() { throw new Error(KEY); }, ownKeys() { throw new Error(KEY); } }),
  { toJSON() { throw new Error(KEY); } },
  { get title() { throw new Error(KEY); } },
  Object.defineProperty(new Error("e"), "message", { get() { throw new Error(KEY); } }),
];

// Control: build the request outside of `send`'s try, or let JSON.stringify's exception through.
test("no argument makes a function reject", async (t) => {
  const client = await fresh();
  process.env.NUNCIO_URL = "http://127.0.0.1:9";
  process.env.NUNCIO_API_KEY = KEY;
  t.mock.method(globalThis, "fetch", async () => Response.json({ sent: 1, failed: 0, errors: [], deliveries: 1 }));
  const own = new client.Nuncio();
  for (const value of hostile) {
    for (const [name, method] of Object.entries(METHODS)) {
      for (const given of [[], [value], [value, value, value, value, value], ["a", "b", "c", "d", value], ["a", value, value]]) {
        isResult(await client[FUNCTIONS[name]](...given));
        isAccepted(await own[method](...given));
      }
    }
    await client.alertOnError("a title", value);
    client.changedFields({ a: value }, { a: 1 });
  }
});

// Control: show the exception's text, or take `cause` for granted.
test("no fetch makes a function reject", async () => {
  const { Nuncio } = await fresh();
  const thrown = [undefined, null, "text", 7, new Error(KEY), { cause: KEY }, { cause: { code: KEY } }, { cause: { code: "a b" } },
    new DOMException(KEY, "AbortError"), { get cause() { throw new Error(KEY); } }];
  const answered = [undefined, null, 7, "text", {}, { status: 200 }, { status: 202, headers: new Headers(), body: {} },
    { status: 429, headers: null, body: null },
    { status: 202, headers: new Headers(), body: { getReader() { throw new Error(KEY); } } },
    { status: 202, headers: new Headers(), body: { getReader: () => ({ read: async () => ({ done: false }) }) } },
    new Response(null, { status: 202 })];
  const fetches = [
    ...thrown.map((error) => () => { throw error; }), ...thrown.map((error) => async () => { throw error; }),
    ...answered.map((answer) => async () => answer), "not a function",
  ];
  for (const fetch of fetches) {
    const answer = await new Nuncio({ url: "http://127.0.0.1:9", key: KEY, fetch, ...noPause }).systemAlert("a", "b");
    isAccepted(answer);
    assert.equal(answer.accepted, false);
  }
});

// Control: without the inner catch the text names the runtime.
test("an event that is no JSON: reported, not sent", async () => {
  const { Nuncio } = await fresh();
  const client = new Nuncio({ url: "http://127.0.0.1:9", key: KEY, fetch: () => assert.fail("sent") });
  for (const value of [circular, 10n, { toJSON() { throw new Error(KEY); } }]) {
    const { errors } = await client.dispatch("CUSTOM", { title: "T", value });
    assert.match(errors[0].error, /^The event was not sent: it cannot be written as JSON/);
  }
});

// Control: take every `code`: a text that nobody has looked at.
test("a code of the system is shown, other texts of an exception are not", async () => {
  const { Nuncio } = await fresh();
  for (const [code, shown] of [["ENOTFOUND", " (ENOTFOUND)"], ["UND_ERR_SOCKET", " (UND_ERR_SOCKET)"], ["secret text", ""], [7, ""]]) {
    const fetch = async () => { throw new TypeError("secret", { cause: { code } }); };
    const { errors } = await new Nuncio({ url: "http://127.0.0.1:9", key: KEY, fetch, ...noPause }).systemAlert("a", "b");
    assert.equal(errors[0].error, `nuncio cannot be reached at http://127.0.0.1:9${shown}`);
  }
});

// Control: `process.env` instead of `globalThis.process?.env`, or an import of node:*.
test("an edge runtime: no process, no Buffer, no require", async () => {
  const client = await fresh();
  const requests = [];
  // Node's own fetch and Response need Node's globals: these do not.
  const fetch = async (...request) => {
    requests.push(request);
    const body = new ReadableStream({ start(stream) {
      stream.enqueue(new TextEncoder().encode('{"event_id":"evt_1","deliveries":1}'));
      stream.close();
    } });
    return { status: 202, type: "basic", headers: new Headers(), body };
  };
  const saved = Object.fromEntries(["process", "Buffer", "global", "setImmediate"].map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  let unset, sent;
  try {
    for (const name of Object.keys(saved)) delete globalThis[name];
    unset = await client.dispatchWebhook("CUSTOM", { title: "T" });
    sent = await new client.Nuncio({ url: "https://nuncio.example.com", key: KEY, fetch }).systemAlert("a", "b");
  } finally {
    for (const [name, descriptor] of Object.entries(saved)) Object.defineProperty(globalThis, name, descriptor);
  }
  assert.match(unset.errors[0].error, /NUNCIO_URL is not set/);
  assert.deepEqual(sent, { accepted: true, eventId: "evt_1", deliveries: 1, errors: [] });
  assert.equal(requests[0][0], "https://nuncio.example.com/v1/dispatch/system-alert");
});

test("a runtime without fetch or crypto: reported, not thrown", async (t) => {
  const { Nuncio } = await fresh();
  t.mock.getter(globalThis, "crypto", () => undefined);
  const { errors } = await new Nuncio({ url: "http://127.0.0.1:9", key: KEY }).systemAlert("a", "b");
  assert.match(errors[0].error, /^The event was not sent: this runtime lacks/);
});

test("the file: at most 400 lines, no import, and exactly these names", async () => {
  const source = text("nuncio.ts");
  assert.ok(source.split("\n").length <= 401);
  assert.doesNotMatch(source, /^\s*import\s|\brequire\(|["']node:|\bBuffer\b|[^.]\bprocess\./m);
  const names = Object.keys(await import(file("nuncio").href)).sort();
  assert.deepEqual(names, [
    "Nuncio", "alertOnError", "changedFields", "dispatchBillingEvent", "dispatchNodeAlert", "dispatchServerStateChange",
    "dispatchSettingsUpdate", "dispatchSupportTicket", "dispatchSyncCompletion", "dispatchSystemAlert", "dispatchWebhook",
    "withSystemAlert",
  ]);
});

test("the package: no dependencies, nothing runs when it is installed", () => {
  const { dependencies, scripts, license, exports } = JSON.parse(text("package.json"));
  assert.equal(dependencies, undefined);
  assert.deepEqual(Object.keys(scripts).sort(), ["build", "prepack", "test"]);
  assert.equal(license, "MIT");
  assert.deepEqual(Object.keys(exports), [".", "./next", "./package.json"]);
  assert.equal(text("LICENSE"), text("../../LICENSE"));
  assert.ok(at("package-lock.json"));
});
