/// <reference path="./interface.d.ts" />
import type { Method } from "gudok:ivr/fetch@0.1.0";
import type { Call, Field, Sayable } from "./index.js";

/** How long a back end is waited for where the script does not say. */
export const TIMEOUT_DEFAULT_MS: number;

/** How a request is sent. */
export interface RequestOptions {
  headers?: { readonly [name: string]: string };
  /** The secret of this name in the Authorization header; the script never sees it. Capability "secrets". */
  secret?: string;
  /** For everything, from the first packet to the last byte; 5,000 where nothing is said. */
  timeoutMs?: number;
  /** Lets the back end see that two requests are one. */
  idempotencyKey?: string;
}
/** A request. */
export interface Request extends RequestOptions {
  url: string;
  /** `"get"` where nothing is said. */
  method?: Method;
  /** Sent as JSON. */
  json?: unknown;
  body?: string | Uint8Array;
}

/** What the back end answered. */
export class Response {
  private constructor();
  readonly status: number;
  readonly headers: readonly Field[];
  readonly body: Uint8Array;
  /** Whether the status is 2xx. */
  readonly ok: boolean;
  /** A header's value, whatever the case of its name. */
  header(name: string): string | undefined;
  /** This response; any status but 2xx is the error `"unavailable"`. */
  success(): this;
  /** This response; undefined where the status is 404, and the error `"unavailable"` for any other but 2xx. */
  found(): this | undefined;
  /** The body as text. */
  text(): string;
  /** The body as JSON. What is in it, the back end says: look before you believe it. */
  json<T = unknown>(): T;
}
/** A request on its way, while the script talks. */
export class Pending {
  private constructor();
  /** The response; undefined when the time is up, and the request goes on. */
  wait(timeoutMs: number): Response | undefined;
  /** Gives the request up. */
  cancel(): void;
}

/** GET. Capability "fetch". */
export function get(url: string, options?: RequestOptions): Response;
/** POST of a value as JSON. */
export function post(url: string, json: unknown, options?: RequestOptions): Response;
/** PUT of a value as JSON. */
export function put(url: string, json: unknown, options?: RequestOptions): Response;
/** Sends a request and waits. */
export function send(request: Request): Response;
/** Sends a request, and lets the script go on. */
export function start(request: Request): Pending;
/** Sends a request, says something meanwhile, and waits for what is left. */
export function sendWhile(call: Call, what: Sayable, request: Request): Response;
