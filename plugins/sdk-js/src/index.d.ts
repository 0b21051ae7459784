/// <reference path="./interface.d.ts" />
/// <reference path="./globals.d.ts" />

import type * as wit from "gudok:ivr/telephony@0.1.0";
import type { Datetime, Date as Day, EndReason, Field, Money, Promise as Promised, TimeOfDay } from "gudok:ivr/types@0.1.0";
import type { DigitGrouping, Gender, GrammaticalCase, NounForms } from "gudok:ivr/prompts@0.1.0";
import type { Disposition, Plan } from "gudok:ivr/campaign@0.1.0";
import type { Summary } from "gudok:ivr/script@0.1.0";
import type { Recording } from "gudok:ivr/recording@0.1.0";
import type { QueueEvent } from "gudok:ivr/queues@0.1.0";
import type { EntryVersion, TicketKind } from "gudok:ivr/promises@0.1.0";
import type { TransferMode } from "gudok:ivr/transfer@0.1.0";

export type { Datetime, Day, DigitGrouping, Disposition, EndReason, Field, Gender, GrammaticalCase, Money, Plan };
export type { Promised, QueueEvent, Recording, Summary, TimeOfDay, TransferMode };
export type CallInfo = wit.CallInfo;
export type PlaybackEnd = wit.PlaybackEnd;
export type Pace = wit.Pace;
/** The forms of a noun behind a number; see `noun`. */
export type Noun = NounForms;

/** Named values: for tags, an operator's screen, tickets, logs. What is undefined or null is left out. */
export type Fields = { readonly [name: string]: string | number | boolean | bigint | null | undefined };

// ---- the script ----

/** A script, as the file exports it. */
export interface Service {
  readonly kind: "service";
}
/** A campaign's script, as the file exports it. */
export interface Campaign {
  readonly kind: "campaign";
}

/**
 * Names the function that serves a call. Once per script, as its default export; who returns nothing has served.
 *
 * ```ts
 * export default service((call) => {
 *   call.say(prompt`Здравствуйте. Перед вами ${counted(21, REQUEST)}.`);
 * });
 * ```
 *
 * **When the caller hangs up**, whatever the script waits for throws a `CallError` of kind `"ended"`. Nobody has to catch it:
 * that is the normal end. A script that must save something does so in `finally`; it has about two seconds.
 *
 * **A mistake** (a TypeError, anything thrown) goes to the author's log with its stack, and the host lands the caller on the
 * agency's fallback.
 */
export function service(run: (call: Call) => Summary | void): Service;

/** Names a campaign's functions: `prepare` is asked before dialling, `run` talks to who answers. */
export function campaign(functions: {
  prepare(contact: Contact): Plan;
  run(call: Call, contact: Contact): Disposition;
}): Campaign;

/** The caller got what they called for. */
export function served(fields?: Fields): Summary;
/** The caller was handed to somebody. */
export function transferred(fields?: Fields): Summary;
/** The caller waits in a queue of another's. */
export function queued(fields?: Fields): Summary;
/** The caller was promised a callback. */
export function callbackBooked(fields?: Fields): Summary;
/** The caller left, or gave no answer. */
export function abandoned(fields?: Fields): Summary;
/** The script cannot serve: the host lands the caller on the agency's fallback. */
export function noService(fields?: Fields): Summary;
/** The call came to this, in a word of the script's own. */
export function endedWith(word: string, fields?: Fields): Summary;

/** What a campaign says before dialling. */
export const plan: {
  readonly dial: Plan;
  /** Never; says why, in a few words without anything personal. */
  skip(why: string): Plan;
  /** Not before this moment. */
  notBefore(moment: Datetime): Plan;
};

/** What came of a campaign's call. */
export const disposition: {
  /** Informed. */
  readonly delivered: Disposition;
  /** Informed and confirmed, in a few words without anything personal: "understood". */
  confirmed(words: string): Disposition;
  /** Wants to hear nothing of it. */
  readonly declined: Disposition;
  /** The message is on a machine. */
  readonly voicemail: Disposition;
  /** Somebody else. */
  readonly wrongPerson: Disposition;
  /** Asked to be called at another time. */
  retryAt(moment: Datetime): Disposition;
  /** Wants no such calls at all. */
  readonly doNotCall: Disposition;
  /** Not informed, and why: "identity not checked". */
  failed(words: string): Disposition;
};

