// Checks types as `tsc` does, and answers what it finds as problems.

import { existsSync } from "node:fs";
import { join, relative } from "node:path";

/** What holds where the project has no tsconfig.json, and what no project may change. */
const DEFAULTS = { strict: true, allowJs: true };
const FIXED = { noEmit: true, target: "es2023", module: "esnext", moduleResolution: "bundler", types: [] };

const REMEDIES = {
  2304: "A script has neither Node nor a browser around it: what there is comes from `gudok`",
  2307: "Check the name; packages are installed beside the script with `npm install NAME`",
  2339: "See what there is: node_modules/gudok/src/index.d.ts documents the SDK",
  2305: "See what there is: node_modules/gudok/src/index.d.ts documents the SDK",
  2580: "A script has no Node around it: what there is comes from `gudok` (host, http, Bucket)",
  2584: "A script has no browser around it: what there is comes from `gudok` (host, http, Bucket)",
};

/** Modules that only Node has. */
const OF_NODE = /module '(node:.*|fs|fs\/promises|http|https|net|os|path|crypto|child_process|process|timers|url|util)'/;

export function checkTypes(ts, project, entry, sdk) {
  const path = join(project, "tsconfig.json");
  let own = {};
  if (existsSync(path)) {
    const read = ts.readConfigFile(path, ts.sys.readFile);
    if (read.error !== undefined) return [problemOf(ts, read.error, project)];
    own = ts.parseJsonConfigFileContent({ ...read.config, include: [], files: [entry] }, ts.sys, project).options;
  }
  const fixed = ts.convertCompilerOptionsFromJson({ ...FIXED, lib: ["es2023"] }, project).options;
  const options = { ...DEFAULTS, ...own, ...fixed };
  const program = ts.createProgram([join(project, entry), join(sdk, "src/globals.d.ts")], options);
  return ts.getPreEmitDiagnostics(program)
    .filter((found) => found.category === ts.DiagnosticCategory.Error)
    .map((found) => problemOf(ts, found, project));
}

function problemOf(ts, found, project) {
  const message = ts.flattenDiagnosticMessageText(found.messageText, "\n");
  const remedy = OF_NODE.test(message) ? REMEDIES[2580] : (REMEDIES[found.code] ?? null);
  if (found.file === undefined) return { file: null, line: 0, column: 0, width: 0, message, remedy };
  const { line, character } = found.file.getLineAndCharacterOfPosition(found.start);
  const file = relative(project, found.file.fileName);
  return { file, line: line + 1, column: character + 1, width: found.length ?? 1, message: `${message} (TS${found.code})`, remedy };
}
