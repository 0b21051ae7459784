// From an author's JavaScript or TypeScript to a component: checks types, bundles, makes a world of what is used, embeds.
//
//   node build.mjs --project FOLDER --wit FOLDER --tools FOLDER --kind service|campaign --capabilities a,b --out FILE
//
// Prints one JSON object: { problems: [{ file, line, column, width, message, remedy }], imports, bytes }. Exits with 1 where
// there are problems, with 2 where it cannot work at all.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { lineTable } from "./lines.mjs";
import { SDK, linkSdk } from "./link.mjs";
import { checkTypes } from "./types.mjs";
import { writeWorld } from "./world.mjs";

const OPTIONS = ["project", "wit", "tools", "kind", "capabilities", "out"];
const ENTRIES = ["src/main.ts", "src/main.js", "src/main.mjs"];
const OURS = /^gudok:ivr\/([a-z-]+)@/;

/** What in the SDK leads to an interface: where an author's file is shown that wants a capability. */
const LEADS_TO = {
  recording: ["recordMessage", "startRecording"],
  transfer: ["transfer"],
  queues: ["waitInQueue", "enterQueue"],
  directory: ["directory"],
  promises: ["offerCallback", "requestCallback", "submitTicket", "submitSurvey"],
  storage: ["Bucket"],
  fetch: ["http"],
  secrets: ["secret"],
};

/** What a manifest says to have it. */
const DECLARED_AS = {
  recording: "recording = {}",
  transfer: 'transfer = { groups = ["operators"] }',
  queues: 'queues = { names = ["operators"] }',
  directory: "directory = {}",
  promises: 'promises = { callback_queues = ["operators"] }',
  storage: 'storage = { buckets = ["…"] }',
  fetch: 'fetch = { origins = ["config:back_end"] }',
  secrets: 'secrets = { names = ["…"] }',
  "secrets-reveal": 'secrets = { names = ["…"], reveal = true }',
};

const LOADED =
  "What stands outside of functions runs when the script is built, without a call and without the host: move it into the function that serves the call";

// Where the capability "secrets" is not declared, there is no module of that name: fetch needs its type alone.
const WITHOUT_SECRETS = {
  name: "without-secrets",
  setup(build) {
    build.onResolve({ filter: /^gudok:ivr\/secrets@/ }, ({ path }) => ({ path, namespace: "without" }));
    build.onLoad({ filter: /.*/, namespace: "without" }, () => ({ contents: "export {}" }));
  },
};

class Problems extends Error {
  constructor(problems) {
    super("there are problems");
    this.problems = problems;
  }
}

