// Arguments become requests: clients/conformance/requests.json, by the functions and by the class.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeNuncio } from "./fake.mjs";
import { args, FUNCTIONS, known, METHODS, options } from "./names.mjs";
import { conformance, fresh, KEY } from "./subject.mjs";

const { every_request: every, cases } = conformance("requests");

function matches(request, one, wait) {
  assert.equal(request.method, every.method);
  assert.equal(request.path, one.path + (wait ? every.wait_query : ""));
  for (const [name, value] of Object.entries(every.headers)) {
    assert.equal(request.headers[name], value.replace("{key}", KEY), name);
  }
  for (const name of every.headers_present) assert.ok(request.headers[name], name);
  assert.deepEqual(JSON.parse(request.body), one.body);
}

test("each function is in the cases", () => {
  known(every, "method", "headers", "headers_present", "wait_query");
  for (const one of cases) known(one, "name", "function", "arguments", "options", "path", "body");
  assert.deepEqual([...new Set(cases.map((one) => one.function))].sort(), Object.keys(FUNCTIONS).sort());
});

test("the functions", async (t) => {
  const nuncio = await fakeNuncio(t);
  process.env.NUNCIO_URL = `${nuncio.url}/`;
  process.env.NUNCIO_API_KEY = KEY;
  const client = await fresh();
  for (const one of cases) {
    // Seven of the eight have no options: their arguments are the old module's.
    if (one.options && one.function !== "dispatch") continue;
    await t.test(one.name, async () => {
      nuncio.next({ status: 200, body: { success: true, sent: 1, failed: 0, errors: [] } });
      const given = [...args(one.arguments), ...(one.options ? [options(one.options)] : [])];
      assert.deepEqual(await client[FUNCTIONS[one.function]](...given), { success: true, sent: 1, failed: 0, errors: [] });
      matches(nuncio.requests.pop(), one, true);
    });
  }
  assert.equal(nuncio.beyond, 0);
});

test("the class", async (t) => {
  const nuncio = await fakeNuncio(t);
  const client = new (await fresh()).Nuncio({ url: `${nuncio.url}/below/`, key: KEY });
  for (const one of cases) {
    await t.test(one.name, async () => {
      nuncio.next({ status: 202, body: { event_id: "evt_1", deliveries: 1 } });
      const answer = await client[METHODS[one.function]](...args(one.arguments), options(one.options));
      assert.deepEqual(answer, { accepted: true, eventId: "evt_1", deliveries: 1, errors: [] });
      matches(nuncio.requests.pop(), { ...one, path: `/below${one.path}` }, false);
    });
  }
  assert.equal(nuncio.beyond, 0);
});

// A call is an event of its own, also the same call again.
// Control: one key per process, or none, and the sets are smaller.
test("two calls have two idempotency keys", async (t) => {
  const nuncio = await fakeNuncio(t);
  const client = new (await fresh()).Nuncio({ url: nuncio.url, key: KEY });
  const answer = { status: 202, body: { event_id: "evt_1", deliveries: 1 } };
  nuncio.next(answer, answer);
  await client.settingsUpdate(["a"]);
  await client.settingsUpdate(["a"]);
  assert.equal(new Set(nuncio.requests.map((request) => request.headers["idempotency-key"])).size, 2);
});

// `null` comes from databases (`user?.email ?? null`) and is the same as absent.
// Control: send null, and the body has `updated_by`.
test("null is absent", async (t) => {
  const nuncio = await fakeNuncio(t);
  const client = new (await fresh()).Nuncio({ url: nuncio.url, key: KEY });
  nuncio.next({ status: 202, body: { event_id: "evt_1", deliveries: 1 } });
  await client.settingsUpdate(["a"], null, null);
  assert.equal(nuncio.requests[0].body, '{"changed_fields":["a"]}');
});

test("old callers pass an Error where a text is expected: its text is sent", async (t) => {
  const nuncio = await fakeNuncio(t);
  const client = new (await fresh()).Nuncio({ url: nuncio.url, key: KEY });
  nuncio.next({ status: 202, body: { event_id: "evt_1", deliveries: 1 } });
  await client.systemAlert("Sync", new TypeError("x is undefined"), "critical");
  assert.deepEqual(JSON.parse(nuncio.requests[0].body),
    { title: "Sync", error: "TypeError: x is undefined", severity: "critical" });
});
