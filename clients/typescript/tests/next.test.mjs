// `./next`, with a stand-in for Next.js' own package beside a copy of the client.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { fakeNuncio, hurry } from "./fake.mjs";
import { FUNCTIONS } from "./names.mjs";
import { file, fresh, KEY } from "./subject.mjs";

/** A copy of the client in an application whose Next.js has these exports. */
async function inNext(t, exported) {
  const application = mkdtempSync(join(tmpdir(), "nuncio-next-"));
  t.after(() => rmSync(application, { recursive: true }));
  writeFileSync(join(application, "package.json"), '{ "type": "module" }');
  mkdirSync(join(application, "node_modules/next"), { recursive: true });
  writeFileSync(join(application, "node_modules/next/package.json"), '{ "name": "next" }');
  writeFileSync(join(application, "node_modules/next/server.js"), exported);
  for (const name of ["nuncio", "next"]) copyFileSync(file(name), join(application, basename(fileURLToPath(file(name)))));
  const nuncio = await fakeNuncio(t);
  process.env.NUNCIO_URL = nuncio.url;
  process.env.NUNCIO_API_KEY = KEY;
  globalThis.given = [];
  return { nuncio, client: await import(pathToFileURL(join(application, basename(fileURLToPath(file("next"))))).href) };
}
const sent = { status: 200, body: { sent: 1, failed: 0, errors: [] } };
const WITH_AFTER = "exports.after = (work) => { globalThis.given.push(work); };";

test("it has the names of the package, and the hook", async (t) => {
  const { client } = await inNext(t, WITH_AFTER);
  assert.deepEqual(Object.keys(client).sort(), [...Object.keys(await fresh()), "onRequestError"].sort());
});

// Control: `after(() => work())`: the awaited result comes only after the response that waits for it.
test("after() gets the promise that the caller has", async (t) => {
  const { nuncio, client } = await inNext(t, WITH_AFTER);
  for (const name of Object.values(FUNCTIONS)) {
    nuncio.next(sent);
    const work = client[name]("a", "b", "c", "d");
    assert.equal(globalThis.given.pop(), work);
    assert.equal((await work).success, true);
  }
});

test("outside of a request after() throws: the work runs", async (t) => {
  const { nuncio, client } = await inNext(t, "exports.after = () => { throw new Error('outside a request scope'); };");
  nuncio.next(sent);
  assert.equal((await client.dispatchSettingsUpdate(["a"])).success, true);
});

test("a Next.js without after(): the work runs", async (t) => {
  const { nuncio, client } = await inNext(t, "exports.NextResponse = class {};");
  nuncio.next(sent);
  assert.equal((await client.dispatchSettingsUpdate(["a"])).success, true);
});

test("withSystemAlert: the alert outlives the response", async (t) => {
  const { nuncio, client } = await inNext(t, WITH_AFTER);
  nuncio.next({ status: 202, body: { event_id: "evt_1", deliveries: 1 } });
  await assert.rejects(client.withSystemAlert(() => { throw new Error("e"); }, { title: "Job" })());
  assert.equal((await globalThis.given.pop()).accepted, true);
  assert.deepEqual(JSON.parse(nuncio.requests[0].body), { title: "Job", error: "e", severity: "error" });
});

// Control: send `request` or `request.path`.
test("onRequestError: route and text, folded; no header, no query, no value of the path", async (t) => {
  const { nuncio, client } = await inNext(t, WITH_AFTER);
  nuncio.next({ status: 202, body: { event_id: "evt_1", deliveries: 1 } });
  const request = { method: "GET", path: "/users/alice?token=s3cret", headers: { cookie: "s3cret" } };
  const context = { routerKind: "App Router", routePath: "/users/[name]", routeType: "render" };
  for (let i = 0; i < 5; i += 1) await client.onRequestError(new Error("no such column"), request, context);
  assert.deepEqual(nuncio.requests.map((request) => JSON.parse(request.body)),
    [{ title: "Error in GET /users/[name]", error: "no such column", severity: "error" }]);
});

test("onRequestError never rejects", async (t) => {
  const { nuncio, client } = await inNext(t, WITH_AFTER);
  await nuncio.stop();
  t.mock.method(globalThis, "fetch", async () => { throw new Error("no"); });
  hurry(t);
  for (const given of [[], [null, null, null], ["e", {}, {}], [new Error("e"), 7, 7]]) await client.onRequestError(...given);
});
