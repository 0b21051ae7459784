// Questions: menus, rows of digits, dates, yes or no. The host repeats them and checks their sums.

import { ask as hostAsk } from "./errors.js";
import { step } from "./host.js";
import { Item, asPrompt, key, promptOrNone } from "./prompt.js";

/** How often a question is asked where the script does not say. */
const ATTEMPTS_DEFAULT = 3;
/** From the end of the prompt to the first key. */
const FIRST_TIMEOUT_DEFAULT_MS = 6_000;
/** From key to key: long, because older callers look for the keys. */
const DIGIT_GAP_DEFAULT_MS = 4_000;
/** How often is asked whether what was read back is right. */
export const CONFIRM_ATTEMPTS = 2;
/** How often a form is filled in anew. */
export const FORM_ROUNDS_MAX = 3;

export function menu(raw, question, choices, options = {}) {
  const announced = [...Object.entries(choices), ...Object.entries(options.global ?? {})].filter(([, of]) => of instanceof Item);
  const asked = announced.reduce((said, [keys, of]) => said.with(of.words, ":", key(keys), "."), asPrompt(question));
  const values = plain(choices);
  const grammar = { tag: "choices", val: values.map(([keys], place) => choice(keys, place)) };
  return put(raw, asked, grammar, (value) => at(values, text(value)), options);
}

export function digits(raw, question, { length, min = length, max = length, terminators, ...options }) {
  if (!(min >= 1 && max >= min)) throw new TypeError("askDigits wants { length } or { min, max }");
  const rule = { min, max, terminators: terminators ?? (min === max ? "" : "#") };
  return put(raw, question, { tag: "digits", val: rule }, text, options);
}

export function valued(raw, question, tag, of, options = {}) {
  return put(raw, question, { tag }, (value) => (value.tag === of ? value.val : undefined), options);
}

function put(raw, question, grammar, read, options) {
  const asked = optionsOf(question, grammar, options);
  if (options.step !== undefined) step(options.step);
  const globals = plain(options.global ?? {});
  if (options.readBack === undefined) return answerOf(hostAsk(() => raw.collect(asked)), read, globals);
  for (let attempt = 0; attempt < asked.retry.attempts; attempt += 1) {
    const answer = answerOf(hostAsk(() => raw.collect(asked)), read, globals);
    if (answer.kind !== "given") return answer;
    const confirmation = { attempts: CONFIRM_ATTEMPTS, sensitive: options.sensitive };
    const confirmed = valued(raw, options.readBack(answer.value), "yes-no", "flag", confirmation);
    if (confirmed.kind === "given" && confirmed.value) return answer;
  }
  return { kind: "no-match" };
}

function optionsOf(question, grammar, options) {
  return {
    grammar,
    modes: { dtmf: true, speech: false },
    prompt: promptOrNone(question),
    firstTimeout: options.firstTimeoutMs ?? FIRST_TIMEOUT_DEFAULT_MS,
    interDigit: options.digitGapMs ?? DIGIT_GAP_DEFAULT_MS,
    retry: {
      attempts: options.attempts ?? ATTEMPTS_DEFAULT,
      noInput: promptOrNone(options.noInput),
      noMatch: promptOrNone(options.noMatch),
    },
    sensitive: options.sensitive ?? false,
    globalKeys: Object.keys(options.global ?? {}).map((key, place) => choice(key, place)),
  };
}

// A choice's value is its place in the list: the script's own values may be anything.
function choice(key, place) {
  return { key, value: String(place), phrases: [] };
}

// The host answers with the values it was given; one that it was not given counts as no match.
function answerOf(outcome, read, globals) {
  switch (outcome.tag) {
    case "ok": {
      const value = read(outcome.val.value);
      return value === undefined ? { kind: "no-match" } : { kind: "given", value };
    }
    case "global": {
      const value = at(globals, outcome.val);
      return value === undefined ? { kind: "no-match" } : { kind: "global", value };
    }
    case "no-input":
      return { kind: "no-input" };
    default:
      return { kind: "no-match" };
  }
}

function at(entries, place) {
  return /^\d+$/.test(place ?? "") ? entries[Number(place)]?.[1] : undefined;
}

// Keys and the values that they stand for, without the words that announce them.
function plain(choices) {
  return Object.entries(choices).map(([keys, of]) => [keys, of instanceof Item ? of.value : of]);
}

function text(value) {
  return value.tag === "text" ? value.val : undefined;
}
