// Reference data that admins import: offices, services, frequent questions, by municipality. Needs the capability
// "directory".

import * as wit from "gudok:ivr/directory@0.1.0";
import { ask } from "./errors.js";
import { fieldsOf } from "./fields.js";

/** Answers of one question where the script does not say. */
const LIMIT_DEFAULT = 5;

/** Offices that have all these values, in the language that the caller is spoken to in. */
export function findOffices(call, having, { municipality = null, limit = LIMIT_DEFAULT } = {}) {
  return ask(() => wit.findOffices(fieldsOf(having), municipality, call.language, limit));
}

/** Entries of one kind, on a topic or on all. */
export function findEntries(call, kind, { topic = null, municipality = null, limit = LIMIT_DEFAULT } = {}) {
  return ask(() => wit.findEntries(kind, topic, municipality, call.language, limit));
}

/** Frequent questions by their words, the best first. */
export function searchFaq(call, words, { municipality = null, limit = LIMIT_DEFAULT } = {}) {
  return ask(() => wit.searchFaq(words, call.language, municipality, limit));
}

/** Whether a calendar of this agency or of the centre is open at a moment. */
export const isOpen = (calendar, at) => ask(() => wit.isOpen(calendar, at));
