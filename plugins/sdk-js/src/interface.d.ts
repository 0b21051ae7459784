// Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
//
// The interface as a script sees it without the comfort of the SDK. What answers `result` throws its error.

/// <reference lib="esnext.disposable" />

/** Words that all interfaces share. */
declare module "gudok:ivr/types@0.1.0" {
  /** A duration in milliseconds. */
  export type Millis = number;
  /**
   * A telephone number as E.164 with a plus, "+74951234567". The host normalises what a caller entered, and masks
   * numbers wherever they are written down.
   */
  export type E164 = string;
  /** A language tag of BCP 47, "ru-RU". */
  export type LangTag = string;
  /** 0 to 100. Integers keep replays exact to the bit. */
  export type Percent = number;
  /** A day of the Gregorian calendar. */
  export interface Date {
    year: number;
    /** 1 to 12 */
    month: number;
    /** 1 to 31 */
    day: number;
  }
  /** A time of the day, to the minute. */
  export interface TimeOfDay {
    /** 0 to 23 */
    hour: number;
    /** 0 to 59 */
    minute: number;
  }
  /** A moment with its offset from UTC. */
  export interface Datetime {
    date: Date;
    time: TimeOfDay;
    utcOffsetMinutes: number;
  }
  /** An amount in the currency's minor unit: 123456 "RUB" is 1234 rubles 56 kopecks. */
  export interface Money {
    minorUnits: number;
    /** ISO 4217, "RUB" */
    currency: string;
  }
  /** A named value, for tags, headers, queries and log fields. */
  export interface Field {
    name: string;
    value: string;
  }
  /** What the centre owes a caller from now on. */
  export interface Promise {
    /** for the call record and for operators; not for the caller's ear */
    id: string;
    /** by then, in the agency's time zone */
    due: Datetime;
  }
  /** Why a call came to its end. */
  export type EndReason =
    /** the caller hung up */
    | "caller-hangup"
    /** the other party hung up, and the call with it */
    | "far-end-hangup"
    /** a limit of the host on the call's length or cost */
    | "host-limit"
    /** the engine is shutting down or the version was drained, and its deadline passed */
    | "drain-timeout"
    /** an admin ended it */
    | "admin-kill"
    /** no media for longer than the trunk allows */
    | "media-lost"
    /** the script hung up itself */
    | "script-hangup"
    /** the call left the script for good: it was moved to another party */
    | "moved";
  /** Why a host call gave no result. */
  export type CallError =
    /** the call is over; save state and return */
    | { tag: "ended"; val: EndReason }
    /** the capability is not granted, or not for this parameter; names the capability and the parameter */
    | { tag: "denied"; val: string }
    /** an allowance of the script or its agency is used up; names it */
    | { tag: "quota"; val: string }
    /** an argument makes no sense; says which, why, and what would be right */
    | { tag: "invalid"; val: string }
    /** what was named does not exist; names it */
    | { tag: "not-found"; val: string }
    /** no channel, trunk or recorder is free; names what is busy */
    | { tag: "busy-resource"; val: string }
    /** no answer within the time asked for */
    | { tag: "timeout" }
    /** the other side (a back end, the store) could not be reached, broke off or answered rubbish; says which */
    | { tag: "unavailable"; val: string }
    /** a fault of the host; an opaque id that the host's log has too */
    | { tag: "internal"; val: string };
}

/**
 * The script's surroundings: granted to every script. Time and randomness come from here only, so that a call can be
 * replayed and explored.
 */
declare module "gudok:ivr/host@0.1.0" {
  import type * as types from "gudok:ivr/types@0.1.0";
  export type Level =
    | "trace"
    | "debug"
    | "info"
    | "warn"
    | "error";
  /**
   * To the author's log, with the call's id. Numbers of telephones in it are masked. Over the log allowance, lines are
   * dropped and counted.
   */
  export function log(level: Level, message: string, fields: types.Field[]): void;
  /** Names a step of the dialog: a span in the trace, a node of the funnel, an anchor in a replay. */
  export function step(name: string): void;
  /** Adds to a counter of the script's own, `gudok_script_events_total{event="…"}`. */
  export function count(event: string, by: number): void;
  /** Since the Unix epoch; virtual in the simulator. */
  export function nowMillis(): number;
  /** In the agency's time zone. */
  export function nowLocal(): types.Datetime;
  export function randomU64(): number;
  /** A value of the script's configuration. */
  export function config(key: string): string | null;
  /**
   * A data file of the bundle (under data/), at most 1 MiB. Of `name.toml` there is `name.toml.tree` too, where it is valid
   * TOML: parsed by the host, in the wire format of postcard 1.0, for scripts that read it at every call.
   */
  export function data(name: string): Uint8Array | null;
  /** True where it is granted now: lets a script do without instead of failing. */
  export function granted(capability: string): boolean;
  /** True once a newer version is active or the engine is stopping: finish, start nothing long. */
  export function draining(): boolean;
}

