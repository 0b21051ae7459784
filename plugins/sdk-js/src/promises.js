// Promises: callbacks, tickets, surveys. Each is durable when it answers: say nothing of it before. Needs the capability
// "promises".

import * as wit from "gudok:ivr/promises@0.1.0";
import { ask } from "./errors.js";
import { fieldsOf } from "./fields.js";
import { promptOrNone } from "./prompt.js";

/**
 * Offers the caller to be called back, in the host's words: own number or another, read back, confirmed. Undefined where the
 * caller wants none. The caller has been told by when.
 */
export function offerCallback(call, queue, { topic = "", show, intro } = {}) {
  const offer = { queue, topic, fields: fieldsOf(show), intro: promptOrNone(intro) };
  return ask(() => wit.offerCallback(call.raw, offer)) ?? undefined;
}

/** Books a callback that the script has agreed with the caller by itself, and answers by when. */
export function requestCallback(queue, number, { topic = "", show, notBefore = null } = {}) {
  return ask(() => wit.requestCallback({ queue, number, topic, earliest: notBefore, fields: fieldsOf(show) }));
}

/**
 * Registers what an agency has to answer to, and answers the registration number. In one call, the same purpose is the same
 * ticket.
 */
export function submitTicket(call, purpose, ticket) {
  const { kind, agency, municipality = null, contact = null, fields, recordings = [], entry = null } = ticket;
  const wanted = { kind, toAgency: agency, municipality, contact, fields: fieldsOf(fields), recordings, directoryEntry: entry };
  return ask(() => wit.submitTicket(wanted, call.promiseKey(purpose)));
}

/** Keeps a caller's answers to a survey by question: a mark, { text } or { recording }. Later ones take their place. */
export function submitSurvey(survey, answers) {
  const all = Object.entries(answers).map(([question, answer]) => {
    const given = typeof answer === "number" ? { score: answer } : answer;
    return { question, score: given.score ?? null, text: given.text ?? null, recording: given.recording ?? null };
  });
  ask(() => wit.submitSurvey(survey, all));
}
