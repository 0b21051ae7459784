// What keeps a script from going on, and how its caller is looked after all the same.

import { Failure } from "./answers.js";
import { callError } from "./errors.js";
import { callbackBooked, endedWith, noService, transferred } from "./summary.js";
import { count, info, step, unlessEnded, warn } from "./host.js";
import { prompt, time } from "./prompt.js";
import { waitInQueue } from "./queue.js";

/**
 * Does a talk; where it fails, apologises where something of ours failed, and lets the caller wait for an operator of that
 * queue. The end of the call goes on.
 */
export function orOperator(call, queue, talk, { topic, sorry, goodbye } = {}) {
  let kind;
  try {
    return talk(call);
  } catch (thrown) {
    kind = kindOf(thrown);
  }
  step("operator");
  if (kind === "unavailable") call.say(sorry ?? call.words(SORRY));
  const outcome = unlessEnded("the queue of the operators", () => waitInQueue(call, queue, { show: { topic, why: kind } }));
  const bye = goodbye ?? call.words(GOODBYE);
  switch (outcome?.kind) {
    case "returned":
    case "peer":
      return transferred();
    case "callback":
      return callbackBooked();
    case "closed":
      call.hangup([call.words(CLOSED), outcome.opens && prompt`${call.words(THEY_START)} ${time(outcome.opens)}.`, bye]);
      return endedWith("no-operator", { why: kind });
    case "full":
    case "timed-out":
      call.hangup([call.words(BUSY), bye]);
      return endedWith("no-operator", { why: kind });
    default:
      // Without the queue there is the agency's fallback.
      return noService({ why: kind });
  }
}

/** Does a talk; where it fails, says these words and hangs up: for a script that has nobody to lead callers to. */
export function orGoodbye(call, words, talk) {
  try {
    return talk(call);
  } catch (thrown) {
    const why = kindOf(thrown);
    call.hangup(words);
    return endedWith("no-operator", { why });
  }
}

/**
 * Tries a step so often, until it answers something; says these words after each time that it did not. Then it is not
 * accepted.
 */
export function retry(call, attempts, words, attempt) {
  for (let number = 1; number <= attempts; number += 1) {
    const answer = attempt(number);
    if (answer !== undefined && answer !== null) return answer;
    call.say(words);
  }
  throw new Failure("not-accepted");
}

// Why a talk failed; thrown again where it is the call's end, or a mistake of the script's. For the author: a caller who wants
// a person is usual, a back end that fails is not.
function kindOf(thrown) {
  const error = callError(thrown);
  if (error?.isEnd || (error === undefined && !(thrown instanceof Failure))) throw thrown;
  const kind = error === undefined ? thrown.kind : "unavailable";
  count(kind);
  (kind === "unavailable" ? warn : info)(`landed: ${(error ?? thrown).message}`);
  return kind;
}

const SORRY = {
  ru: "Извините, сведения сейчас получить не удалось.",
  en: "I am sorry, the information is not available now.",
};
const CLOSED = { ru: "Операторы сейчас не работают.", en: "The operators are not at work now." };
const THEY_START = { ru: "Они начинают работу в", en: "They start at" };
const BUSY = { ru: "Сейчас все операторы заняты.", en: "All operators are busy now." };
const GOODBYE = { ru: "Позвоните, пожалуйста, позже. До свидания.", en: "Please call again later. Goodbye." };
