// Asking the agency's back end over HTTP, with the patience of a call. Needs the capability "fetch".

import * as wit from "gudok:ivr/fetch@0.1.0";
import * as secrets from "gudok:ivr/secrets@0.1.0";
import { release } from "./call.js";
import { CallError, ask } from "./errors.js";
import { fieldsOf } from "./fields.js";
import { decode, encode } from "./utf8.js";

/** How long a back end is waited for where the script does not say: a caller takes silence for a dropped call soon. */
export const TIMEOUT_DEFAULT_MS = 5_000;

/** What the back end answered. */
export class Response {
  constructor({ status, headers, body }) {
    this.status = status;
    this.headers = headers;
    this.body = body instanceof Uint8Array ? body : new Uint8Array(body);
  }

  /** Whether the status is 2xx. */
  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** A header's value, whatever the case of its name. */
  header(name) {
    return this.headers.find((field) => field.name.toLowerCase() === name.toLowerCase())?.value;
  }

  /** This response; any status but 2xx is `unavailable`. */
  success() {
    if (!this.ok) throw new CallError("unavailable", `the back end answered with status ${this.status}`);
    return this;
  }

  /** This response; undefined where the status is 404, and `unavailable` for any other but 2xx. */
  found() {
    return this.status === 404 ? undefined : this.success();
  }

  /** The body as text. */
  text() {
    const text = decode(this.body);
    if (text === undefined) throw new CallError("unavailable", "the back end answered what is not UTF-8");
    return text;
  }

  /** The body as JSON. The error does not repeat the text: it may be personal. */
  json() {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch {
      throw new CallError("unavailable", `the back end answered what is not JSON (${text.length} characters)`);
    }
  }
}

/** A request on its way, while the script talks. */
export class Pending {
  constructor(raw) {
    this.raw = raw;
  }

  /** The response; undefined when the time is up, and the request goes on. */
  wait(timeoutMs) {
    const response = ask(() => this.raw.wait(timeoutMs)) ?? undefined;
    return response && new Response(response);
  }

  /** Gives the request up. */
  cancel() {
    release(this.raw);
  }
}

/** Sends a request and waits. */
export function send(request) {
  return withSecret(request, (auth) => new Response(ask(() => wit.send(requestOf(request), auth))));
}

/** Sends a request, and lets the script go on. */
export function start(request) {
  return withSecret(request, (auth) => new Pending(ask(() => wit.start(requestOf(request), auth))));
}

/** Sends a request, says something meanwhile, and waits for what is left. */
export function sendWhile(call, what, request) {
  const pending = start(request);
  try {
    call.say(what);
    const response = pending.wait(request.timeoutMs ?? TIMEOUT_DEFAULT_MS);
    if (response === undefined) throw new CallError("timeout");
    return response;
  } finally {
    pending.cancel();
  }
}

/** GET. */
export const get = (url, options) => send({ ...options, url });

/** POST of a value as JSON. */
export const post = (url, json, options) => send({ ...options, method: "post", url, json });

/** PUT of a value as JSON. */
export const put = (url, json, options) => send({ ...options, method: "put", url, json });

function requestOf({ url, method = "get", headers, body, json, timeoutMs = TIMEOUT_DEFAULT_MS, idempotencyKey = null }) {
  const all = json === undefined ? headers : { "content-type": "application/json", ...headers };
  return {
    method,
    url,
    headers: fieldsOf(all),
    body: json !== undefined ? encode(JSON.stringify(json)) : typeof body === "string" ? encode(body) : (body ?? new Uint8Array()),
    timeout: timeoutMs,
    idempotencyKey,
  };
}

function withSecret({ secret }, work) {
  if (secret === undefined) return work(null);
  // A component without the capability has the interface's type only, for fetch to name it.
  if (secrets.secretNamed === undefined) {
    throw new CallError("denied", `secrets: manifest.toml declares no capability "secrets" for "${secret}"`);
  }
  const handle = ask(() => secrets.secretNamed(secret));
  try {
    return work(handle);
  } finally {
    release(handle);
  }
}
