// Messages that callers leave, and recordings of the call. Needs the capability "recording".

import * as wit from "gudok:ivr/recording@0.1.0";
import { release } from "./call.js";
import { ask } from "./errors.js";
import { promptOrNone } from "./prompt.js";

/** Silence that ends a message where the script does not say. */
const SILENCE_STOP_DEFAULT_MS = 4_000;
/** Kept so long where the script does not say. */
const RETENTION_DAYS_DEFAULT = 30;

/** Records what the caller says after a tone, until silence, "#" or the longest time. */
export function recordMessage(call, maxMs, options) {
  return ask(() => wit.recordMessage(call.raw, optionsOf(maxMs, options)));
}

/** Records both sides while the script goes on; what finish() did not keep is discarded. */
export function startRecording(call, maxMs, options) {
  const quiet = { beep: false, silenceStopMs: 0, stopKeys: "", ...options };
  return new Recorder(ask(() => wit.startRecording(call.raw, optionsOf(maxMs, quiet))));
}

/** A recording under way. */
export class Recorder {
  constructor(raw) {
    this.raw = raw;
  }

  pause() {
    ask(() => this.raw.pause());
  }

  resume() {
    ask(() => this.raw.resume());
  }

  /** Ends it, and keeps it. */
  finish() {
    try {
      return ask(() => this.raw.finish());
    } finally {
      release(this.raw);
    }
  }

  /** Ends it, and keeps nothing. */
  discard() {
    release(this.raw);
  }
}

function optionsOf(max, { silenceStopMs, beep = true, stopKeys = "#", consent, retentionDays } = {}) {
  return {
    max,
    silenceStop: silenceStopMs ?? SILENCE_STOP_DEFAULT_MS,
    beep,
    stopKeys,
    consentPrompt: promptOrNone(consent),
    retentionDays: retentionDays ?? RETENTION_DAYS_DEFAULT,
  };
}