/** The call itself: granted to every script. */
declare module "gudok:ivr/telephony@0.1.0" {
  import type * as input from "gudok:ivr/input@0.1.0";
  import type * as prompts from "gudok:ivr/prompts@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  export type Direction =
    | "inbound"
    | "outbound";
  export type AnsweredBy =
    | "unknown"
    | "human"
    | "machine"
    | "fax";
  export interface CallInfo {
    /** ours, also in the call record */
    id: string;
    direction: Direction;
    /** none where the caller withheld it */
    caller: string | null;
    called: string;
    /** who diverted the call here */
    diversion: string | null;
    lang: string;
    agency: string;
    /** the script's entry that the number leads to */
    entry: string;
    scriptVersion: string;
    answeredBy: AnsweredBy;
    /** the headers that the trunk's configuration lets through */
    headers: types.Field[];
  }
  /** Where a playback stopped. */
  export interface PlaybackEnd {
    finished: boolean;
    /** the key that interrupted it */
    interruptedBy: string | null;
    /** how much was heard */
    at: number;
  }
  /** How fast a caller is spoken to. */
  export type Pace =
    /** as the voice speaks */
    | "normal"
    /** slower speech, time-outs of twice the length, everything said twice */
    | "slow";
  export type RejectCause =
    | "busy"
    | "declined"
    | "unavailable"
    | "not-in-service";
  /** Playback in the background; dropping it stops the sound. */
  export class Player {
    private constructor();
    /** @throws types.CallError */
    wait(): PlaybackEnd;
    /** @throws types.CallError */
    pause(): void;
    /** @throws types.CallError */
    resume(): void;
    /** @throws types.CallError */
    seek(at: number): void;
    /** @throws types.CallError */
    stop(): PlaybackEnd;
    [Symbol.dispose](): void;
  }
  /** The keys as they come, those pressed ahead first: for dialogs that no grammar describes. */
  export class Collector {
    private constructor();
    /**
     * The next key; none when the time is up.
     * @throws types.CallError
     */
    next(timeout: number): string | null;
    /** Forgets what was pressed ahead. */
    flush(): void;
    [Symbol.dispose](): void;
  }
  export class Call {
    private constructor();
    info(): CallInfo;
    /**
     * Every caller is answered at the first `say` if not before.
     * @throws types.CallError
     */
    answer(): void;
    /**
     * Prompts are heard before the call is answered (and charged).
     * @throws types.CallError
     */
    earlyMedia(): void;
    /** @throws types.CallError */
    reject(cause: RejectCause): void;
    /**
     * Says goodbye to its end and hangs up.
     * @throws types.CallError
     */
    hangup(goodbye: prompts.Prompt | null): void;
    /** Why the call ended; none while it lives. */
    ended(): types.EndReason | null;
    /**
     * For what follows in this call, the host's own prompts included.
     * @throws types.CallError
     */
    setLanguage(lang: string): void;
    /**
     * For what follows in this call, the host's own prompts included. `ended` once the call is over.
     * @throws types.CallError
     */
    setPace(pace: Pace): void;
    /**
     * Plays a prompt and waits for its end, or for the key that interrupts it. That key stays for the next collect.
     * @throws types.CallError
     */
    say(what: prompts.Prompt): PlaybackEnd;
    /** @throws types.CallError */
    playBackground(what: prompts.Prompt, loopForever: boolean): Player;
    /**
     * Asks, with repeats, until there is an answer or none is to be had. Keys pressed ahead count.
     * @throws types.CallError
     */
    collect(options: input.CollectOptions): input.Outcome;
    digits(): Collector;
    /**
     * Sends keys to the caller's side: for talking to another machine.
     * @throws types.CallError
     */
    sendDtmf(keys: string): void;
    /**
     * Silence for a while; `ended` if the caller leaves meanwhile.
     * @throws types.CallError
     */
    wait(duration: number): void;
    /**
     * Kept with the call record; survives transfer and drain.
     * @throws types.CallError
     */
    tag(fields: types.Field[]): void;
    [Symbol.dispose](): void;
  }
}