/** Whom a campaign calls: what the list has of them. A column that is empty for somebody is not there for them. */
export class Contact {
  readonly id: string;
  readonly number: string;
  /** From 1. */
  readonly attempt: number;
  readonly attributes: readonly Field[];
  /** A column's text, without spaces around it. */
  field(name: string): string | undefined;
  /** A column's whole number: "12", "1 200". */
  whole(name: string): number | undefined;
  /** A column's amount in rubles: "1234", "1234.5", "1 234,56". */
  money(name: string): Money | undefined;
  /** A column's day: "2026-12-01" or "01.12.2026". */
  date(name: string): Day | undefined;
}

/** How a host call failed. */
export type CallErrorKind =
  | "ended" | "denied" | "quota" | "invalid" | "not-found" | "busy-resource" | "timeout" | "unavailable" | "internal";

/**
 * What every call to the host may throw. Nobody has to catch it: what is not caught ends the call, and the host lands the
 * caller where that is needed.
 */
export class CallError extends Error {
  constructor(kind: CallErrorKind, detail?: string);
  readonly kind: CallErrorKind;
  /** Which capability, argument or name; for `"ended"` the reason. */
  readonly detail: string;
  /** True when the call is over: save what must be saved and return. */
  readonly isEnd: boolean;
}

/**
 * Why a script cannot go on by itself: the caller wants a person, gave no answer, or what was entered is not what it should be.
 * Who lets it go leaves the caller to the agency's fallback; see `orOperator`.
 */
export class Failure extends Error {
  constructor(kind: "operator" | "no-answer" | "not-accepted");
  readonly kind: "operator" | "no-answer" | "not-accepted";
}

/**
 * Does a talk; where it fails (a `Failure`, a back end that is not there), lets the caller wait for an operator of that queue,
 * with an apology where something of ours failed. The end of the call goes on. Capability "queues".
 *
 * ```ts
 * export default service((call) => orOperator(call, "operators", talk));
 * ```
 */
export function orOperator(
  call: Call,
  queue: string,
  talk: (call: Call) => Summary | void,
  words?: { topic?: string; sorry?: Sayable; goodbye?: Sayable },
): Summary | void;

/** Does a talk; where it fails, says these words and hangs up: for a script that has nobody to lead callers to. */
export function orGoodbye(call: Call, words: Sayable, talk: (call: Call) => Summary | void): Summary | void;
/** Tries a step so often, until it answers something; says these words after each time that it did not. */
export function retry<T>(call: Call, attempts: number, words: Sayable, attempt: (number: number) => T | null | undefined): T;

// ---- what is said ----

/** Whatever can be said: texts, whole numbers, pieces, prompts, and lists of them. */
export type Sayable = string | number | bigint | Piece | Prompt | null | undefined | readonly Sayable[];

/** One typed piece of a prompt: `date(…)`, `counted(…)`. */
export class Piece {
  private constructor();
  readonly tag: string;
}

/** What is said, whole. Every method answers a new one. */
export class Prompt {
  private constructor();
  /** With more pieces. */
  with(...pieces: Sayable[]): Prompt;
  /** In another language than the call's. */
  inLanguage(tag: string): Prompt;
  /** By a voice of the host's configuration. */
  inVoice(voice: string): Prompt;
  /** Heard to its end; keys pressed meanwhile wait for the next question. */
  uninterrupted(): Prompt;
  /** Said once, a name or a result: its sound is not kept on the host's disk. */
  private(): Prompt;
}

/**
 * A prompt of text and pieces. Numbers, dates and amounts are pieces, because the host inflects them for the call's language:
 *
 * ```ts
 * prompt`Перед вами ${counted(21, REQUEST)}.`      // двадцать одна заявка
 * ```
 */
export function prompt(strings: TemplateStringsArray, ...pieces: Sayable[]): Prompt;

