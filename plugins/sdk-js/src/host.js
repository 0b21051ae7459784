// The script's surroundings: log, steps, counters, clock, configuration, data files.

import * as host from "gudok:ivr/host@0.1.0";
import { CallError, unlessEnded as unless } from "./errors.js";
import { fieldsOf } from "./fields.js";
import { decode } from "./utf8.js";

/** Writes a line to the author's log. */
export function log(level, message, fields = {}) {
  host.log(level, String(message), fieldsOf(fields));
}

/** What helps while writing. */
export const debug = (message, fields) => log("debug", message, fields);
/** Something the author wants to know. */
export const info = (message, fields) => log("info", message, fields);
/** Something that went wrong and was got over. */
export const warn = (message, fields) => log("warn", message, fields);
/** Something that a caller suffered from. */
export const error = (message, fields) => log("error", message, fields);

/** Names a step of the dialog: a span in the trace, a node of the flow, an anchor in a replay. */
export const step = (name) => host.step(name);

/** Adds to a counter of the script's own. */
export const count = (event, by = 1) => host.count(event, by);

/** Milliseconds since the Unix epoch; virtual in the simulator. */
export const nowMillis = () => host.nowMillis();

/** The moment in the agency's time zone. */
export const now = () => host.nowLocal();

/** 53 random bits, from 0 up to and without 1: what Math.random answers in a script. */
export function random() {
  // The number is of 64 bits and comes as a double: what that rounds up to 1 is drawn again.
  for (;;) {
    const drawn = Number(host.randomU64()) / 2 ** 64;
    if (drawn < 1) return drawn;
  }
}

/** A value of the script's configuration. */
export const config = (key) => host.config(key) ?? undefined;

/** A value that the script cannot do without; the error tells the admin what to configure. */
export function configRequired(key) {
  const value = config(key);
  if (value === undefined) {
    throw new CallError("not-found", `configuration value ${key}: set it where the script is deployed`);
  }
  return value;
}

/** A data file of the bundle, by its name under data/. */
export function data(name) {
  const bytes = host.data(name) ?? undefined;
  if (bytes === undefined) throw new CallError("not-found", `data/${name} in the bundle`);
  return bytes;
}

/** A text file of the bundle. */
export function dataText(name) {
  const text = decode(data(name));
  if (text === undefined) throw new CallError("invalid", `data/${name} is not UTF-8`);
  return text;
}

/** A JSON file of the bundle. */
export function dataJson(name) {
  try {
    return JSON.parse(dataText(name));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new CallError("invalid", `data/${name} is no JSON: ${thrown.message}`);
  }
}

/** True where a capability is granted now: lets a script do without instead of failing. */
export const granted = (capability) => host.granted(capability);

/** True once a newer version is active or the engine is stopping: finish, start nothing long. */
export const draining = () => host.draining();

/** For a step that a script can do without: undefined, and a warning in the log, where the host could not do it. */
export const unlessEnded = (doingWithout, step) => unless(step, (failed) => warn(`${doingWithout}: ${failed.message}`));