/** What the caller hears. Numbers are data, never text: the host inflects them for the call's language. */
declare module "gudok:ivr/prompts@0.1.0" {
  import type * as types from "gudok:ivr/types@0.1.0";
  export type Gender =
    | "masculine"
    | "feminine"
    | "neuter";
  export type GrammaticalCase =
    | "nominative"
    | "genitive"
    | "dative"
    | "accusative"
    | "instrumental"
    | "prepositional";
  export interface Inflection {
    gender: Gender;
    gramCase: GrammaticalCase;
  }
  /**
   * The forms of a noun behind a number, by the plural categories of CLDR:
   * 1 рубль (one), 2 рубля (few), 5 рублей (many), 1,5 рубля (other).
   */
  export interface NounForms {
    one: string;
    few: string;
    many: string;
    other: string;
    gender: Gender;
  }
  export interface NumberSpec {
    value: number;
    inflection: Inflection;
  }
  /** A number and its noun, agreeing: "двадцать одна заявка". */
  export interface CountedSpec {
    value: number;
    noun: NounForms;
    gramCase: GrammaticalCase;
  }
  /** A decimal fraction: 3,14 is 314 with scale 2. */
  export interface DecimalSpec {
    unscaled: number;
    scale: number;
  }
  export interface DateSpec {
    value: types.Date;
    gramCase: GrammaticalCase;
    sayYear: boolean;
    sayWeekday: boolean;
  }
  /** How a row of digits is cut up for the ear. Leading zeros are always said. */
  export type DigitGrouping =
    | "one-by-one"
    | "pairs"
    | "triples"
    /** a telephone number the way the call's country says it: 8, 913, 123, 45, 67 */
    | "phone"
    /** an insurance number: triples, then the check digits */
    | "snils"
    | "auto";
  export interface DigitsSpec {
    digits: string;
    grouping: DigitGrouping;
  }
  /** One piece of a prompt. */
  export type Segment =
    /** plain text, spoken by the text-to-speech provider */
    | { tag: "text"; val: string }
    /** text with a small set of SSML 1.1: speak, p, s, break, emphasis, prosody (rate), say-as (digits, characters) */
    | { tag: "ssml"; val: string }
    /** a recording of the bundle by its name without language and ending: "welcome" */
    | { tag: "media"; val: string }
    /** "двадцать один" */
    | { tag: "number"; val: NumberSpec }
    /** "двадцать первый" */
    | { tag: "ordinal"; val: NumberSpec }
    /** "три целых четырнадцать сотых" */
    | { tag: "decimal"; val: DecimalSpec }
    | { tag: "counted"; val: CountedSpec }
    | { tag: "digits"; val: DigitsSpec }
    /** "сто двадцать три рубля сорок пять копеек" */
    | { tag: "money"; val: types.Money }
    /** "пятое мая две тысячи двадцать шестого года" */
    | { tag: "date"; val: DateSpec }
    /** "восемь часов тридцать минут" */
    | { tag: "time"; val: types.TimeOfDay }
    /** "две минуты пять секунд" */
    | { tag: "duration"; val: number }
    /** letter by letter */
    | { tag: "spell"; val: string }
    | { tag: "silence"; val: number }
    /** a tone by its name: "beep", "ringback", "busy" */
    | { tag: "tone"; val: string };
  /** What interrupts a prompt. With no flag it is heard to its end. */
  export interface BargeIn {
    dtmf: boolean;
    speech: boolean;
  }
  export interface Prompt {
    segments: Segment[];
    /** the call's language where none is given */
    lang: string | null;
    voice: string | null;
    bargeIn: BargeIn;
    /** false for what is said once (a name, a code): its sound is not kept on disk */
    cacheable: boolean;
  }
}