/** Gender and case of a number; masculine and nominative where nothing is said. */
export interface Inflection {
  gender?: Gender;
  gramCase?: GrammaticalCase;
}
/** "двадцать один" */
export function number(value: number | bigint, inflection?: Inflection): Piece;
/** "двадцать первый" */
export function ordinal(value: number | bigint, inflection?: Inflection): Piece;
/** A decimal fraction: 3,14 is `decimal(314, 2)`. */
export function decimal(unscaled: number, scale: number): Piece;
/** The noun after 1, 2, 5 and 1.5: `noun("рубль", "рубля", "рублей", "рубля", "masculine")`. */
export function noun(one: string, few: string, many: string, other: string, gender: Gender): Noun;
/** A noun of a language with a singular and a plural: `plainNoun("day", "days")`. */
export function plainNoun(one: string, other: string): Noun;
/** "двадцать одна заявка" */
export function counted(value: number | bigint, of: Noun, gramCase?: GrammaticalCase): Piece;
/** "пятое мая две тысячи двадцать шестого года" */
export function date(value: Day, words?: { gramCase?: GrammaticalCase; sayYear?: boolean; sayWeekday?: boolean }): Piece;
/** "восемь часов тридцать минут" */
export function time(value: TimeOfDay): Piece;
/** "сто двадцать три рубля сорок пять копеек" */
export function money(value: Money): Piece;
/** A row of digits, as the host groups it best or as you say. */
export function digits(row: string, grouping?: DigitGrouping): Piece;
/** Keys of the telephone by their names: "один", "звёздочка". */
export function key(keys: string): Piece;
/** A telephone number. */
export function phone(number: string): Piece;
/** "две минуты пять секунд" */
export function duration(lengthMs: number): Piece;
/** Letter by letter. */
export function spell(text: string): Piece;
/** Text with a small set of SSML 1.1. */
export function ssml(text: string): Piece;
/** A recording of the bundle by its name. */
export function media(name: string): Piece;
/** A pause. */
export function silence(lengthMs: number): Piece;
/** A tone by its name: "beep". */
export function tone(name: string): Piece;
/** A registration number for the ear: letters are spelled, digits said one by one. */
export function registrationNumber(text: string): Prompt;

/** What fits a language tag best: the same tag, else the same language ("ru" for "ru-RU"), else the first. */
export function choose<T>(tag: string, texts: { readonly [language: string]: T }): T | undefined;

// ---- the call ----

/** What became of a question. */
export type Answer<V, G = never> =
  | { readonly kind: "given"; readonly value: V }
  /** A key that leaves the question at once; see `AskOptions.global`. */
  | { readonly kind: "global"; readonly value: G }
  /** Nothing was entered in any attempt. */
  | { readonly kind: "no-input" }
  /** The last entry did not fit. */
  | { readonly kind: "no-match" };

/** What was entered or chosen; a `Failure` where nothing was, or where a key for a person was pressed. */
export function given<V>(answer: Answer<V, unknown>): V;
/** What was chosen, by whichever key of a menu; a `Failure` where nothing was. */
export function chosen<V, G = never>(answer: Answer<V, G>): V | G;

/** A choice of a menu with the words that announce it; see `item`. */
export class Item<V> {
  private constructor();
  readonly value: V;
}
/** What a key stands for, and the words that announce it: `{ 2: item("Часы работы", "hours") }` adds "часы работы: два." */
export function item<const V>(words: Sayable, value: V): Item<V>;

/** How patiently is asked. */
export interface AskOptions<V, G> {
  /** Names the step in which this is asked: for traces, coverage and the picture of the script. */
  step?: string;
  /** Keys that leave the question at once, wherever the caller is in it, and what they stand for. */
  global?: { readonly [key: string]: G };
  /** How often is asked in all, 1 to 10; 3 where nothing is said. */
  attempts?: number;
  /** Said before the question is repeated, where nothing was entered. */
  noInput?: Sayable;
  /** Said before the question is repeated, where the entry did not fit. */
  noMatch?: Sayable;
  /** From the end of the question to the first key; 6,000 where nothing is said. */
  firstTimeoutMs?: number;
  /** From key to key; 4,000 where nothing is said. */
  digitGapMs?: number;
  /** Masks the keys in logs, traces, journals and recordings. */
  sensitive?: boolean;
  /** Reads the answer back and has it confirmed with yes (1) or no (2); on "no" the question comes again. */
  readBack?: (value: V) => Sayable;
}

/** A call to a script. It ends with the script: who returns without handing the caller over hangs up. */
export class Call {
  private constructor();
  /** Who calls whom, and which entry of the agency it led to. */
  readonly info: CallInfo;
  /** The language the caller is spoken to in, as a tag: "ru-RU". */
  readonly language: string;
  /** Why the call ended; undefined while it lives. */
  readonly ended: EndReason | undefined;
  /** The call was taken by an answering machine, and it records now: say what anybody may hear, and return. */
  readonly isOnMachine: boolean;
  /** The call as the interface has it: for what has no comfortable form here. */
  readonly raw: wit.Call;

