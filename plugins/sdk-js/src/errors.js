// How a host call can fail, and what that means for a script.

/**
 * What every call to the host may throw. Nobody has to catch it: what is not caught ends the call, and the host lands the
 * caller where that is needed. `ended` is the normal end.
 */
export class CallError extends Error {
  constructor(kind, detail = "") {
    super(detail === "" ? kind : `${kind}: ${detail}`);
    this.name = "CallError";
    this.kind = kind;
    this.detail = detail;
  }

  /** True when the call is over: save what must be saved and return. */
  get isEnd() {
    return this.kind === "ended";
  }

  /** As the host wants it back. */
  toWit() {
    return this.kind === "timeout" ? { tag: "timeout" } : { tag: this.kind, val: this.detail };
  }
}

const KINDS = [
  "ended", "denied", "quota", "invalid", "not-found", "busy-resource", "timeout", "unavailable", "internal",
];

/** Calls the host; what it answers as an error is thrown as a `CallError`. */
export function ask(hostCall) {
  try {
    return hostCall();
  } catch (thrown) {
    throw callError(thrown) ?? thrown;
  }
}

/** A thrown value of the host's, as an error of ours; undefined for anything else. */
export function callError(thrown) {
  if (thrown instanceof CallError) return thrown;
  const value = [thrown, thrown?.payload, thrown?.val].find((value) => KINDS.includes(value?.tag));
  return value && new CallError(value.tag, value.val ?? "");
}

/**
 * For a step that a script can do without: its result, or undefined with a line in the log where the host could not do it.
 * The end of the call goes on.
 */
export function unlessEnded(step, log) {
  try {
    return step();
  } catch (thrown) {
    const error = callError(thrown);
    if (error === undefined || error.isEnd) throw thrown;
    log(error);
    return undefined;
  }
}
