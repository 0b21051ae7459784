// A host that answers from a list: what it was asked is kept.

/** What the interfaces' fakes answer with; `install` sets it anew. */
export const host = {};

/** A fresh host; what a test adds to it is what it needs. */
export function install(interfaces = {}) {
  for (const name of Object.keys(host)) delete host[name];
  const told = { lines: [], steps: [], counts: [] };
  const surroundings = {
    log: (level, message, fields) => told.lines.push([level, message, Object.fromEntries(fields.map(({ name, value }) => [name, value]))]),
    step: (name) => told.steps.push(name),
    count: (event) => told.counts.push(event),
    nowMillis: () => 1_700_000_000_123,
    randomU64: () => 2 ** 63,
    config: () => null,
    data: () => null,
  };
  Object.assign(host, interfaces, { host: { ...surroundings, ...interfaces.host } });
  return told;
}

/** A call of the interface; each `collect` takes the next answer, or throws it where it is an error. */
export class FakeCall {
  said = [];
  asked = [];
  lang = "ru-RU";

  constructor(...answers) {
    this.answers = answers;
  }

  info() {
    return { id: "call-1", lang: this.lang, answeredBy: "unknown", entry: "main", agency: "one", headers: [] };
  }

  say(what) {
    this.said.push(what);
    return { finished: true, interruptedBy: null, at: 1_000 };
  }

  collect(options) {
    this.asked.push(options);
    const answer = this.answers.shift();
    if (["ok", "global", "no-input", "no-match"].includes(answer.tag)) return answer;
    throw answer;
  }

  hangup(goodbye) {
    this.goodbye = goodbye;
  }

  setLanguage(lang) {
    this.lang = lang;
  }
}

export const collected = (value) => ({ tag: "ok", val: { value, raw: "", mode: "by-keys", confidence: 100, attempt: 1 } });
export const text = (val) => collected({ tag: "text", val });
export const flag = (val) => collected({ tag: "flag", val });
