/// <reference path="./interface.d.ts" />
import type { Level } from "gudok:ivr/host@0.1.0";
import type { Datetime, Fields } from "./index.js";

/** Writes a line to the author's log, with the call's id. Telephone numbers in it are masked. */
export function log(level: Level, message: string, fields?: Fields): void;
/** What helps while writing. */
export function debug(message: string, fields?: Fields): void;
/** Something the author wants to know. */
export function info(message: string, fields?: Fields): void;
/** Something that went wrong and was got over. */
export function warn(message: string, fields?: Fields): void;
/** Something that a caller suffered from. */
export function error(message: string, fields?: Fields): void;
/** Names a step of the dialog: a span in the trace, a node of the flow, an anchor in a replay. */
export function step(name: string): void;
/** Adds to a counter of the script's own. */
export function count(event: string, by?: number): void;
/** Milliseconds since the Unix epoch; virtual in the simulator. `Date.now()` answers the same. */
export function nowMillis(): number;
/** The moment in the agency's time zone. */
export function now(): Datetime;
/** From 0 up to and without 1. `Math.random()` answers the same. */
export function random(): number;
/** A value of the script's configuration. */
export function config(key: string): string | undefined;
/** A value that the script cannot do without; the error tells the admin what to configure. */
export function configRequired(key: string): string;
/** A data file of the bundle, by its name under data/. */
export function data(name: string): Uint8Array;
/** A text file of the bundle. */
export function dataText(name: string): string;
/** A JSON file of the bundle. What is in it, the script knows. */
export function dataJson<T = unknown>(name: string): T;
/** True where a capability is granted now: lets a script do without instead of failing. */
export function granted(capability: string): boolean;
/** True once a newer version is active or the engine is stopping: finish, start nothing long. */
export function draining(): boolean;
/** For a step that a script can do without: undefined, and a warning in the log, where the host could not do it. */
export function unlessEnded<T>(doingWithout: string, step: () => T): T | undefined;
