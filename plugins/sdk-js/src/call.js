// The call that a script serves.

import * as questions from "./ask.js";
import { ask, callError } from "./errors.js";
import { fieldsOf } from "./fields.js";
import { choose, primary } from "./language.js";
import { asPrompt, promptOrNone } from "./prompt.js";

/**
 * The call that a script serves. It ends with the script: who returns without handing the caller over hangs up; who returns
 * before ever answering, or with noService(), leaves the caller to the agency's fallback.
 */
export class Call {
  #lang;

  constructor(raw) {
    /** The call as the interface has it. */
    this.raw = raw;
    /** Who calls whom, and which entry of the agency it led to. */
    this.info = raw.info();
    this.#lang = this.info.lang;
  }

  /** The language the caller is spoken to in, as a tag: "ru-RU". */
  get language() {
    return this.#lang;
  }

  /** Whether the caller is spoken to in this language, whatever the country: "en". */
  speaks(language) {
    return primary(this.#lang) === primary(language);
  }

  /** Speaks another language from here on; the host's own prompts too. */
  setLanguage(tag) {
    ask(() => this.raw.setLanguage(tag));
    this.#lang = tag;
  }

  /** Speaks the first of these languages, unless the caller is spoken to in one of them already. */
  speakOneOf(...tags) {
    if (tags.length > 0 && !tags.some((tag) => this.speaks(tag))) this.setLanguage(tags[0]);
  }

  /** What fits the call's language best; the first where there are no words in it. */
  words(texts) {
    return choose(this.#lang, texts);
  }

  /** Speaks slower from here on, waits longer and says everything twice; or as usual again. */
  setPace(pace) {
    ask(() => this.raw.setPace(pace));
  }

  /** Answers. Not needed before say(), which does it. */
  answer() {
    ask(() => this.raw.answer());
  }

  /** Lets prompts be heard before the call is answered and charged. */
  earlyMedia() {
    ask(() => this.raw.earlyMedia());
  }

  /** Refuses the call. */
  reject(cause) {
    ask(() => this.raw.reject(cause));
  }

  /** Says something and waits for its end, or for the key that interrupts it: that key stays for the next question. */
  say(what) {
    return ask(() => this.raw.say(asPrompt(what).toWit()));
  }

  /** Plays while the script goes on. */
  playInBackground(what, { loop = false } = {}) {
    return new Player(ask(() => this.raw.playBackground(asPrompt(what).toWit(), loop)));
  }

  /** Says goodbye to its end and hangs up; without words, at once. */
  hangup(goodbye) {
    ask(() => this.raw.hangup(promptOrNone(goodbye)));
  }

  /** Why the call ended; undefined while it lives. */
  get ended() {
    return this.raw.ended() ?? undefined;
  }

  /** Silence for a while. */
  wait(lengthMs) {
    ask(() => this.raw.wait(lengthMs));
  }

  /** Sends keys to the caller's side: for talking to another machine. */
  sendDtmf(keys) {
    ask(() => this.raw.sendDtmf(keys));
  }

  /** Keeps values with the call record; they survive a transfer. Nothing personal belongs here. */
  tag(fields) {
    ask(() => this.raw.tag(fieldsOf(fields)));
  }

  /** The call was taken by an answering machine, and it records now: say what anybody may hear, and return. */
  get isOnMachine() {
    return this.info.answeredBy === "machine";
  }

  /** A key under which this call promises something once: the same for the same purpose, however often it is tried. */
  promiseKey(purpose) {
    return `${this.info.id}-${purpose}`;
  }

  /** A menu: keys, and what they stand for. */
  menu(question, choices, options) {
    return questions.menu(this.raw, question, choices, options);
  }

  /** A row of digits. Where its length may vary, "#" ends it. */
  askDigits(question, options) {
    return questions.digits(this.raw, question, options);
  }

  /** Yes is 1, no is 2: the question has to say so. */
  askYesNo(question, options) {
    return questions.valued(this.raw, question, "yes-no", "flag", options);
  }

  /** Eight digits, day first. */
  askDate(question, options) {
    return questions.valued(this.raw, question, "date", "date", options);
  }

  /** Rubles, then "*" and kopecks; "#" ends it. */
  askMoney(question, options) {
    return questions.valued(this.raw, question, "money", "money", options);
  }

  /** A telephone number, answered as "+7…"; "#" ends it. */
  askPhone(question, options) {
    return questions.valued(this.raw, question, "phone", "phone", options);
  }

  /** An insurance number; the host verifies its check sum. */
  askSnils(question, options) {
    return questions.valued(this.raw, question, "snils", "text", options);
  }

  /** A tax number; the host verifies its check sum. */
  askInn(question, options) {
    return questions.valued(this.raw, question, "inn", "text", options);
  }

  /** A health insurance number; the host verifies its check digit. */
  askOmsPolicy(question, options) {
    return questions.valued(this.raw, question, "oms-policy", "text", options);
  }

  /** Six digits. */
  askPostalCode(question, options) {
    return questions.valued(this.raw, question, "postal-code", "text", options);
  }

  /**
   * A form: questions by name, asked one after another. The answers by their names, or the first that is none (a global
   * key, no input, no match).
   */
  form(fields, { readBack } = {}) {
    for (let round = 0; round < questions.FORM_ROUNDS_MAX; round += 1) {
      const answer = this.#fill(fields);
      if (answer.kind !== "given" || readBack === undefined) return answer;
      const confirmed = this.askYesNo(readBack(answer.value), { attempts: questions.CONFIRM_ATTEMPTS });
      if (confirmed.kind === "given" && confirmed.value) return answer;
      if (confirmed.kind === "no-input") return confirmed;
    }
    return { kind: "no-match" };
  }

  #fill(fields) {
    const value = {};
    for (const [name, put] of Object.entries(fields)) {
      const answer = put(this, value);
      if (answer.kind !== "given") return answer;
      value[name] = answer.value;
    }
    return { kind: "given", value };
  }

  /** The keys as they come, one by one, until none comes for so long; undefined then. For dialogs that no question describes. */
  nextKey(timeoutMs) {
    const collector = this.raw.digits();
    try {
      return ask(() => collector.next(timeoutMs)) ?? undefined;
    } finally {
      release(collector);
    }
  }
}

/** Playback in the background. */
export class Player {
  constructor(raw) {
    this.raw = raw;
  }

  /** Waits for its end. */
  wait() {
    return ask(() => this.raw.wait());
  }

  pause() {
    ask(() => this.raw.pause());
  }

  resume() {
    ask(() => this.raw.resume());
  }

  /** Goes to another place of it. */
  seek(atMs) {
    ask(() => this.raw.seek(atMs));
  }

  /** Ends it. */
  stop() {
    try {
      return ask(() => this.raw.stop());
    } finally {
      release(this.raw);
    }
  }
}

/** Gives a handle back at once; the engine would only when it collects garbage. */
export function release(handle) {
  try {
    handle?.[Symbol.dispose ?? "drop"]?.();
  } catch (thrown) {
    if (callError(thrown) === undefined) throw thrown;
  }
}
