// Errors become alerts once, and settings are compared without leaving the application.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeNuncio } from "./fake.mjs";
import { known } from "./names.mjs";
import { conformance, fresh, KEY } from "./subject.mjs";

const bounds = conformance("bounds");
const yes = { status: 202, body: { event_id: "evt_1", deliveries: 1 } };

async function started(t) {
  const nuncio = await fakeNuncio(t);
  process.env.NUNCIO_URL = nuncio.url;
  process.env.NUNCIO_API_KEY = KEY;
  const client = await fresh();
  const alerts = [];
  /** Wraps a handler and keeps its alerts, so that a test can wait for them. */
  const wrap = (handler, options) => client.withSystemAlert(handler, { ...options, keep: (alert) => { alerts.push(alert); } });
  const sent = async () => { await Promise.all(alerts); return nuncio.requests.map((request) => JSON.parse(request.body)); };
  return { nuncio, client, wrap, sent };
}

test("a handler's value and arguments pass", async (t) => {
  const { wrap, sent } = await started(t);
  assert.equal(await wrap(async (a, b) => a + b)(1, 2), 3);
  assert.equal(await wrap((a) => a)("sync"), "sync");
  assert.deepEqual(await sent(), []);
});

test("what a handler throws becomes an alert and is thrown again", async (t) => {
  const { nuncio, wrap, sent } = await started(t);
  const error = new RangeError("too many");
  const handler = wrap(async function POST() { throw error; });
  nuncio.next(yes);
  const request = new Request("https://shop.example.com/api/servers?token=s3cret", { method: "POST" });
  await assert.rejects(handler(request), (thrown) => thrown === error);
  assert.deepEqual(await sent(), [{ title: "Error in POST /api/servers", error: "RangeError: too many", severity: "error" }]);
  assert.equal(nuncio.requests[0].path, "/v1/dispatch/system-alert");
});

test("a title of one's own, or the handler's name", async (t) => {
  const { nuncio, wrap, sent } = await started(t);
  nuncio.next(yes, yes);
  await assert.rejects(wrap(() => { throw new Error("e"); }, { title: "Nightly job" })());
  await assert.rejects(wrap(function cleanUp() { throw new Error("e"); })());
  assert.deepEqual((await sent()).map((alert) => alert.title), ["Nightly job", "Error in cleanUp"]);
});

// Controls: dispatch before the throw and wait for it; let `keep`'s exception through.
test("the caller gets the handler's error, at once, whatever the alert does", async (t) => {
  const { client } = await started(t);
  const error = new Error("e");
  t.mock.method(globalThis, "fetch", () => new Promise(() => {}));
  await assert.rejects(client.withSystemAlert(() => { throw error; })(), (thrown) => thrown === error);
  const broken = { keep() { throw new Error("keep"); } };
  await assert.rejects(client.withSystemAlert(() => { throw error; }, broken)(), (thrown) => thrown === error);
});

// Control: alert on every throw: a page with a redirect alerts at each visit.
test("redirects and not found are no errors", async (t) => {
  const { client } = await started(t);
  const digest = (text) => Object.assign(new Error(text), { digest: text });
  for (const thrown of [digest("NEXT_REDIRECT;replace;/login;307;"), digest("NEXT_HTTP_ERROR_FALLBACK;404"), digest("NEXT_NOT_FOUND"),
    digest("DYNAMIC_SERVER_USAGE"), Response.redirect("https://example.com/")]) {
    assert.equal(await client.alertOnError("a", thrown), null);
  }
});

// A thrown object may be a customer's record. Control: JSON.stringify(error).
test("of a thrown value that is no error only a text is sent", async (t) => {
  const { nuncio, client } = await started(t);
  const thrown = ["a text", { email: "customer@example.com" }, null, undefined, 7];
  nuncio.next(...thrown.map(() => yes));
  for (const value of thrown) await client.alertOnError("a", value);
  assert.deepEqual(nuncio.requests.map((request) => JSON.parse(request.body).error),
    ["a text", "a thrown object", "a thrown null", "a thrown undefined", "a thrown number"]);
});

// Control: without the fold a broken route sends a message per visitor.
test("the same error is sent once, and later with its repeats", async (t) => {
  const { nuncio, client } = await started(t);
  let now = 1_800_000_000_000;
  t.mock.method(Date, "now", () => now);
  nuncio.next(yes, yes, yes, yes);
  const alert = (text) => client.alertOnError("Error in GET /", new Error(text));
  assert.equal((await alert("one")).accepted, true);
  for (let i = 0; i < 3; i += 1) assert.equal(await alert("one"), null);
  assert.equal((await alert("two")).accepted, true);
  now += bounds.fold_ms - 1;
  assert.equal(await alert("one"), null);
  now += 1;
  assert.equal((await alert("one")).accepted, true);
  now += bounds.fold_ms;
  assert.equal((await alert("one")).accepted, true);
  assert.deepEqual(nuncio.requests.map((request) => JSON.parse(request.body).error),
    ["one", "two", "one\n(4 more since the last alert)", "one"]);
});

// Control: keep what was not accepted, and an outage of nuncio of a second silences an error for 15 minutes.
test("an alert that nuncio did not take folds nothing", async (t) => {
  const { nuncio, client } = await started(t);
  nuncio.next({ status: 500, text: "" }, yes);
  assert.equal((await client.alertOnError("a", new Error("e"))).accepted, false);
  assert.equal((await client.alertOnError("a", new Error("e"))).accepted, true);
});

// Control: a map without a bound grows with every new text (ids in messages).
test("as many alerts are remembered as the bound says", async (t) => {
  const { nuncio, client } = await started(t);
  for (let i = 0; i <= bounds.folded_alerts; i += 1) {
    nuncio.next(yes);
    await client.alertOnError("a", new Error(`e${i}`));
  }
  assert.equal(await client.alertOnError("a", new Error("e1")), null);
  nuncio.next(yes);
  assert.equal((await client.alertOnError("a", new Error("e0"))).accepted, true);
});

test("a text of 100,000 characters is cut before it is sent", async (t) => {
  const { nuncio, client } = await started(t);
  nuncio.next(yes);
  await client.alertOnError("a", new Error("x".repeat(100_000)));
  assert.equal(JSON.parse(nuncio.requests[0].body).error.length, 1000);
});

test("changed fields", async (t) => {
  const { changedFields } = await fresh();
  for (const one of conformance("changed_fields").cases) {
    await t.test(one.name, () => {
      known(one, "name", "before", "after", "changed");
      assert.deepEqual(changedFields(one.before, one.after), one.changed);
    });
  }
});

test("changed fields: what JSON has not", async () => {
  const { changedFields } = await fresh();
  const differ = (before, after) => changedFields({ a: before }, { a: after }).length === 1;
  assert.ok(!differ(undefined, undefined) && changedFields({}, { a: undefined }).length === 0);
  assert.ok(!differ(NaN, NaN) && !differ(new Date(1), new Date(1)) && differ(new Date(1), new Date(2)));
  assert.ok(differ(10n, 11n) && !differ(10n, 10n) && differ(new Map([[1, 2]]), new Map([[1, 3]])));
  assert.ok(differ({ toJSON: () => "1.5" }, { toJSON: () => "1.6" }) && !differ({ toJSON: () => "1.5" }, { toJSON: () => "1.5" }));
  const [one, two] = [{}, {}];
  [one.self, two.self] = [one, two];
  assert.ok(differ(one, two));
  assert.deepEqual(changedFields({ get a() { throw new Error("no"); } }, { a: 1 }), ["a"]);
  assert.deepEqual(changedFields(undefined, undefined), []);
});