/** What the caller enters. */
declare module "gudok:ivr/input@0.1.0" {
  import type * as prompts from "gudok:ivr/prompts@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  /** A row of digits. With `min` equal to `max` no terminator is needed. */
  export interface DigitRule {
    min: number;
    max: number;
    /** keys that end the entry and are not part of it, "#" */
    terminators: string;
  }
  /** One key (or, with speech, one of the phrases) and the value it stands for. */
  export interface Choice {
    /** one key, or several for a longer code: "1", "0", "*", "12" */
    key: string;
    value: string;
    phrases: string[];
  }
  /**
   * What counts as an answer. A closed set, so that a menu can be checked before it is deployed. Check sums are
   * verified by the host; an entry that fails one is a no-match.
   */
  export type Grammar =
    | { tag: "digits"; val: DigitRule }
    | { tag: "choices"; val: Choice[] }
    /** 1 or "да", 2 or "нет" */
    | { tag: "yes-no" }
    /** eight digits, day first: 05052026 */
    | { tag: "date" }
    /** rubles, then "*" and two digits of kopecks; "#" ends it */
    | { tag: "money" }
    /** a number of the centre's country or one with "00" and a country code; "#" ends it */
    | { tag: "phone" }
    /** 11 digits with check sum */
    | { tag: "snils" }
    /** 10 or 12 digits with check sum */
    | { tag: "inn" }
    /** 16 digits with check digit */
    | { tag: "oms-policy" }
    /** 6 digits */
    | { tag: "postal-code" }
    /** an utterance of at most so many milliseconds; needs a speech recogniser */
    | { tag: "free-speech"; val: number };
  export interface Modes {
    dtmf: boolean;
    speech: boolean;
  }
  /** What to say before asking again. Without a prompt of its own, the main prompt is said again. */
  export interface Retry {
    /** how often is asked in all, 1 to 10 */
    attempts: number;
    noInput: prompts.Prompt | null;
    noMatch: prompts.Prompt | null;
  }
  export interface CollectOptions {
    grammar: Grammar;
    modes: Modes;
    prompt: prompts.Prompt | null;
    /** from the end of the prompt to the first key */
    firstTimeout: number;
    /** from key to key */
    interDigit: number;
    retry: Retry;
    /** masked in logs, traces, journals and recordings */
    sensitive: boolean;
    /** keys that leave the question at once: "0" to an operator, "*" back. Their value is reported as `global`. */
    globalKeys: Choice[];
  }
  export type Value =
    | { tag: "text"; val: string }
    | { tag: "flag"; val: boolean }
    | { tag: "date"; val: types.Date }
    | { tag: "money"; val: types.Money }
    | { tag: "phone"; val: string };
  export type Mode =
    | "by-keys"
    | "by-voice";
  export interface Collected {
    value: Value;
    /** the keys as they were pressed */
    raw: string;
    mode: Mode;
    /** 100 for keys */
    confidence: number;
    /** on which attempt it succeeded, from 1 */
    attempt: number;
  }
  export type Outcome =
    | { tag: "ok"; val: Collected }
    /** the value of the global key */
    | { tag: "global"; val: string }
    /** nothing was entered in any attempt */
    | { tag: "no-input" }
    /** the last entry, which the grammar refused */
    | { tag: "no-match"; val: string };
}

/**
 * Reference data that admins import: entries with versions, answered by municipality. Capability "directory", without
 * parameters: what is in it is public.
 *
 * Every answer has the entry's id and version: who says "this is wrong" says it of them (`promises.submit-ticket`). A
 * municipality's entries come before those that hold for all; entries of other municipalities do not come. Where an entry
 * is not there in the language asked for, the centre's own language comes. `limit` is 1 to 20 (`invalid` otherwise).
 * All functions answer `unavailable` where the directory cannot be read.
 */
declare module "gudok:ivr/directory@0.1.0" {
  import type * as types from "gudok:ivr/types@0.1.0";
  export type EntryKind =
    | "office"
    | "service"
    /** what is to be brought along */
    | "document"
    /** how long it takes */
    | "term"
    /** who is responsible */
    | "official"
    /** where and how to complain */
    | "appeal"
    /** a frequent question and its answer */
    | "faq";
  /** Working hours of one weekday; a day off has none, a break makes two of them. */
  export interface DayHours {
    /** 1 is Monday */
    weekday: number;
    from: types.TimeOfDay;
    /** 00:00 is the day's end */
    to: types.TimeOfDay;
  }
  export interface Office {
    id: string;
    version: number;
    updated: types.Date;
    name: string;
    /** the whole entry for the ear, as its owner wrote it; empty where the owner did not */
    spoken: string;
    address: string;
    phone: string | null;
    /** of the usual week, Monday first; days that differ are in `open-now` and `opens-next` */
    hours: DayHours[];
    openNow: boolean;
    /** none while it is open, or where it is not known */
    opensNext: types.Datetime | null;
    fields: types.Field[];
  }
  export interface Entry {
    id: string;
    version: number;
    updated: types.Date;
    kind: EntryKind;
    title: string;
    /** for the ear */
    spoken: string;
    fields: types.Field[];
  }
  export interface Answer {
    id: string;
    version: number;
    updated: types.Date;
    title: string;
    /** for the ear */
    spoken: string;
    /** how well it fits, the best first */
    score: number;
  }
  /**
   * Offices whose fields have all the values of `query` ("agency", "service", "town" …); an empty query asks for all.
   * @throws types.CallError
   */
  export function findOffices(query: types.Field[], municipality: string | null, lang: string, limit: number): Office[];
  /**
   * Entries of one kind on one topic ("passport"); none for every topic.
   * @throws types.CallError
   */
  export function findEntries(kind: EntryKind, topic: string | null, municipality: string | null, lang: string, limit: number): Entry[];
  /**
   * Full-text search, by word stems. `query` is at most 256 bytes.
   * @throws types.CallError
   */
  export function searchFaq(query: string, lang: string, municipality: string | null, limit: number): Answer[];
  /**
   * Whether a calendar of this agency or of the centre is open at a moment. `not-found` where there is none of that name.
   * @throws types.CallError
   */
  export function isOpen(calendar: string, at: types.Datetime): boolean;
}

