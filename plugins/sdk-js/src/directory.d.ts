/// <reference path="./interface.d.ts" />
import type { Answer, Entry, EntryKind, Office } from "gudok:ivr/directory@0.1.0";
import type { Call, Datetime, Fields } from "./index.js";

/** How far is searched. */
export interface Search {
  /** For that municipality, by its code; what holds for all is found too. */
  municipality?: string;
  /** At most so many answers, 1 to 20; 5 where nothing is said. */
  limit?: number;
}
/** Offices that have all these values, in the language that the caller is spoken to in. Capability "directory". */
export function findOffices(call: Call, having: Fields, search?: Search): Office[];
/** Entries of one kind, on a topic or on all. */
export function findEntries(call: Call, kind: EntryKind, search?: Search & { topic?: string }): Entry[];
/** Frequent questions by their words, the best first. */
export function searchFaq(call: Call, words: string, search?: Search): Answer[];
/** Whether a calendar of this agency or of the centre is open at a moment. */
export function isOpen(calendar: string, at: Datetime): boolean;