  /** Whether the caller is spoken to in this language, whatever the country: "en". */
  speaks(language: string): boolean;
  /** Speaks another language from here on; the host's own prompts too. */
  setLanguage(tag: string): void;
  /** Speaks the first of these languages, unless the caller is spoken to in one of them already. */
  speakOneOf(...tags: string[]): void;
  /** What fits the call's language best; the first where there are no words in it. */
  words<T>(texts: { readonly [language: string]: T }): T;
  /** Speaks slower from here on, waits longer and says everything twice; or as usual again. */
  setPace(pace: Pace): void;

  /** Answers. Not needed before `say`, which does it. */
  answer(): void;
  /** Lets prompts be heard before the call is answered and charged. */
  earlyMedia(): void;
  /** Refuses the call. */
  reject(cause: wit.RejectCause): void;
  /** Says something and waits for its end, or for the key that interrupts it: that key stays for the next question. */
  say(what: Sayable): PlaybackEnd;
  /** Plays while the script goes on. */
  playInBackground(what: Sayable, options?: { loop?: boolean }): Player;
  /** Says goodbye to its end and hangs up; without words, at once. */
  hangup(goodbye?: Sayable): void;
  /** Silence for a while. */
  wait(lengthMs: number): void;
  /** Sends keys to the caller's side: for talking to another machine. */
  sendDtmf(keys: string): void;
  /** Keeps values with the call record; they survive a transfer. Nothing personal belongs here. */
  tag(fields: Fields): void;
  /** A key under which this call promises something once. */
  promiseKey(purpose: string): string;

  /**
   * A menu: keys, and what they stand for.
   *
   * ```ts
   * const wish = call.menu("Адрес: один. Часы работы: два. Оператор: ноль.", { 1: "address", 2: "hours" }, {
   *   global: { 0: "operator" },
   * });
   * if (wish.kind === "given" && wish.value === "address") …
   * ```
   */
  menu<const V, const G = never>(
    question: Sayable,
    choices: { readonly [keys: string]: V | Item<V> },
    options?: Omit<AskOptions<V, G>, "global"> & { global?: { readonly [key: string]: G | Item<G> } },
  ): Answer<V, G>;
  /** A row of digits. Where its length may vary, "#" ends it. */
  askDigits<const G = never>(
    question: Sayable,
    options: AskOptions<string, G> & ({ length: number } | { min: number; max: number; terminators?: string }),
  ): Answer<string, G>;
  /** Yes is 1, no is 2: the question has to say so. */
  askYesNo<const G = never>(question: Sayable, options?: AskOptions<boolean, G>): Answer<boolean, G>;
  /** Eight digits, day first. */
  askDate<const G = never>(question: Sayable, options?: AskOptions<Day, G>): Answer<Day, G>;
  /** Rubles, then "*" and kopecks; "#" ends it. */
  askMoney<const G = never>(question: Sayable, options?: AskOptions<Money, G>): Answer<Money, G>;
  /** A telephone number, answered as "+7…"; "#" ends it. */
  askPhone<const G = never>(question: Sayable, options?: AskOptions<string, G>): Answer<string, G>;
  /** An insurance number; the host verifies its check sum. */
  askSnils<const G = never>(question: Sayable, options?: AskOptions<string, G>): Answer<string, G>;
  /** A tax number; the host verifies its check sum. */
  askInn<const G = never>(question: Sayable, options?: AskOptions<string, G>): Answer<string, G>;
  /** A health insurance number; the host verifies its check digit. */
  askOmsPolicy<const G = never>(question: Sayable, options?: AskOptions<string, G>): Answer<string, G>;
  /** Six digits. */
  askPostalCode<const G = never>(question: Sayable, options?: AskOptions<string, G>): Answer<string, G>;
  /**
   * A form: questions by name, asked one after another. The answers by their names, or the first that is none.
   *
   * ```ts
   * const asked = call.form({
   *   town: (call) => call.menu("Город …", { 1: "kemerovo", 2: "tomsk" }),
   *   birthday: (call) => call.askDate("Дата рождения, восемь цифр."),
   * });
   * ```
   */
  form<F extends { readonly [name: string]: (call: Call, soFar: Readonly<Record<string, unknown>>) => Answer<unknown, unknown> }>(
    fields: F,
    /** Reads all of it back and has it confirmed with yes (1) or no (2); on "no" everything is asked anew, at most three times. */
    options?: { readBack?: (answers: { [N in keyof F]: GivenOf<ReturnType<F[N]>> }) => Sayable },
  ): Answer<{ [N in keyof F]: GivenOf<ReturnType<F[N]>> }, GlobalOf<ReturnType<F[keyof F]>>>;
  /** The next key; undefined when the time is up. For dialogs that no question describes. */
  nextKey(timeoutMs: number): string | undefined;
}

