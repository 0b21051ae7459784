// Small values that outlive a call, as JSON. Needs the capability "storage" for the bucket.

import * as wit from "gudok:ivr/storage@0.1.0";
import { CallError, ask } from "./errors.js";
import { decode, encode } from "./utf8.js";

/** How often an update is tried before it is given up: each failure means that another call's update succeeded. */
export const UPDATE_ATTEMPTS_MAX = 16;

/** A bucket of the agency's. Every write is durable when it answers. */
export class Bucket {
  constructor(raw) {
    this.raw = raw;
  }

  /** Opens a bucket that the manifest names. */
  static open(name) {
    return new Bucket(ask(() => wit.Bucket.open(name)));
  }

  /** The value of a key; undefined where there is none. */
  value(key) {
    return this.#read(key).value;
  }

  /** Writes, whatever was there; kept for so many seconds, or for good. */
  set(key, value, { ttlSeconds = null } = {}) {
    ask(() => this.raw.set(key, encodeJson(value), ttlSeconds));
  }

  /** Changes a value so that no other call's change is lost, and answers the new one. `change` may run several times. */
  update(key, change, { ttlSeconds = null } = {}) {
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS_MAX; attempt += 1) {
      const { value, version } = this.#read(key);
      const changed = change(value);
      if (this.#writeIf(key, version, changed, ttlSeconds)) return changed;
    }
    throw new CallError("busy-resource", `key ${key}: changed ${UPDATE_ATTEMPTS_MAX} times meanwhile`);
  }

  /** Adds to a decimal number, and answers the sum. */
  increment(key, by = 1) {
    return Number(ask(() => this.raw.increment(key, by)));
  }

  /** Forgets a key; one that is not there is forgotten already. */
  delete(key) {
    ask(() => this.raw.delete(key));
  }

  /** Keys in byte order, after `after`. */
  keys(prefix = "", { after = null, limit = 100 } = {}) {
    return ask(() => this.raw.listKeys(prefix, after, limit));
  }

  #read(key) {
    const entry = ask(() => this.raw.get(key)) ?? undefined;
    if (entry === undefined) return { value: undefined, version: 0 };
    const text = decode(Uint8Array.from(entry.value));
    try {
      return { value: JSON.parse(text ?? ""), version: entry.version };
    } catch {
      throw new CallError("invalid", `key ${key} holds what is not JSON`);
    }
  }

  // Whether nobody else wrote meanwhile.
  #writeIf(key, version, value, ttlSeconds) {
    try {
      this.raw.compareAndSet(key, version, encodeJson(value), ttlSeconds);
      return true;
    } catch (thrown) {
      const error = [thrown, thrown?.payload].find((value) => ["conflict", "failed"].includes(value?.tag));
      if (error?.tag === "conflict") return false;
      return ask(() => {
        throw error?.val ?? thrown;
      });
    }
  }
}

function encodeJson(value) {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError("a bucket keeps JSON: undefined and functions are none");
  return encode(text);
}