/** Secrets that an admin keeps for the agency, by name. Capability "secrets"; its parameters name them. */
declare module "gudok:ivr/secrets@0.1.0" {
  import type * as types from "gudok:ivr/types@0.1.0";
  /** A secret that the script may hand to `fetch` but not read. */
  export class Secret {
    private constructor();
    [Symbol.dispose](): void;
  }
  /** @throws types.CallError */
  export function secretNamed(name: string): Secret;
}

/** HTTP with the patience of a call. Capability "fetch"; its parameters name the origins. */
declare module "gudok:ivr/fetch@0.1.0" {
  import type * as secrets from "gudok:ivr/secrets@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  export type Method =
    | "get"
    | "head"
    | "post"
    | "put"
    | "patch"
    | "delete";
  export interface Request {
    method: Method;
    url: string;
    headers: types.Field[];
    body: Uint8Array;
    /** for everything, from the first packet to the last byte */
    timeout: number;
    /** sent as the header Idempotency-Key */
    idempotencyKey: string | null;
  }
  export interface Response {
    status: number;
    headers: types.Field[];
    body: Uint8Array;
  }
  /** A request on its way, while a prompt plays. Dropping it cancels. */
  export class Pending {
    private constructor();
    /**
     * none when the time is up; the request goes on
     * @throws types.CallError
     */
    wait(timeout: number): Response | null;
    [Symbol.dispose](): void;
  }
  /**
   * The host puts `auth` into the Authorization header, as the admin keeps it ("Bearer …"); the script never sees it.
   * @throws types.CallError
   */
  export function send(request: Request, auth: secrets.Secret | null): Response;
  /** @throws types.CallError */
  export function start(request: Request, auth: secrets.Secret | null): Pending;
}

/**
 * Reading a secret's text. Capability "secrets" with `reveal = true`. An interface of its own, because `fetch` brings the
 * whole interface `secrets` into a component that some languages build, and nobody should need this for that.
 */
declare module "gudok:ivr/secrets-reveal@0.1.0" {
  import type * as secrets from "gudok:ivr/secrets@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  /** @throws types.CallError */
  export function reveal(secret: secrets.Secret): string;
}

/**
 * Small state that outlives a call, under <agency>/<script>/<bucket>: a script cannot name another agency.
 * Capability "storage"; its parameters name the buckets. Every write is durable when it answers.
 */
declare module "gudok:ivr/storage@0.1.0" {
  import type * as types from "gudok:ivr/types@0.1.0";
  export interface Entry {
    value: Uint8Array;
    /** from 1, one more with every write */
    version: number;
  }
  export type CasError =
    /** the version that is there (0 for none) */
    | { tag: "conflict"; val: number }
    | { tag: "failed"; val: types.CallError };
  export class Bucket {
    private constructor();
    /** @throws types.CallError */
    static open(name: string): Bucket;
    /** @throws types.CallError */
    get(key: string): Entry | null;
    /**
     * Answers the new version.
     * @throws types.CallError
     */
    set(key: string, value: Uint8Array, ttlSeconds: number | null): number;
    /**
     * Writes only if the version is still `expected`; 0 means: only if there is none.
     * @throws CasError
     */
    compareAndSet(key: string, expected: number, value: Uint8Array, ttlSeconds: number | null): number;
    /**
     * Of a value that is a decimal number, or of none (0). Answers the sum.
     * @throws types.CallError
     */
    increment(key: string, delta: number): number;
    /** @throws types.CallError */
    delete(key: string): void;
    /**
     * In byte order, after `after`; at most `limit`.
     * @throws types.CallError
     */
    listKeys(prefix: string, after: string | null, limit: number): string[];
    [Symbol.dispose](): void;
  }
}

