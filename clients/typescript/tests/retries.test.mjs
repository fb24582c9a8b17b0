// Answers become results: clients/conformance/retries.json and answers.json.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeNuncio, hurry } from "./fake.mjs";
import { known } from "./names.mjs";
import { conformance, fresh, KEY } from "./subject.mjs";

const bounds = conformance("bounds");

/** The result in the words of the conformance files. */
function neutral({ eventId, ...rest }) {
  return eventId === undefined ? rest : { ...rest, event_id: eventId };
}

function matches(result, one, nuncio) {
  const { errors, ...rest } = neutral(result);
  assert.ok(!JSON.stringify(result).includes(KEY), "the key is in a text");
  if (!one.error_contains) return assert.deepEqual({ ...rest, errors }, nuncio.filled(one.result));
  assert.deepEqual(rest, one.result);
  assert.deepEqual(errors.map((error) => error.webhook), ["system"]);
  for (const part of nuncio.filled(one.error_contains)) {
    assert.ok(errors[0].error.includes(part), `${part} is missing in: ${errors[0].error}`);
  }
}

function sameKeyInAll(requests) {
  assert.equal(new Set(requests.map((request) => request.headers["idempotency-key"])).size, 1);
  assert.equal(new Set(requests.map((request) => request.body)).size, 1);
}

// Controls: two tries, four tries, a pause without its random part or without Retry-After, a key per try, 500 among the
// passing answers, no bound on Retry-After: each makes a case of this file fail.
for (const [name, random] of [["shortest", () => 0], ["longest", () => 0.999999]]) {
  test(`retries, ${name} pauses`, async (t) => {
    t.mock.method(Math, "random", random);
    const { Nuncio } = await fresh();
    for (const one of conformance("retries").cases) {
      await t.test(one.name, async (t) => {
        known(one, "name", "answers", "waits_ms", "result", "error_contains");
        const nuncio = await fakeNuncio(t, { key: KEY });
        nuncio.next(...one.answers);
        const pauses = [];
        const client = new Nuncio({ url: nuncio.url, key: KEY, sleep: async (ms) => { pauses.push(ms); } });
        matches(await client.systemAlert("a", "b"), one, nuncio);
        assert.equal(nuncio.requests.length, one.waits_ms.length + 1);
        assert.ok(nuncio.requests.length <= bounds.tries);
        sameKeyInAll(nuncio.requests);
        assert.deepEqual([pauses.length, nuncio.beyond], [one.waits_ms.length, 0]);
        one.waits_ms.forEach(([least, most], i) => {
          assert.ok(least <= pauses[i] && pauses[i] <= most, `pause of ${pauses[i]} ms`);
          // The random part reaches from one bound to the other. A date has whole seconds only.
          if (!one.answers[i].retry_after_in_s) assert.ok(Math.abs(pauses[i] - (random() ? most : least)) < 1, `pause of ${pauses[i]} ms`);
        });
      });
    }
  });
}

test("answers", async (t) => {
  for (const one of conformance("answers").cases) {
    await t.test(one.name, async (t) => {
      known(one, "name", "waits", "answer", "result", "error_contains");
      const nuncio = await fakeNuncio(t, { key: KEY });
      process.env.NUNCIO_URL = nuncio.url;
      process.env.NUNCIO_API_KEY = KEY;
      const { dispatchSystemAlert, Nuncio } = await fresh();
      nuncio.next(one.answer);
      matches(await (one.waits ? dispatchSystemAlert("a", "b") : new Nuncio().systemAlert("a", "b")), one, nuncio);
      assert.equal(nuncio.requests.length, 1);
    });
  }
});

// The functions have no option for the pause: the clock is this test's. Their tries are the class's.
test("the functions try three times too", async (t) => {
  const nuncio = await fakeNuncio(t);
  process.env.NUNCIO_URL = nuncio.url;
  process.env.NUNCIO_API_KEY = KEY;
  const { dispatchWebhook } = await fresh();
  nuncio.next({ status: 503, text: "" }, { fault: "reset" }, { status: 200, body: { sent: 1, failed: 0, errors: [] } });
  const pauses = hurry(t);
  assert.deepEqual(await dispatchWebhook("CUSTOM", { title: "T" }), { success: true, sent: 1, failed: 0, errors: [] });
  assert.deepEqual(pauses, [250, 500]);
  sameKeyInAll(nuncio.requests);
});

// Control: without the limit of a try this test never ends.
test("a nuncio that never answers: the call ends after its time, once", async (t) => {
  const nuncio = await fakeNuncio(t);
  process.env.NUNCIO_URL = nuncio.url;
  process.env.NUNCIO_API_KEY = KEY;
  const { dispatchWebhook, Nuncio } = await fresh();
  const limits = clock(t, (ms) => ms > bounds.call_ms - 1000, () => nuncio.requests.length > 0);
  nuncio.next({ fault: "hang" });
  const result = await dispatchWebhook("CUSTOM", { title: "T" });
  assert.deepEqual([result.success, result.sent, result.failed], [false, 0, 0]);
  assert.match(result.errors[0].error, /did not answer in time.*may have the event/);
  assert.deepEqual([nuncio.requests.length, limits], [1, [bounds.call_ms]]);

  // A fetch that heeds no signal is no way round it.
  const { errors } = await new Nuncio({ fetch: () => new Promise(() => {}) }).systemAlert("a", "b");
  assert.match(errors[0].error, /did not answer in time/);
});

// Control: a timer that is not cleared keeps a script of a second alive for fifteen.
test("no timer is left behind", async (t) => {
  const nuncio = await fakeNuncio(t);
  const { Nuncio } = await fresh();
  const open = new Set();
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  t.mock.method(globalThis, "setTimeout", (...given) => { const timer = set(...given); open.add(timer); return timer; });
  t.mock.method(globalThis, "clearTimeout", (timer) => { open.delete(timer); clear(timer); });
  nuncio.next({ status: 202, body: { event_id: "evt_1", deliveries: 1 } });
  await new Nuncio({ url: nuncio.url, key: KEY }).systemAlert("a", "b");
  assert.equal(open.size, 0);
});

/** Timers that `mine` chooses go off as soon as `due`, others run as ever. Returns their lengths. */
function clock(t, mine, due) {
  const lengths = [];
  const real = globalThis.setTimeout;
  t.mock.method(globalThis, "setTimeout", (callback, ms, ...rest) => {
    if (!mine(ms)) return real(callback, ms, ...rest);
    lengths.push(ms);
    const look = () => (due() ? callback() : setImmediate(look));
    setImmediate(look);
    return undefined;
  });
  return lengths;
}
