// What a script exports: the functions that the host calls, and how their ends and errors are told.

import { Failure } from "./answers.js";
import { Call } from "./call.js";
import { Contact } from "./contact.js";
import { CallError, callError } from "./errors.js";
import { error as logError } from "./host.js";
import { authorsStack } from "./stack.js";
import { noService, served } from "./summary.js";

/** Names the function that serves a call: `export default service((call) => { … })`. Who returns nothing has served. */
export function service(run) {
  wantFunction(run, "service((call) => { … })");
  return { kind: "service", run: (raw) => guarded(() => landed(() => run(new Call(raw)) ?? served())) };
}

/** What a campaign says before dialling. */
export const plan = {
  dial: { tag: "dial" },
  /** Never; says why, in a few words without anything personal. */
  skip: (why) => ({ tag: "skip", val: why }),
  /** Not before this moment. */
  notBefore: (moment) => ({ tag: "not-before", val: moment }),
};

/** What came of a campaign's call. */
export const disposition = {
  delivered: { tag: "delivered" },
  /** Informed and confirmed, in a few words without anything personal: "understood". */
  confirmed: (words) => ({ tag: "confirmed", val: words }),
  declined: { tag: "declined" },
  voicemail: { tag: "voicemail" },
  wrongPerson: { tag: "wrong-person" },
  retryAt: (moment) => ({ tag: "retry-at", val: moment }),
  doNotCall: { tag: "do-not-call" },
  /** Not informed, and why: "identity not checked". */
  failed: (words) => ({ tag: "failed", val: words }),
};

/** Names a campaign's two functions: one that is asked before dialling, one that talks to who answers. */
export function campaign({ prepare, run }) {
  const usage = "campaign({ prepare: (contact) => …, run: (call, contact) => … })";
  wantFunction(prepare, usage);
  wantFunction(run, usage);
  return {
    kind: "campaign",
    prepare: (contact) => guarded(() => wanted(prepare(new Contact(contact)), "prepare", "plan.dial")),
    run: (raw, contact) =>
      guarded(() => wanted(run(new Call(raw), new Contact(contact)), "run", "disposition.delivered")),
  };
}

// A talk that nobody looked after leaves its caller to the agency's fallback.
function landed(run) {
  try {
    return run();
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return noService({ why: thrown.kind });
  }
}

// A script's work: what it throws becomes the error that the host understands. A mistake of the script's goes to the
// author's log with its stack; its caller is landed.
function guarded(work) {
  try {
    const result = work();
    if (typeof result?.then === "function") {
      throw new TypeError("a script's functions are not async: host calls block, and there is nothing to await");
    }
    return result;
  } catch (thrown) {
    const error = callError(thrown);
    if (error !== undefined) {
      if (!error.isEnd) logError(`uncaught ${error.message}`, { stack: authorsStack(error) });
      throw error.toWit();
    }
    const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `thrown: ${String(thrown)}`;
    const stack = authorsStack(thrown);
    logError(`uncaught ${message}`, { stack });
    const place = stack.split("\n")[0];
    throw new CallError("internal", place === "" ? message : `${message} (${place})`).toWit();
  }
}

function wanted(result, name, example) {
  if (typeof result?.tag === "string" || typeof result?.then === "function") return result;
  throw new TypeError(`${name} has to return something like ${example}`);
}

function wantFunction(value, usage) {
  if (typeof value !== "function") throw new TypeError(`not a function: write ${usage}`);
}