/**
 * Promises made to the caller. Each returns only when it is durable: say nothing of it to the caller before. Capability
 * "promises"; its parameters say by which queues (`callback_queues`), to which agencies (`ticket_agencies`), for which
 * surveys (`surveys`) and to which numbers (`dialable`, prefixes of E.164).
 */
declare module "gudok:ivr/promises@0.1.0" {
  import type * as prompts from "gudok:ivr/prompts@0.1.0";
  import type * as telephony from "gudok:ivr/telephony@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  /** A callback that the script has agreed with the caller by itself. */
  export interface CallbackRequest {
    /** whose operators call; one of `callback_queues` */
    queue: string;
    /** must begin with one of the prefixes of `dialable` */
    number: string;
    /** for the operator, in a few words; at most 256 bytes */
    topic: string;
    /** not before; from the queue's opening where that is later */
    earliest: types.Datetime | null;
    /** what the caller entered so far, for the operator's screen */
    fields: types.Field[];
  }
  /** A callback that the host arranges with the caller in its own words: own number or another, read back, confirmed. */
  export interface CallbackOffer {
    /** one of `callback_queues` */
    queue: string;
    /** for the operator, in a few words; at most 256 bytes */
    topic: string;
    /** what the caller entered so far, for the operator's screen */
    fields: types.Field[];
    /** said before the choice instead of the host's own first words */
    intro: prompts.Prompt | null;
  }
  export type TicketKind =
    | "complaint"
    /** published information is wrong or out of date */
    | "outdated-information"
    | "request";
  /** An entry of the directory, as the caller heard it. */
  export interface EntryVersion {
    id: string;
    version: number;
  }
  /** What an agency has to answer to. */
  export interface Ticket {
    kind: TicketKind;
    /** one of `ticket_agencies` */
    toAgency: string;
    /** code of the municipality that it is about */
    municipality: string | null;
    /** at which number the caller wants the answer; kept sealed */
    contact: string | null;
    /** whatever else the agency needs */
    fields: types.Field[];
    /** ids of recordings of this call, at most 8 */
    recordings: string[];
    /** which entry is wrong */
    directoryEntry: EntryVersion | null;
  }
  /** One question, one answer. */
  export interface SurveyAnswer {
    /** the question's name, at most 64 bytes */
    question: string;
    /** a mark; its scale is the survey's */
    score: number | null;
    text: string | null;
    /** id of a recording of this call */
    recording: string | null;
  }
  /**
   * Answers by when the caller is called. `denied` where queue or number are not granted; `not-found` where the queue calls
   * nobody back; `invalid` where it does not call this number; `quota` where too many are open; `unavailable` where it
   * could not be written down.
   * @throws types.CallError
   */
  export function requestCallback(request: CallbackRequest): types.Promise;
  /**
   * None: the caller wants none, or entered no number in time. The host has told the caller by when; the caller is still
   * on the line. Errors as in `request-callback`; the caller has heard nothing of them.
   * @throws types.CallError
   */
  export function offerCallback(call: telephony.Call, offer: CallbackOffer): types.Promise | null;
  /**
   * Answers the registration number that is read to the caller ("К-2026-000123"). It is delivered to the agency at least
   * once. The same key of the same script (1 to 128 bytes) answers the same number and registers nothing anew: build it
   * from the call's id. `denied` where the agency is not granted; `not-found` for a recording that is not of this call;
   * `unavailable` where it could not be written down.
   * @throws types.CallError
   */
  export function submitTicket(ticket: Ticket, idempotencyKey: string): string;
  /**
   * Once per call and survey: what comes later takes its place. `denied` where the survey is not granted.
   * @throws types.CallError
   */
  export function submitSurvey(survey: string, answers: SurveyAnswer[]): void;
}

/**
 * Waiting for an operator. Capability "queues"; its parameter `names` says in which queues.
 *
 * The queue's limit on the wait (at most 40 s) is the host's: shortly before it, the host tries a peer centre or offers a
 * callback to the caller in its own words, whatever the script is doing. The script is told by events.
 *
 * While the caller waits, the script may go on talking: `say`, `collect`, `wait` and the collector work between events.
 * When an operator answers, what is pending ends early (a `say` not finished, a `collect` with `no-input`, a `next` with
 * none, a `wait` at once), and the next event is `answered`.
 */