type GivenOf<A> = A extends { kind: "given"; value: infer V } ? V : never;
type GlobalOf<A> = A extends { kind: "global"; value: infer G } ? G : never;

/** Playback in the background. */
export class Player {
  private constructor();
  /** Waits for its end. */
  wait(): PlaybackEnd;
  pause(): void;
  resume(): void;
  /** Goes to another place of it. */
  seek(atMs: number): void;
  /** Ends it. */
  stop(): PlaybackEnd;
}

// ---- capabilities ----

/** To whom the caller is handed. */
export type TransferTarget =
  | { group: string } | { operator: string } | { extension: string } | { number: string }
  /** Another entry of the agency: its script takes the call over. */
  | { script: string };

/** What became of a transfer. */
export type TransferOutcome =
  /** The caller is with the target; the script's part is over. */
  | { readonly kind: "moved" }
  /** They talked for so long, and the caller is back. */
  | { readonly kind: "returned"; readonly talkedMs: number }
  | { readonly kind: "busy" }
  | { readonly kind: "no-answer" }
  /** The target's SIP status. */
  | { readonly kind: "rejected"; readonly status: number }
  | { readonly kind: "unavailable" }
  /** Nobody works now; the calendar says from when. */
  | { readonly kind: "closed"; readonly opens: string | undefined };

/** Hands the caller over. On every outcome but `"moved"` the caller is back. Capability "transfer". */
export function transfer(
  call: Call,
  to: TransferTarget,
  options?: {
    /** `"bridge"` where nothing is said: the engine stays in the middle. */
    mode?: TransferMode;
    /** How long is rung; 30,000 where nothing is said. */
    ringMs?: number;
    /** A recording of the bundle to wait with. */
    music?: string;
    /** What the target hears before being joined. */
    whisper?: Sayable;
    /** Shown to the operator. */
    show?: Fields;
    /** When the target hangs up, the caller comes back to the script. */
    andBack?: boolean;
  },
): TransferOutcome;

/** How a wait for an operator ended. */
export type QueueOutcome =
  /** They talked, and the caller is back; only with `andBack`. */
  | { readonly kind: "returned"; readonly operator: string; readonly talkedMs: number }
  /** The caller took the host's offer and will be called back; the call is over. */
  | { readonly kind: "callback"; readonly promise: string }
  /** A peer centre of that name took the caller. */
  | { readonly kind: "peer"; readonly name: string }
  /** Nobody works now; from when, where that is known. */
  | { readonly kind: "closed"; readonly opens: TimeOfDay | undefined }
  /** As many wait as may. */
  | { readonly kind: "full" }
  /** The script's own patience is over. */
  | { readonly kind: "timed-out" };

/** How a caller waits. */
export interface QueueOptions {
  /** 0 is the lowest, 9 the highest. */
  priority?: number;
  /** What the operator should be good at, and at least how well, 1 to 10. */
  skills?: { readonly [skill: string]: number };
  /** A recording of the bundle to wait with. */
  music?: string;
  /** The script's own patience, if shorter than the queue's. */
  patienceMs?: number;
  /** Shown to the operator. What was entered under a sensitive question does not belong here. */
  show?: Fields;
  /** The host does not say position and expected wait: the script does. */
  quiet?: boolean;
  /** When the operator hangs up, the caller comes back to the script. */
  andBack?: boolean;
}

/** Lets the caller wait for an operator, to the end. Capability "queues". */
export function waitInQueue(call: Call, queue: string, options?: QueueOptions): QueueOutcome;
export function waitInQueue(
  call: Call,
  queue: string,
  /** `on` is told of everything that happens before the end; where it answers false, the wait is left without an outcome. */
  options: QueueOptions & { on: (ticket: QueueTicket, event: QueueEvent) => boolean | void },
): QueueOutcome | undefined;
/** Begins the wait; the script follows it by itself. */
export function enterQueue(call: Call, queue: string, options?: QueueOptions): QueueTicket;
/** A place in a queue. */
export class QueueTicket {
  private constructor();
  /** The next thing that happens; undefined when the time is up. */
  next(timeoutMs: number): QueueEvent | undefined;
  /** Keeps the place and lets the caller go, who is called back at the calling number or at another. */
  callBack(number?: string): Promised;
  /** The caller waits no more. */
  leave(): void;
}

