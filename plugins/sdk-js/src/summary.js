// What a call came to.

import { fieldsOf } from "./fields.js";

/** The caller got what they called for. */
export const served = (fields) => summary({ tag: "served" }, fields);
/** The caller was handed to somebody. */
export const transferred = (fields) => summary({ tag: "transferred" }, fields);
/** The caller waits in a queue of another's. */
export const queued = (fields) => summary({ tag: "queued" }, fields);
/** The caller was promised a callback. */
export const callbackBooked = (fields) => summary({ tag: "callback-booked" }, fields);
/** The caller left, or gave no answer. */
export const abandoned = (fields) => summary({ tag: "abandoned" }, fields);
/** The script cannot serve: the host lands the caller on the agency's fallback. */
export const noService = (fields) => summary({ tag: "no-service" }, fields);
/** The call came to this, in a word of the script's own. */
export const endedWith = (word, fields) => summary({ tag: "custom", val: word }, fields);

function summary(code, fields) {
  return { code, fields: fieldsOf(fields) };
}