async function main() {
  const { values } = parseArgs({ options: Object.fromEntries(OPTIONS.map((name) => [name, { type: "string" }])) });
  const missing = OPTIONS.filter((name) => values[name] === undefined);
  if (missing.length > 0) throw new Error(`missing: ${missing.map((name) => `--${name}`).join(", ")}`);
  const work = mkdtempSync(join(tmpdir(), "gudok-js-"));
  try {
    const built = await build({ ...values, project: resolve(values.project), work });
    mkdirSync(dirname(resolve(values.out)), { recursive: true });
    writeFileSync(values.out, built.component);
    console.log(JSON.stringify({ problems: [], imports: built.imports, bytes: built.component.length }));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function build(options) {
  const entry = ENTRIES.find((name) => existsSync(join(options.project, name)));
  if (entry === undefined) {
    throw new Problems([
      problem("there is no src/main.ts and no src/main.js", "The script begins there: `export default service((call) => { … })`"),
    ]);
  }
  linkSdk(options.project);
  const require = createRequire(join(resolve(options.tools), "package.json"));
  const typed = entry.endsWith(".ts") || existsSync(join(options.project, "tsconfig.json"));
  if (typed) refuse(checkTypes(require("typescript"), options.project, entry, SDK));
  const bundle = await bundled(require("esbuild"), options, entry);
  const imports = interfacesOf(bundle, options);
  writeWorld(options.wit, join(options.work, "wit"), options.kind, imports, options.capabilities.split(","));
  const lines = lineTable(JSON.parse(bundle.map), options.work, options.project, SDK);
  const source = `${bundle.code}\n;globalThis.gudokLines = ${JSON.stringify(lines)};\n`;
  return { component: await componentized(require, options, source, lines, entry), imports };
}

async function bundled(esbuild, options, entry) {
  const exported = options.kind === "campaign" ? "campaign" : "script";
  const usage = options.kind === "campaign" ? "campaign({ prepare, run })" : "service((call) => { … })";
  const calls = options.kind === "campaign"
    ? "prepare(contact) { serve(); return main.prepare(contact); }, run(call, contact) { serve(); return main.run(call, contact); }"
    : "run(call) { serve(); return main.run(call); }";
  const wanted = options.kind === "campaign" ? "campaign" : "service";
  const contents = `
    import { serve } from "gudok/runtime";
    import main from "./${entry}";
    if (main?.kind !== ${JSON.stringify(wanted)}) {
      throw new Error(${JSON.stringify(`manifest.toml has another kind, or ${entry} does not export default ${usage}`)});
    }
    export const ${exported} = { ${calls} };`;
  try {
    const result = await esbuild.build({
      stdin: { contents, resolveDir: options.project, sourcefile: "gudok-entry.js" },
      absWorkingDir: options.project,
      bundle: true,
      write: false,
      outfile: join(options.work, "script.js"),
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "es2023",
      external: ["gudok:*"],
      plugins: options.capabilities.split(",").includes("secrets") ? [] : [WITHOUT_SECRETS],
      sourcemap: "external",
      metafile: true,
      logLevel: "silent",
      keepNames: true,
      charset: "utf8",
    });
    const text = (ending) => result.outputFiles.find((file) => file.path.endsWith(ending)).text;
    return { code: text("script.js"), map: text("script.js.map"), metafile: result.metafile };
  } catch (error) {
    if (error.errors === undefined) throw error;
    throw new Problems(error.errors.map((found) => ofEsbuild(found, options, entry)));
  }
}

function ofEsbuild({ text, location, notes }, { project }, entry) {
  const remedies = [
    [/^Could not resolve "(node:.*|fs|http|https|net|os|path|crypto|child_process|process|timers)"/,
      "A script has no files, sockets or clocks: what there is comes from `gudok` (host, http, Bucket)"],
    [/^Could not resolve "gudok/, "Run `gudok build` in the project: it lays the SDK into node_modules/gudok"],
    [/^Could not resolve "\./, "Check the file's name and where it lies"],
    [/^Could not resolve "/, "Install it beside the script: `npm install NAME`; it must not need Node or a browser"],
    [/^No matching export in .* for import "default"/, "End the file with `export default service((call) => { … })`, or `campaign({ prepare, run })`"],
    [/^No matching export in/, "See what the module has: node_modules/gudok/src/index.d.ts documents the SDK"],
  ];
  const remedy = remedies.find(([pattern]) => pattern.test(text))?.[1] ?? notes?.[0]?.text ?? null;
  const file = location && location.file !== "gudok-entry.js" ? location.file : null;
  return file === null
    ? problem(text, remedy, entry)
    : { file: relative(project, resolve(project, file)), line: location.line, column: location.column + 1, width: location.length, message: text, remedy };
}

// The interfaces that are left once what is not used was shaken out.
function interfacesOf(bundle, options) {
  const [output] = Object.entries(bundle.metafile.outputs).find(([name]) => name.endsWith("script.js")).slice(1);
  const imports = output.imports.filter((found) => found.external).map((found) => OURS.exec(found.path)?.[1] ?? found.path);
  const used = [...new Set(imports)].sort();
  const declared = options.capabilities.split(",");
  const problems = [];
  for (const name of used) {
    if (name in DECLARED_AS && !declared.includes(name)) {
      problems.push({
        ...placeOf(LEADS_TO[name] ?? [`gudok:ivr/${name}`], bundle.metafile, options.project),
        message: `the script uses the interface \`${name}\`, but manifest.toml does not declare the capability`,
        remedy: `Add under [capabilities]: ${DECLARED_AS[name]}`,
      });
    }
  }
  refuse(problems);
  return used;
}

// The first place in the author's files that names one of these words.
function placeOf(words, metafile, project) {
  const pattern = new RegExp(words.map((word) => word.replace(/[/]/g, "\\/")).map((word) => `\\b${word}\\b`).join("|"));
  for (const input of Object.keys(metafile.inputs)) {
    const path = resolve(project, input);
    if (path.startsWith(SDK) || path.includes("node_modules") || !existsSync(path)) continue;
    const lines = readFileSync(path, "utf8").split("\n");
    const usable = (line) => pattern.test(line) && !/^\s*(import\b|\/\/)/.test(line);
    const line = [lines.findIndex(usable), lines.findIndex((line) => pattern.test(line))].find((at) => at >= 0);
    if (line !== undefined) {
      const found = pattern.exec(lines[line]);
      return { file: relative(project, path), line: line + 1, column: found.index + 1, width: found[0].length };
    }
  }
  return { file: null, line: 0, column: 0, width: 0 };
}

async function componentized(require, options, jsSource, lines, entry) {
  const { componentize } = await import(pathToFileURL(require.resolve("componentize-qjs")));
  try {
    const witPath = join(options.work, "wit");
    const { component } = await componentize({ witPath, jsSource, world: "built-script", stubWasi: true, sync: true });
    return component;
  } catch (error) {
    // What the script does when it is loaded is done while it is built.
    const text = String(error.message ?? error);
    if (/wasm backtrace|unreachable/.test(text)) {
      throw new Problems([problem("the script asks the host while it is loaded: there is no call then, and no host", LOADED, entry)]);
    }
    const cause = /(?:evaluation|module): (?:Error: )?([^\n]+)/.exec(text)?.[1] ?? text.split("\n")[0];
    const message = cause.replace(/^(Failed to [a-z ]+JavaScript module( evaluation)?: )+/, "").replace(/^Error: /, "");
    const frames = [...text.matchAll(/:(\d+):(\d+)\)?/g)].map(([, line]) => lines.places[Number(line) - 1] ?? []);
    const [source, line] = frames.find(([source]) => lines.sources[source] !== undefined) ?? [];
    throw new Problems([
      {
        file: source === undefined ? entry : lines.sources[source],
        line: line ?? 0,
        column: 0,
        width: 0,
        message: source === undefined ? message : `the script fails while it is loaded: ${message}`,
        remedy: source === undefined ? null : LOADED,
      },
    ]);
  }
}

function problem(message, remedy, file = null) {
  return { file, line: 0, column: 0, width: 0, message, remedy: remedy ?? null };
}

function refuse(problems) {
  if (problems.length > 0) throw new Problems(problems);
}

try {
  await main();
} catch (error) {
  if (error instanceof Problems) {
    console.log(JSON.stringify({ problems: error.problems }));
    process.exitCode = 1;
  } else {
    console.error(`${error.stack ?? error}`);
    process.exitCode = 2;
  }
}