/** Offers to be called back, in the host's words; undefined where the caller wants none. Capability "promises". */
export function offerCallback(
  call: Call,
  queue: string,
  options?: { topic?: string; show?: Fields; intro?: Sayable },
): Promised | undefined;
/** Books a callback that the script has agreed with the caller by itself. */
export function requestCallback(
  queue: string,
  number: string,
  options?: { topic?: string; show?: Fields; notBefore?: Datetime },
): Promised;
/** What an agency has to answer to. */
export interface Ticket {
  kind: TicketKind;
  agency: string;
  /** Code of the municipality that it is about. */
  municipality?: string;
  /** At which number the caller wants the answer. */
  contact?: string;
  fields?: Fields;
  /** Ids of recordings of this call. */
  recordings?: string[];
  /** Which entry of the directory is wrong. */
  entry?: EntryVersion;
}
/** Registers it, and answers the registration number. In one call, the same purpose is the same ticket. */
export function submitTicket(call: Call, purpose: string, ticket: Ticket): string;
/** Keeps a caller's answers to a survey by question: a mark, a text or a recording. */
export function submitSurvey(
  survey: string,
  answers: { readonly [question: string]: number | { score?: number; text?: string; recording?: string } },
): void;

/** How a message is recorded. */
export interface MessageOptions {
  /** So much silence ends it; 4,000 where nothing is said. */
  silenceStopMs?: number;
  /** A tone first; true where nothing is said. */
  beep?: boolean;
  /** Keys that end it; "#" where nothing is said. */
  stopKeys?: string;
  /** Asked first with yes (1) or no (2); on "no" nothing is recorded, and the answer is the error `"denied"`. */
  consent?: Sayable;
  /** Kept for so many days, capped by the agency's rule. */
  retentionDays?: number;
}
/** Records what the caller says. Capability "recording". */
export function recordMessage(call: Call, maxMs: number, options?: MessageOptions): Recording;
/** Records both sides while the script goes on. */
export function startRecording(call: Call, maxMs: number, options?: MessageOptions): Recorder;
/** A recording under way. */
export class Recorder {
  private constructor();
  pause(): void;
  resume(): void;
  /** Ends it, and keeps it. */
  finish(): Recording;
  /** Ends it, and keeps nothing. */
  discard(): void;
}

/** Small values that outlive a call, as JSON. Every write is durable when it answers. Capability "storage". */
export class Bucket {
  private constructor();
  /** Opens a bucket that the manifest names. */
  static open(name: string): Bucket;
  /** The value of a key; undefined where there is none. What it is, the script knows. */
  value<T = unknown>(key: string): T | undefined;
  /** Writes, whatever was there; kept for so many seconds, or for good. */
  set(key: string, value: unknown, options?: { ttlSeconds?: number }): void;
  /** Changes a value so that no other call's change is lost, and answers the new one. `change` may run several times. */
  update<T>(key: string, change: (value: T | undefined) => T, options?: { ttlSeconds?: number }): T;
  /** Adds to a decimal number, and answers the sum. */
  increment(key: string, by?: number): number;
  /** Forgets a key. */
  delete(key: string): void;
  /** Keys in byte order, after `after`. */
  keys(prefix?: string, options?: { after?: string; limit?: number }): string[];
}

export * as directory from "./directory.js";
export * as host from "./host.js";
export * as http from "./http.js";

// ---- dates, times and amounts, as data files and back ends write them ----

/** Reads "2026-05-05"; undefined unless it is a day of the calendar. */
export function parseDate(text: string): Day | undefined;
/** Reads "08:30". */
export function parseTime(text: string): TimeOfDay | undefined;
/** An amount of rubles: "1234", "1234.5", "1 234,56". */
export function parseRubles(text: string): Money | undefined;
/** A whole number: "12", "1 200", "-3". */
export function parseWhole(text: string): number | undefined;
/** So many kopecks. */
export function kopecks(minorUnits: number): Money;
/** So many minutes since midnight. */
export function minutesOf(time: TimeOfDay): number;
/** From 0 for Monday to 6 for Sunday. */
export function weekday(date: Day): number;
/** Days from one to another; below zero where the other lies before. */
export function daysBetween(from: Day, to: Day): number;
/** The day after. */
export function nextDay(date: Day): Day;
/** So many minutes later, by the same offset from UTC. */
export function inMinutes(moment: Datetime, minutes: number): Datetime;
