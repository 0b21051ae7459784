// Handing the caller to a person or to another script. Needs the capability "transfer".

import * as wit from "gudok:ivr/transfer@0.1.0";
import { ask } from "./errors.js";
import { fieldsOf } from "./fields.js";
import { promptOrNone } from "./prompt.js";

/** How long is rung where the script does not say. */
const RING_TIMEOUT_DEFAULT_MS = 30_000;
const TARGETS = ["group", "operator", "extension", "number", "script"];

/**
 * Hands the caller over: transfer(call, { group: "operators" }). On every outcome but "moved" the caller is back with the
 * script.
 */
export function transfer(call, to, options = {}) {
  const tag = TARGETS.find((tag) => to[tag] !== undefined);
  if (tag === undefined) throw new TypeError(`transfer wants one of ${TARGETS.join(", ")}: { group: "operators" }`);
  const { mode = "bridge", ringMs = RING_TIMEOUT_DEFAULT_MS, music = null, whisper, show, andBack = false } = options;
  const wanted = {
    mode,
    ringTimeout: ringMs,
    music,
    whisper: promptOrNone(whisper),
    screenPop: fieldsOf(show),
    returnOnEnd: andBack,
  };
  const outcome = ask(() => wit.transfer(call.raw, { tag, val: to[tag] }, wanted));
  switch (outcome.tag) {
    case "bridged-then-returned":
      return { kind: "returned", talkedMs: outcome.val };
    case "rejected":
      return { kind: "rejected", status: outcome.val };
    case "closed":
      return { kind: "closed", opens: outcome.val ?? undefined };
    default:
      return { kind: outcome.tag };
  }
}
