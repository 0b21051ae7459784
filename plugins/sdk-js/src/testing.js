// Conversations as code: what the caller does, what the script says, what must be true in the end. A file of them
// (tests/conversations.ts or .js) ends with `print(…)`; `gudok test` runs it and plays what it prints.

/** One conversation. Every method answers the same one, so that it reads in a row. */
export class Conversation {
  #settings = [];
  #steps = [];

  constructor(title) {
    this.title = title;
  }

  #set(setting, values = {}) {
    this.#settings.push({ setting, ...present(values) });
    return this;
  }

  #step(step, values = {}) {
    this.#steps.push({ step, ...present(values) });
    return this;
  }

  toJSON() {
    return { title: this.title, settings: this.#settings, steps: this.#steps };
  }

  at(time) { return this.#set("at", { time }); }
  zone(zone) { return this.#set("zone", { zone }); }
  from(number) { return this.#set("from", { number }); }
  withheld() { return this.#set("withheld"); }
  language(language) { return this.#set("language", { language }); }
  entry(entry) { return this.#set("entry", { entry }); }
  config(key, value) { return this.#set("config", { key, value }); }
  secret(name, value) { return this.#set("secret", { name, value }); }
  stored(bucket, key, value) { return this.#set("stored", { bucket, key, value: textOf(value) }); }
  contact(name, value) { return this.#set("contact", { name, value: String(value) }); }
  answeredByMachine() { return this.#set("answered-by-machine"); }
  backEnd(method, path, status, body) { return this.#set("back-end-answers", { method, path, status, body }); }
  seed(seed) { return this.#set("seed", { seed }); }

  says(words) { return this.#step("says", { words }); }
  asks(words) { return this.#step("asks", { words }); }
  presses(keys) { return this.#step("presses", { keys: String(keys) }); }
  interrupts(keys) { return this.#step("interrupts", { keys: String(keys) }); }
  silent() { return this.#step("silent"); }
  hangsUp() { return this.#step("hangs-up"); }
  speaks(seconds) { return this.#step("speaks", { seconds }); }
  backEndAnswers(method, path, status, body, { sent } = {}) {
    return this.#step("back-end-answers", { method, path, sent, status, body });
  }
  backEndFails(method, path) { return this.#step("back-end-fails", { method, path }); }
  backEndNeverAnswers(method, path) { return this.#step("back-end-never-answers", { method, path }); }
  operatorAnswers(seconds) { return this.#step("operator-answers", { seconds }); }
  operatorBusy() { return this.#step("operator-busy"); }
  operatorSilent() { return this.#step("operator-silent"); }
  operatorRejects() { return this.#step("operator-rejects"); }
  operatorUnreachable() { return this.#step("operator-unreachable"); }
  operatorMissing() { return this.#step("operator-missing"); }
  operatorsClosed() { return this.#step("operators-closed"); }
  queueAnswers(seconds) { return this.#step("queue-answers", { seconds }); }
  queueNobody() { return this.#step("queue-nobody"); }
  queueClosed() { return this.#step("queue-closed"); }
  queueFull() { return this.#step("queue-full"); }
  queueMissing() { return this.#step("queue-missing"); }
  storageUnavailable() { return this.#step("storage-unavailable"); }
  promisesUnavailable() { return this.#step("promises-unavailable"); }
  directoryUnavailable() { return this.#step("directory-unavailable"); }
  directoryKnowsNothing() { return this.#step("directory-knows-nothing"); }

  thenResult(code) { return this.#step("then-result", { code }); }
  thenField(name, value) { return this.#step("then-field", { name, value: String(value) }); }
  thenReached(name) { return this.#step("then-reached", { name }); }
  thenNotReached(name) { return this.#step("then-not-reached", { name }); }
  thenStored(bucket, key, value) { return this.#step("then-stored", { bucket, key, value: textOf(value) }); }
  thenNotStored(bucket, key) { return this.#step("then-not-stored", { bucket, key }); }
  thenTicket(kind, agency) { return this.#step("then-ticket", { kind, agency }); }
  thenNoTicket() { return this.#step("then-no-ticket"); }
  thenCallback(queue) { return this.#step("then-callback", { queue }); }
  thenNoCallback() { return this.#step("then-no-callback"); }
  thenSurvey(survey, question, score) { return this.#step("then-survey", { survey, question, score }); }
  thenConnected(name) { return this.#step("then-connected", { name }); }
  thenHeard(words) { return this.#step("then-heard", { words }); }
  thenNeverHeard(words) { return this.#step("then-never-heard", { words }); }
  thenAtMost(seconds) { return this.#step("then-at-most", { seconds }); }
  thenCpu(ms) { return this.#step("then-cpu", { ms }); }
  thenMemory(kib) { return this.#step("then-memory", { kib }); }
  thenPlan(plan) { return this.#step("then-plan", { plan }); }
}

/** A conversation under its title. */
export const conversation = (title) => new Conversation(title);

/** Every conversation of the file, as `gudok test` reads them. */
export function toJson(...conversations) {
  const titles = conversations.map(({ title }) => title);
  const twice = titles.find((title, place) => titles.indexOf(title) !== place);
  if (twice !== undefined) throw new Error(`two conversations have the title ${JSON.stringify(twice)}`);
  return JSON.stringify({ format: 1, conversations });
}

/** Prints them. */
export function print(...conversations) {
  console.log(toJson(...conversations));
}

function present(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

// Values are kept as JSON; a text stands as it is.
function textOf(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
