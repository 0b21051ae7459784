// What the caller hears: text and typed pieces. Numbers, dates and amounts are pieces of their own, because the host inflects
// them for the call's language; a script that writes them into a text gets them wrong.

/** What is said, whole. Every method answers a new one. */
export class Prompt {
  constructor(segments = [], rules = {}) {
    this.segments = segments;
    this.rules = { lang: null, voice: null, interruptible: true, cacheable: true, ...rules };
  }

  /** With one more piece. */
  with(...pieces) {
    const added = pieces.map(piecesOf);
    const cacheable = this.rules.cacheable && added.every((piece) => piece.cacheable);
    return new Prompt([...this.segments, ...added.flatMap((piece) => piece.segments)], { ...this.rules, cacheable });
  }

  /** In another language than the call's. */
  inLanguage(lang) {
    return new Prompt(this.segments, { ...this.rules, lang });
  }

  /** By a voice of the host's configuration. */
  inVoice(voice) {
    return new Prompt(this.segments, { ...this.rules, voice });
  }

  /** Heard to its end; keys pressed meanwhile wait for the next question. */
  uninterrupted() {
    return new Prompt(this.segments, { ...this.rules, interruptible: false });
  }

  /** Said once, a name or a result: its sound is not kept on the host's disk. */
  private() {
    return new Prompt(this.segments, { ...this.rules, cacheable: false });
  }

  toWit() {
    const { lang, voice, interruptible, cacheable } = this.rules;
    return { segments: this.segments, lang, voice, bargeIn: { dtmf: interruptible, speech: false }, cacheable };
  }
}

/** One typed piece of a prompt. */
export class Piece {
  constructor(tag, val) {
    this.tag = tag;
    this.val = val;
  }
}

/** A prompt of text and pieces: prompt`Перед вами ${counted(21, REQUEST)}.` */
export function prompt(strings, ...pieces) {
  const parts = [];
  let text = "";
  const flush = () => {
    // A template over several lines is one sentence.
    const words = text.replace(/\s+/g, " ").trim();
    if (words !== "") parts.push(words);
    text = "";
  };
  strings.forEach((string, place) => {
    text += string;
    const piece = pieces[place];
    if (typeof piece === "string") {
      // Text within text stays one text: nobody hears where it came from.
      text += piece;
    } else if (place < pieces.length) {
      flush();
      parts.push(piece);
    }
  });
  flush();
  return new Prompt().with(...parts);
}

/** Whatever can be said, as a prompt. */
export function asPrompt(what) {
  return what instanceof Prompt ? what : new Prompt().with(what);
}

/** A prompt that is there, for the host; null where nothing is said. */
export function promptOrNone(what) {
  if (what === undefined || what === null) return null;
  const said = asPrompt(what);
  return said.segments.length === 0 ? null : said.toWit();
}

function piecesOf(piece) {
  if (piece === undefined || piece === null) return { segments: [], cacheable: true };
  if (piece instanceof Prompt) return { segments: piece.segments, cacheable: piece.rules.cacheable };
  if (piece instanceof Piece) return { segments: [{ tag: piece.tag, val: piece.val }], cacheable: true };
  if (Array.isArray(piece)) return piecesOf(new Prompt().with(...piece));
  if (typeof piece === "string") return { segments: piece === "" ? [] : [{ tag: "text", val: piece }], cacheable: true };
  if (typeof piece === "number" || typeof piece === "bigint") return piecesOf(number(piece));
  throw new TypeError(
    `a prompt takes texts, numbers and pieces such as date(...) or counted(...), not ${describe(piece)}`,
  );
}

function describe(value) {
  return typeof value === "object" ? `an object with ${Object.keys(value).join(", ") || "nothing in it"}` : String(value);
}

function whole(value) {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new TypeError(`${value} is no whole number: say it with decimal(unscaled, scale)`);
  return number;
}

function spec(value, { gender = "masculine", gramCase = "nominative" } = {}) {
  return { value: whole(value), inflection: { gender, gramCase } };
}

/** "двадцать один"; of a feminine noun: number(21, { gender: "feminine" }). */
export const number = (value, inflection) => new Piece("number", spec(value, inflection));

/** "двадцать первый" */
export const ordinal = (value, inflection) => new Piece("ordinal", spec(value, inflection));

/** A decimal fraction: 3,14 is decimal(314, 2). */
export const decimal = (unscaled, scale) => new Piece("decimal", { unscaled: whole(unscaled), scale });

/** The noun after 1, 2, 5 and 1.5: noun("рубль", "рубля", "рублей", "рубля", "masculine"). */
export const noun = (one, few, many, other, gender) => ({ one, few, many, other, gender });

/** A noun of a language with a singular and a plural: plainNoun("day", "days"). */
export const plainNoun = (one, other) => noun(one, other, other, other, "neuter");

/** "двадцать одна заявка" */
export const counted = (value, of, gramCase = "nominative") =>
  new Piece("counted", { value: whole(value), noun: of, gramCase });

/** "пятое мая две тысячи двадцать шестого года" */
export const date = (value, { gramCase = "nominative", sayYear = true, sayWeekday = false } = {}) =>
  new Piece("date", { value, gramCase, sayYear, sayWeekday });

/** "восемь часов тридцать минут" */
export const time = (value) => new Piece("time", value);

/** "сто двадцать три рубля сорок пять копеек" */
export const money = (value) => new Piece("money", value);

/** A row of digits as the host groups it best, or one-by-one, pairs, triples, snils. */
export const digits = (row, grouping = "auto") => new Piece("digits", { digits: row, grouping });

/** A telephone number. */
export const phone = (number) => digits(number, "phone");

/** "две минуты пять секунд" */
export const duration = (lengthMs) => new Piece("duration", lengthMs);

/** Letter by letter. */
export const spell = (text) => new Piece("spell", text);

/** Text with a small set of SSML. */
export const ssml = (text) => new Piece("ssml", text);

/** A recording of the bundle by its name. */
export const media = (name) => new Piece("media", name);

/** A pause. */
export const silence = (lengthMs) => new Piece("silence", lengthMs);

/** A tone by its name: "beep". */
export const tone = (name) => new Piece("tone", name);

/** A key of the telephone by its name: "один", "звёздочка". */
export const key = (keys) => digits(keys, "one-by-one");

/** A choice of a menu that is announced: "часы работы: два." */
export class Item {
  constructor(words, value) {
    this.words = words;
    this.value = value;
  }
}

/** What a key stands for, and the words that announce it: { 2: item("Часы работы", "hours") }. */
export const item = (words, value) => new Item(words, value);

/** A registration number for the ear: letters are spelled, digits said one by one: "К-2026-000123". */
export function registrationNumber(text) {
  const parts = text.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== "");
  const pieces = parts.map((part) => (/^[0-9]+$/.test(part) ? digits(part, "one-by-one") : spell(part)));
  return new Prompt().with(...pieces).private();
}
