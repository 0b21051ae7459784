// Runs a file of conversations (tests/conversations.ts or .js) and lets it print them: bundled first, so that types and imports
// are the script's own.
//
//   node print.mjs --project FOLDER --tools FOLDER --file tests/conversations.ts

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { linkSdk } from "./link.mjs";

const names = ["project", "tools", "file"];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
const project = resolve(values.project);
const work = mkdtempSync(join(tmpdir(), "gudok-talks-"));
try {
  linkSdk(project);
  const esbuild = createRequire(join(resolve(values.tools), "package.json"))("esbuild");
  const outfile = join(work, "conversations.mjs");
  await esbuild.build({
    entryPoints: [resolve(project, values.file)],
    absWorkingDir: project,
    bundle: true,
    outfile,
    format: "esm",
    platform: "node",
    sourcemap: "inline",
    charset: "utf8",
    logLevel: "silent",
  });
  await import(pathToFileURL(outfile));
} catch (error) {
  const problems = error.errors?.map(({ text, location }) => ({
    file: location ? relative(project, resolve(project, location.file)) : null,
    line: location?.line ?? 0,
    column: (location?.column ?? -1) + 1,
    width: location?.length ?? 0,
    message: text,
    remedy: null,
  }));
  console.log(JSON.stringify({ problems: problems ?? [{ file: values.file, line: 0, column: 0, width: 0, message: `${error.name}: ${error.message}`, remedy: null }] }));
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
