// From what became of a question to its value, or to why there is none.

/**
 * Why a script cannot go on by itself: the caller wants a person ("operator"), gave no answer ("no-answer"), or what was
 * entered is not what it should be ("not-accepted"). Who lets it go leaves the caller to the agency's fallback.
 */
export class Failure extends Error {
  constructor(kind) {
    super(`the script cannot go on: ${kind}`);
    this.name = "Failure";
    this.kind = kind;
  }
}

/** What was entered or chosen; a failure where nothing was, or where a key for a person was pressed. */
export function given(answer) {
  if (answer.kind === "given") return answer.value;
  throw new Failure(answer.kind === "global" ? "operator" : "no-answer");
}

/** What was chosen, by whichever key of a menu. */
export function chosen(answer) {
  if (answer.kind === "given" || answer.kind === "global") return answer.value;
  throw new Failure("no-answer");
}
