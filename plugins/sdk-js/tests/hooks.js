// Resolves `gudok:ivr/NAME@0.1.0` to the fake of that interface.
export function resolve(specifier, context, next) {
  const name = /^gudok:ivr\/([a-z-]+)@0\.1\.0$/.exec(specifier)?.[1];
  if (name === undefined) return next(specifier, context);
  return { url: new URL(`./fakes.js?${name}`, import.meta.url).href, shortCircuit: true };
}

// One module for each interface, which hands everything on to what `fake.js` holds.
const FUNCTIONS = {
  host: ["log", "step", "count", "nowMillis", "nowLocal", "randomU64", "config", "data", "granted", "draining"],
  fetch: ["send", "start"],
  secrets: ["secretNamed"],
  directory: ["findOffices", "findEntries", "searchFaq", "isOpen"],
  promises: ["requestCallback", "offerCallback", "submitTicket", "submitSurvey"],
  queues: ["enqueue"],
  recording: ["recordMessage", "startRecording"],
  transfer: ["transfer"],
  storage: [],
};

export function load(url, context, next) {
  const name = /fakes\.js\?([a-z-]+)$/.exec(url)?.[1];
  if (name === undefined) return next(url, context);
  const fake = new URL("./fake.js", import.meta.url).href;
  const lines = FUNCTIONS[name].map((of) => `export const ${of} = (...args) => host["${name}"].${of}(...args);`);
  if (name === "storage") lines.push('export const Bucket = { open: (name) => host.storage.open(name) };');
  return { format: "module", source: `import { host } from "${fake}";\n${lines.join("\n")}\n`, shortCircuit: true };
}
