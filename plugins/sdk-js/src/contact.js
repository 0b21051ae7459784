// Whom a campaign calls: what the list has of them, by its columns.

import { parseDate, parseRubles, parseWhole } from "./values.js";

/** A column that is empty for somebody is not there for them. */
export class Contact {
  constructor({ id, number, attempt, attributes }) {
    this.id = id;
    this.number = number;
    /** From 1. */
    this.attempt = attempt;
    this.attributes = attributes;
  }

  /** A column's text, without spaces around it. */
  field(name) {
    const value = this.attributes.find((field) => field.name === name)?.value.trim();
    return value === "" ? undefined : value;
  }

  /** A column's whole number: "12", "1 200". */
  whole(name) {
    return read(this.field(name), parseWhole);
  }

  /** A column's amount in rubles: "1234", "1234.5", "1 234,56". */
  money(name) {
    return read(this.field(name), parseRubles);
  }

  /** A column's day: "2026-12-01" or "01.12.2026". */
  date(name) {
    return read(this.field(name), (text) => parseDate(text.replace(/^(\d{2})\.(\d{2})\.(\d{4})$/, "$3-$2-$1")));
  }
}

function read(text, parse) {
  return text === undefined ? undefined : parse(text);
}
