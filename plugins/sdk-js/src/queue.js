// Waiting for an operator. Needs the capability "queues".
//
// The queue's limit on the wait is the host's: shortly before it, the caller is put through to a peer centre or offered a
// callback, whatever the script does. The script hears of it as an outcome.

import * as wit from "gudok:ivr/queues@0.1.0";
import { release } from "./call.js";
import { ask } from "./errors.js";
import { fieldsOf } from "./fields.js";
import { parseTime } from "./values.js";

/** How long one look at the queue lasts; then comes the next. */
const LOOK_MS = 60_000;

/**
 * Lets the caller wait for an operator, to the end. `on` is told of everything that happens before: it may say something,
 * ask, convert the wait to a callback, or answer false to leave the queue; then there is no outcome (undefined).
 */
export function waitInQueue(call, queue, { on, ...options } = {}) {
  const ticket = enterQueue(call, queue, options);
  let operator = "";
  try {
    for (;;) {
      const event = ticket.next(LOOK_MS);
      if (event === undefined) continue;
      const outcome = over(event, operator);
      if (outcome !== undefined) return outcome;
      if (event.tag === "answered") operator = event.val;
      if (on?.(ticket, event) === false) return undefined;
    }
  } finally {
    ticket.leave();
  }
}

/** Begins the wait; the script follows it by itself. */
export function enterQueue(call, queue, options = {}) {
  const { priority = 0, skills, music = null, patienceMs, show, quiet = false, andBack = false } = options;
  const wanted = {
    queue,
    priority,
    skills: Object.entries(skills ?? {}).map(([name, level]) => ({ name, level })),
    music,
    maxWait: patienceMs === undefined ? 0 : Math.max(1, patienceMs),
    screenPop: fieldsOf(show),
    announce: !quiet,
    returnOnEnd: andBack,
  };
  return new QueueTicket(ask(() => wit.enqueue(call.raw, wanted)));
}

/** A place in a queue. */
export class QueueTicket {
  constructor(raw) {
    this.raw = raw;
  }

  /** The next thing that happens; undefined when the time is up. */
  next(timeoutMs) {
    return ask(() => this.raw.nextEvent(timeoutMs)) ?? undefined;
  }

  /** Keeps the place and lets the caller go, who is called back at the calling number or at another. */
  callBack(number = null) {
    return ask(() => this.raw.convertToCallback(number));
  }

  /** The caller waits no more. */
  leave() {
    if (this.raw === undefined) return;
    release(this.raw);
    this.raw = undefined;
  }
}

// How the wait ended, if it did.
function over(event, operator) {
  switch (event.tag) {
    case "returned":
      return { kind: "returned", operator, talkedMs: event.val };
    case "callback":
      return { kind: "callback", promise: event.val };
    case "peer":
      return { kind: "peer", name: event.val };
    case "closed":
      return { kind: "closed", opens: parseTime(event.val ?? "") };
    case "full":
    case "timed-out":
      return { kind: event.tag };
    default:
      return undefined;
  }
}