declare module "gudok:ivr/queues@0.1.0" {
  import type * as telephony from "gudok:ivr/telephony@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  /** Something that the operator should be good at. */
  export interface SkillWish {
    /** as operators' settings name it: "en", "passports"; at most 64 bytes */
    name: string;
    /** at least so good, from 1 to 10; the queue's rules lower it while the caller waits */
    level: number;
  }
  /** How a caller waits. */
  export interface QueueOptions {
    /** one of the granted names */
    queue: string;
    /** 0 is the lowest, 9 the highest */
    priority: number;
    /** at most 16; empty for any operator of the queue */
    skills: SkillWish[];
    /** what the caller hears meanwhile: a recording of the bundle; the host's music where none is given */
    music: string | null;
    /** the script's own patience, then `timed-out`; 0 for the queue's rule alone */
    maxWait: number;
    /** shown to the operator; what was entered under a `sensitive` question does not belong here */
    screenPop: types.Field[];
    /** the host says position and expected wait, as the queue's settings have it; false where the script does */
    announce: boolean;
    /** when the operator hangs up, the caller comes back to the script (`returned`); otherwise the call ends with the talk */
    returnOnEnd: boolean;
  }
  /** What happens to a waiting caller. */
  export type QueueEvent =
    /** from 1; at the start, and where it changed */
    | { tag: "position"; val: number }
    /** where there is enough to go by */
    | { tag: "estimated-wait"; val: number }
    /** a key that nothing else was waiting for */
    | { tag: "key"; val: string }
    /** by an operator of that name; they talk */
    | { tag: "answered"; val: string }
    /** the talk is over after so long, the operator hung up, and the caller is back. The wait is over. */
    | { tag: "returned"; val: number }
    /** the caller took the host's offer and will be called back: the promise's id. The wait is over, and so is the call. */
    | { tag: "callback"; val: string }
    /** a peer centre of that name took the caller. The wait is over. */
    | { tag: "peer"; val: string }
    /** nobody works now; the calendar says from when, "06:00". Nobody was rung. The wait is over. */
    | { tag: "closed"; val: string | null }
    /** as many wait as may. The wait is over. */
    | { tag: "full" }
    /** `max-wait` is over, and so is the wait */
    | { tag: "timed-out" };
  /** A place in a queue. Dropping it leaves the queue; a talk that goes on is not touched. */
  export class QueueTicket {
    private constructor();
    /**
     * The next thing that happens, in order; none when the time is up. While the caller talks to an operator, it waits.
     * Without `return-on-end` a talk is answered with `ended`, as the call goes with it. `not-found` once the wait is over.
     * @throws types.CallError
     */
    nextEvent(timeout: number): QueueEvent | null;
    /**
     * Keeps the place and lets the caller go: the centre calls back when the place is at the head. At the calling number
     * where none is given; another number must begin with one of the prefixes `dialable` of the capability
     * "promises". Answers when the promise is durable. `not-found` where the queue calls nobody back or the wait is over;
     * `invalid` where the number is not called, or the caller has none; `quota` where too many are open; `busy-resource`
     * while the caller is being connected elsewhere; `unavailable` where it could not be written down: the caller still
     * waits then.
     * @throws types.CallError
     */
    convertToCallback(number: string | null): types.Promise;
    /** The caller waits no more, and is with the script again. A talk that goes on is not touched. */
    leave(): void;
    [Symbol.dispose](): void;
  }
  /**
   * The caller waits from now on: one wait at a time (`busy-resource` otherwise). A queue that is closed, full or not there
   * is told by the first event or by `not-found`. `denied` where the queue is not granted. Skills, priority and music over
   * their limits are `invalid`, and so is music that is not in the bundle (`not-found`).
   * @throws types.CallError
   */
  export function enqueue(call: telephony.Call, options: QueueOptions): QueueTicket;
}

/** Recording of the call or of a message. Capability "recording". */
declare module "gudok:ivr/recording@0.1.0" {
  import type * as prompts from "gudok:ivr/prompts@0.1.0";
  import type * as telephony from "gudok:ivr/telephony@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  export interface RecordOptions {
    /** longer is cut */
    max: number;
    /** so much silence ends a message; 0 for never */
    silenceStop: number;
    beep: boolean;
    /** keys that end a message */
    stopKeys: string;
    /** asked first with yes or no; on "no" nothing is recorded and the answer is `denied("consent")` */
    consentPrompt: prompts.Prompt | null;
    /** kept for so many days, capped by the agency's rule */
    retentionDays: number;
  }
  export type StoppedBy =
    | "max"
    | "silence"
    | "key"
    | "hangup"
    | "script";
  export interface Recording {
    id: string;
    duration: number;
    stoppedBy: StoppedBy;
    /** of the audio file, in lower-case hexadecimal */
    sha256: string;
  }
  /** Records in the background; dropping it discards what `finish` did not keep. */
  export class Recorder {
    private constructor();
    /** @throws types.CallError */
    pause(): void;
    /** @throws types.CallError */
    resume(): void;
    /** @throws types.CallError */
    finish(): Recording;
    [Symbol.dispose](): void;
  }
  /**
   * Records what the caller says until silence, a key or the time limit.
   * @throws types.CallError
   */
  export function recordMessage(call: telephony.Call, options: RecordOptions): Recording;
  /**
   * Records both sides while the script goes on.
   * @throws types.CallError
   */
  export function startRecording(call: telephony.Call, options: RecordOptions): Recorder;
}

