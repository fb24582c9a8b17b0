// Makes dist/ from the sources: ES modules, CommonJS, types. Also the type check. Needs `npm ci --ignore-scripts` once.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const here = dirname(fileURLToPath(import.meta.url));
const sources = ["nuncio", "next"];
const { options, errors } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(here, "tsconfig.json"), ts.sys.readFile).config, ts.sys, here);

/** Stops at the first set of faults: what does not type-check is not packed. */
function check(faults, what) {
  if (faults.length === 0) return;
  console.error(ts.formatDiagnosticsWithColorAndContext(faults, {
    getCanonicalFileName: (name) => name, getCurrentDirectory: () => here, getNewLine: () => "\n" }));
  console.error(`${what}: ${faults.length} error(s)`);
  process.exit(1);
}

const roots = sources.map((name) => join(here, `${name}.ts`));
check(errors, "tsconfig.json");
// A copy in an application is checked with its settings: Next.js 14 sets no target, which was ES5, and all of `lib`.
const old = { ...options, target: ts.ScriptTarget.ES5, lib: ["lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.esnext.d.ts"], noEmit: true };
check(ts.getPreEmitDiagnostics(ts.createProgram(roots, old)), "target ES5");
const program = ts.createProgram(roots, { ...options, outDir: join(here, "dist/esm") });
check(ts.getPreEmitDiagnostics(program), "types");

rmSync(join(here, "dist"), { recursive: true, force: true });
program.emit();
mkdirSync(join(here, "dist/cjs"));
for (const name of sources) {
  const source = readFileSync(join(here, `${name}.ts`), "utf8");
  const compilerOptions = { ...options, module: ts.ModuleKind.CommonJS, verbatimModuleSyntax: false, esModuleInterop: true };
  writeFileSync(join(here, `dist/cjs/${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
  copyFileSync(join(here, `dist/esm/${name}.d.ts`), join(here, `dist/cjs/${name}.d.ts`));
}
writeFileSync(join(here, "dist/esm/package.json"), '{ "type": "module" }\n');
writeFileSync(join(here, "dist/cjs/package.json"), '{ "type": "commonjs" }\n');
