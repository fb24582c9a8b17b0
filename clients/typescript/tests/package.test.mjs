// What npm gets: packed, unpacked into an application, used as ES module, as CommonJS, in a bare runtime, and by the compiler.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { at, fileBuilt, text } from "./subject.mjs";

const root = fileURLToPath(at("."));
const compiler = join(root, "node_modules/typescript/bin/tsc");
// CI installs it always: what is left out here is run there.
const skip = !existsSync(compiler) && "the compiler is not installed: npm ci --ignore-scripts";
let application;

before(() => {
  if (skip) return;
  for (const name of ["nuncio", "next"]) fileBuilt(name);
  application = mkdtempSync(join(tmpdir(), "nuncio-package-"));
  const packed = execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", application], { cwd: root, encoding: "utf8" }).trim();
  mkdirSync(join(application, "node_modules/nuncio-client"), { recursive: true });
  execFileSync("tar", ["xzf", join(application, packed), "-C", join(application, "node_modules/nuncio-client"), "--strip-components=1"]);
});
after(() => application && rmSync(application, { recursive: true }));

const run = (name, source) => {
  writeFileSync(join(application, name), source);
  return execFileSync(process.execPath, [name], { cwd: application, encoding: "utf8", env: { PATH: process.env.PATH } });
};

test("what is in it", { skip }, () => {
  const list = execFileSync("find", [".", "-type", "f"], { cwd: join(application, "node_modules/nuncio-client"), encoding: "utf8" });
  assert.deepEqual(list.trim().split("\n").sort(), [
    "./LICENSE", "./README.md", "./dist/cjs/next.d.ts", "./dist/cjs/next.js", "./dist/cjs/nuncio.d.ts", "./dist/cjs/nuncio.js",
    "./dist/cjs/package.json", "./dist/esm/next.d.ts", "./dist/esm/next.js", "./dist/esm/nuncio.d.ts", "./dist/esm/nuncio.js",
    "./dist/esm/package.json", "./next.ts", "./nuncio.ts", "./package.json",
  ]);
});

const use = 'dispatchSystemAlert("a", "b").then((result) => console.log(result.errors[0].error.slice(0, 21)));';

test("as ES module", { skip }, () => {
  assert.equal(run("a.mjs", `import { dispatchSystemAlert } from "nuncio-client"; ${use}`), "NUNCIO_URL is not set\n");
});

test("as CommonJS", { skip }, () => {
  assert.equal(run("a.cjs", `const { dispatchSystemAlert } = require("nuncio-client"); ${use}`), "NUNCIO_URL is not set\n");
});

test("./next, both ways", { skip }, () => {
  mkdirSync(join(application, "node_modules/next"), { recursive: true });
  writeFileSync(join(application, "node_modules/next/package.json"), '{ "name": "next" }');
  writeFileSync(join(application, "node_modules/next/server.js"), "exports.after = () => console.log('after');");
  assert.equal(run("n.mjs", `import { dispatchSystemAlert } from "nuncio-client/next"; ${use}`), "after\nNUNCIO_URL is not set\n");
  assert.equal(run("n.cjs", `const { dispatchSystemAlert } = require("nuncio-client/next"); ${use}`), "after\nNUNCIO_URL is not set\n");
});

// Control: any global of Node in nuncio.ts is a ReferenceError here.
test("in a runtime that has web standards and nothing else", { skip }, async () => {
  const requests = [];
  const runtime = {
    exports: {}, AbortController, TextDecoder, URL, Response, crypto, performance, setTimeout, clearTimeout,
    fetch: async (url) => { requests.push(url); return Response.json({ event_id: "evt_1", deliveries: 2 }, { status: 202 }); },
  };
  const source = readFileSync(join(application, "node_modules/nuncio-client/dist/cjs/nuncio.js"), "utf8");
  vm.runInNewContext(source, runtime);
  const client = new runtime.exports.Nuncio({ url: "https://nuncio.example.com", key: "k" });
  assert.equal((await client.systemAlert("a", "b")).deliveries, 2);
  assert.equal((await runtime.exports.dispatchSystemAlert("a", "b")).success, false);
  assert.deepEqual(requests, ["https://nuncio.example.com/v1/dispatch/system-alert"]);
});

/** Type-checks these texts as an application's files. */
const compile = (texts, settings) => {
  const names = texts.map((source, i) => (writeFileSync(join(application, `use-${i}.mts`), source), `use-${i}.mts`));
  const flags = ["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", ...settings];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...flags, ...names], { cwd: application, encoding: "utf8" });
  assert.equal(status, 0, stdout);
};
const ways = { bundler: ["--module", "esnext", "--moduleResolution", "bundler"], node: ["--module", "nodenext"] };

test("every example of the README compiles", { skip }, async (t) => {
  const blocks = [...text("README.md").matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1]);
  assert.equal(blocks.length, 4);
  for (const [way, settings] of Object.entries(ways)) {
    await t.test(way, () => compile(blocks, settings));
  }
});

// The old module's callers, as its document shows them.
const callers = `
import { dispatchServerStateChange, dispatchSettingsUpdate, dispatchWebhook, type DispatchOptions } from "nuncio-client";
dispatchServerStateChange("Server Name", "online", "node-1").catch((error) => { console.error("Failed to dispatch webhook:", error); });
const options: DispatchOptions = { types: ["SYSTEM"], scopes: ["ADMIN"], onlyEnabled: false };
await dispatchWebhook("CUSTOM", { title: "My Event", color: 3447003, fields: [{ name: "Field", value: "Value", inline: true }] }, options)
  .catch((error) => { console.error("Failed to dispatch:", error); });
const result: { success: boolean; sent: number; failed: number; errors: { webhook: string; error: string }[] } =
  await dispatchSettingsUpdate(["Test Field"], "test@example.com");
console.log(result);
`;

test("the old module's callers compile", { skip }, () => {
  for (const settings of Object.values(ways)) compile([callers], settings);
});

// Control: make an argument `string`: the two lines below are no errors any more, and the compiler says so.
test("wrong arguments do not", { skip }, () => {
  compile([`
import { dispatchServerStateChange, dispatchWebhook } from "nuncio-client";
// @ts-expect-error: no such state
void dispatchServerStateChange("a", "exploded");
// @ts-expect-error: no such category
void dispatchWebhook("OTHER", { title: "a" });
`], ways.node);
});