/** Handing the caller to another party. Capability "transfer"; its parameters say which groups and numbers. */
declare module "gudok:ivr/transfer@0.1.0" {
  import type * as prompts from "gudok:ivr/prompts@0.1.0";
  import type * as telephony from "gudok:ivr/telephony@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  export type Target =
    /** a group of operators by its name */
    | { tag: "group"; val: string }
    /** one operator by name */
    | { tag: "operator"; val: string }
    /** an extension of the centre */
    | { tag: "extension"; val: string }
    | { tag: "number"; val: string }
    /** another entry of this agency */
    | { tag: "script"; val: string };
  export type TransferMode =
    /** REFER: the caller's side dials the target itself, and the engine is out */
    | "blind"
    /** the target is asked first, then the two are joined by REFER with Replaces */
    | "attended"
    /** the engine stays in the middle */
    | "bridge";
  export interface TransferOptions {
    mode: TransferMode;
    ringTimeout: number;
    /** what the caller hears meanwhile: a recording of the bundle; ringing where none is given */
    music: string | null;
    /** what the target hears before being joined */
    whisper: prompts.Prompt | null;
    /** shown to the operator */
    screenPop: types.Field[];
    /** bridge only: when the target hangs up, the caller comes back to the script */
    returnOnEnd: boolean;
  }
  export type TransferOutcome =
    /** the caller is with the target; the script's part is over */
    | { tag: "moved" }
    /** they talked for so long, and the caller is back */
    | { tag: "bridged-then-returned"; val: number }
    | { tag: "busy" }
    | { tag: "no-answer" }
    /** the target's SIP status */
    | { tag: "rejected"; val: number }
    | { tag: "unavailable" }
    /** nobody works now; the calendar says from when. Nobody was rung. */
    | { tag: "closed"; val: string | null };
  /**
   * On every outcome but `moved` the caller is back with the script.
   * @throws types.CallError
   */
  export function transfer(call: telephony.Call, to: Target, options: TransferOptions): TransferOutcome;
}

/** What a service script or a menu exports. */
declare module "gudok:ivr/script@0.1.0" {
  import type * as telephony from "gudok:ivr/telephony@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  export type ResultCode =
    | { tag: "served" }
    | { tag: "transferred" }
    | { tag: "queued" }
    | { tag: "callback-booked" }
    | { tag: "abandoned" }
    | { tag: "no-service" }
    | { tag: "custom"; val: string };
  export interface Summary {
    code: ResultCode;
    fields: types.Field[];
  }
  /**
   * Once per call, in an instance of its own. An error lands the caller in the agency's fallback, except `ended`.
   * @throws types.CallError
   */
  export type Run = (call: telephony.Call) => Summary;
}

/** What a campaign script exports. */
declare module "gudok:ivr/campaign@0.1.0" {
  import type * as telephony from "gudok:ivr/telephony@0.1.0";
  import type * as types from "gudok:ivr/types@0.1.0";
  export interface Contact {
    id: string;
    number: string;
    /** from 1 */
    attempt: number;
    attributes: types.Field[];
  }
  export type Disposition =
    | { tag: "delivered" }
    | { tag: "confirmed"; val: string }
    | { tag: "declined" }
    | { tag: "voicemail" }
    | { tag: "wrong-person" }
    | { tag: "retry-at"; val: types.Datetime }
    | { tag: "do-not-call" }
    | { tag: "failed"; val: string };
  export type Plan =
    | { tag: "dial" }
    /** says why */
    | { tag: "skip"; val: string }
    | { tag: "not-before"; val: types.Datetime };
  /** Before dialling; there is no call yet. */
  export type Prepare = (contact: Contact) => Plan;
  /** @throws types.CallError */
  export type Run = (call: telephony.Call, contact: Contact) => Disposition;
}
