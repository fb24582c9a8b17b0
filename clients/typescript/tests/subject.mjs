// What is tested: the sources as they are where Node runs TypeScript (22.18 and later), else the built package.
// NUNCIO_CLIENT=source or NUNCIO_CLIENT=dist chooses.
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const chosen = process.env.NUNCIO_CLIENT ?? (process.features.typescript ? "source" : "dist");
export const at = (path) => new URL(`../${path}`, import.meta.url);
export const file = (name) => at(chosen === "source" ? `${name}.ts` : `dist/esm/${name}.js`);

/** Ends the run if the package is not built from these sources. */
export function fileBuilt(name) {
  const built = fileURLToPath(at(`dist/esm/${name}.js`));
  if (existsSync(built) && statSync(built).mtimeMs >= statSync(at(`${name}.ts`)).mtimeMs) return;
  console.error(`dist/ is missing or older than ${name}.ts: npm ci --ignore-scripts && npm run build`);
  process.exit(1);
}
if (chosen === "dist") for (const name of ["nuncio", "next"]) fileBuilt(name);

let loads = 0;
/** A client that has not read the environment yet: a module of its own. */
export const fresh = () => import(`${file("nuncio").href}?${(loads += 1)}`);
export const conformance = (name) => JSON.parse(readFileSync(at(`../conformance/${name}.json`), "utf8"));
export const text = (path) => readFileSync(fileURLToPath(at(path)), "utf8");
/** Marks every place where it appears. No test's text may contain it. */
export const KEY = "nun_canary7Q2xZ";
