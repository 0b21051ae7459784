// What JavaScript takes for granted and a script must not have from elsewhere: time, randomness, a console. All of it comes
// from the host, so that a call can be replayed. Loaded first, by the build.

import { debug, error, info, nowMillis, random, warn } from "./host.js";

const SystemDate = globalThis.Date;
let serving = false;

/** Called when the host has called the script: while it was built there was no host to ask. */
export function serve() {
  serving = true;
}

class HostDate extends SystemDate {
  constructor(...parts) {
    super(...(parts.length === 0 ? [HostDate.now()] : parts));
  }

  static now() {
    // Built at any time, a script is the same: until it serves, it is the epoch.
    return serving ? nowMillis() : 0;
  }
}

globalThis.Date = HostDate;
globalThis.Math.random = () => {
  if (!serving) throw new Error("Math.random() while the script is built: ask for it in a call");
  return random();
};
globalThis.console = {
  debug: logger(debug),
  log: logger(info),
  info: logger(info),
  warn: logger(warn),
  error: logger(error),
};

function logger(log) {
  return (...parts) => {
    if (serving) log(parts.map(shown).join(" "));
  };
}

function shown(part) {
  if (typeof part === "string") return part;
  if (part instanceof Error) return `${part.name}: ${part.message}`;
  try {
    return JSON.stringify(part) ?? String(part);
  } catch {
    return String(part);
  }
}
