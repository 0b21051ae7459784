// The SDK against a host that answers from a list.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, describe, test } from "node:test";
import {
  Bucket, Call, CallError, Contact, Failure, campaign, choose, chosen, counted, daysBetween, given, host, http, inMinutes, item,
  key, kopecks, minutesOf, nextDay, noun, offerCallback, orGoodbye, orOperator, parseDate, parseRubles, parseTime, plan, prompt,
  registrationNumber, retry, service, submitTicket, transfer, waitInQueue, weekday,
} from "../src/index.js";
import { Conversation, conversation, toJson } from "../src/testing.js";
import * as testing from "../src/testing.js";
import * as sdk from "../src/index.js";
import { decode, encode } from "../src/utf8.js";
import { FakeCall, collected, flag, install, text } from "./fake.js";

const REQUEST = noun("заявка", "заявки", "заявок", "заявки", "feminine");
let told;
beforeEach(() => {
  told = install();
});

const tags = (prompt) => prompt.toWit().segments.map((segment) => segment.tag);

describe("prompts", () => {
  test("pieces stay pieces, and lines of a template are one sentence", () => {
    const said = prompt`Перед вами
      ${counted(21, REQUEST)}, ${null} номер ${5}.`;
    assert.deepEqual(tags(said), ["text", "counted", "text", "text", "number", "text"]);
    assert.equal(said.segments[0].val, "Перед вами");
    assert.deepEqual(said.segments[1].val, { value: 21, noun: REQUEST, gramCase: "nominative" });
  });

  test("text within text is one text", () => {
    assert.deepEqual(prompt`Адрес: ${"улица Мира"}.`.segments, [{ tag: "text", val: "Адрес: улица Мира." }]);
    assert.deepEqual(prompt`${""}`.segments, []);
  });

  test("what is private stays private", () => {
    assert.equal(prompt`Вас зовут ${prompt`Анна`.private()}`.toWit().cacheable, false);
    assert.deepEqual(prompt`x`.uninterrupted().toWit().bargeIn, { dtmf: false, speech: false });
  });

  test("what cannot be said is a mistake that says what can", () => {
    for (const wrong of [1.5, {}, { a: 1 }, true, Symbol.iterator]) {
      assert.throws(() => prompt`${wrong}`, TypeError);
    }
    assert.throws(() => prompt`${{ place: 1 }}`, /not an object with place/);
  });

  test("a registration number is read digit by digit", () => {
    const said = registrationNumber("К-2026-000123");
    assert.deepEqual(said.segments.map(({ tag, val }) => [tag, val.digits ?? val]), [["spell", "К"], ["digits", "2026"], ["digits", "000123"]]);
    assert.equal(said.toWit().cacheable, false);
  });
});

describe("questions", () => {
  const menu = (outcome) => new Call(new FakeCall(outcome)).menu("?", { 1: "a", 12: item("Б", "b") }, { global: { 0: "z" } });

  test("a menu answers with its own values", () => {
    assert.deepEqual(menu(text("0")), { kind: "given", value: "a" });
    assert.deepEqual(menu(text("1")), { kind: "given", value: "b" });
    assert.deepEqual(menu({ tag: "global", val: "0" }), { kind: "global", value: "z" });
    assert.deepEqual(menu({ tag: "no-input" }), { kind: "no-input" });
    assert.deepEqual(menu({ tag: "no-match", val: "7" }), { kind: "no-match" });
  });

  test("a value nobody offered is no match", () => {
    for (const outcome of [text("2"), text("x"), text("-1"), flag(true), { tag: "global", val: "1" }]) {
      assert.deepEqual(menu(outcome), { kind: "no-match" });
    }
  });

  test("an item says its key", () => {
    const raw = new FakeCall({ tag: "no-input" });
    new Call(raw).menu("Что?", { 1: item("Адрес", 1), 2: 2 }, { global: { "*": item("Оператор", 0) } });
    assert.deepEqual(raw.asked[0].prompt, prompt``.with("Что?", "Адрес", ":", key("1"), ".", "Оператор", ":", key("*"), ".").toWit());
    assert.deepEqual(raw.asked[0].globalKeys, [{ key: "*", value: "0", phrases: [] }]);
  });

  test("a row of fixed length needs no terminator", () => {
    const raw = new FakeCall(text("1"), text("1"));
    new Call(raw).askDigits("?", { length: 6 });
    new Call(raw).askDigits("?", { min: 4, max: 6 });
    assert.deepEqual(raw.asked.map(({ grammar }) => grammar.val.terminators), ["", "#"]);
    assert.throws(() => new Call(raw).askDigits("?", {}), /length/);
  });

  test("what was read back and refused is asked again", () => {
    const raw = new FakeCall(text("12"), flag(false), text("34"), flag(true));
    const answer = new Call(raw).askDigits("?", { length: 2, readBack: (row) => key(row), sensitive: true });
    assert.deepEqual(answer, { kind: "given", value: "34" });
    assert.ok(raw.asked.every(({ sensitive }) => sensitive), "so is its confirmation");
  });

  test("a form stops at the first that is no answer, and is confirmed as a whole", () => {
    const day = { year: 2026, month: 5, day: 5 };
    const fields = { number: (call) => call.askDigits("?", { length: 2 }), day: (call) => call.askDate("?") };
    const filled = [text("12"), collected({ tag: "date", val: day })];
    assert.deepEqual(new Call(new FakeCall(...filled)).form(fields), { kind: "given", value: { number: "12", day } });
    assert.deepEqual(new Call(new FakeCall({ tag: "no-input" })).form(fields), { kind: "no-input" });
    const raw = new FakeCall(...filled, flag(false), ...filled, flag(true));
    assert.equal(new Call(raw).form(fields, { readBack: ({ number }) => key(number) }).kind, "given");
    assert.equal(raw.asked.length, 6);
  });

  test("what is given or why not", () => {
    assert.equal(given({ kind: "given", value: 3 }), 3);
    assert.equal(chosen({ kind: "global", value: "z" }), "z");
    for (const [kind, why] of [["global", "operator"], ["no-input", "no-answer"], ["no-match", "no-answer"]]) {
      assert.throws(() => given({ kind }), (thrown) => thrown instanceof Failure && thrown.kind === why);
    }
  });

  test("a step is named before the question", () => {
    new Call(new FakeCall(flag(true))).askYesNo("?", { step: "sure" });
    assert.deepEqual(told.steps, ["sure"]);
  });
});

describe("the ends of a script", () => {
  const run = (script, ...answers) => {
    try {
      return service(script).run(new FakeCall(...answers));
    } catch (thrown) {
      return thrown;
    }
  };

  test("who returns nothing has served", () => {
    assert.deepEqual(run(() => {}), { code: { tag: "served" }, fields: [] });
  });

  test("the end of a call goes back to the host and into no log", () => {
    const ended = { tag: "ended", val: "caller-hangup" };
    assert.deepEqual(run((call) => call.askYesNo("?"), ended), ended);
    assert.deepEqual(told.lines, []);
  });

  test("a mistake is logged with its place and lands the caller", () => {
    const thrown = run((call) => call.sey("x"));
    assert.equal(thrown.tag, "internal");
    assert.match(thrown.val, /^TypeError: call\.sey is not a function/);
    const [[level, message, { stack }]] = told.lines;
    assert.deepEqual([level, message], ["error", "uncaught TypeError: call.sey is not a function"]);
    assert.match(stack, /^line \d+/);
  });

  test("an error's place is told as the author knows it", () => {
    globalThis.gudokLines = { sources: ["src/main.ts", null], places: [[], [0, 12], [1, 3]] };
    const error = new TypeError("x");
    error.stack = "TypeError: x\n    at greet (/script.js:2:7)\n    at guarded (/script.js:3:1)\n    at <anonymous> (/script.js:2:9)\n";
    run(() => {
      throw error;
    });
    delete globalThis.gudokLines;
    assert.equal(told.lines[0][2].stack, "src/main.ts:12 in greet\nsrc/main.ts:12");
  });

  test("every error finds its way back", () => {
    for (const tag of ["denied", "quota", "invalid", "not-found", "busy-resource", "unavailable", "internal"]) {
      assert.deepEqual(run((call) => call.askYesNo("?"), { tag, val: "x" }), { tag, val: "x" });
    }
    assert.deepEqual(run((call) => call.askYesNo("?"), { tag: "timeout" }), { tag: "timeout" });
  });

  test("a failure that nobody looked after is left to the fallback", () => {
    const summary = run((call) => { given(call.askYesNo("?")); }, { tag: "no-input" });
    assert.deepEqual(summary, { code: { tag: "no-service" }, fields: [{ name: "why", value: "no-answer" }] });
  });

  test("an async script is told that it need not be", () => {
    assert.match(run(async () => {}).val, /not async/);
  });

  test("retries end", () => {
    const raw = new FakeCall();
    assert.throws(() => retry(new Call(raw), 3, "Не совпадает.", () => undefined), (thrown) => thrown.kind === "not-accepted");
    assert.equal(raw.said.length, 3);
    assert.equal(retry(new Call(raw), 3, "x", (number) => (number === 2 ? number : null)), 2);
  });

  test("a campaign has both functions and answers what there is", () => {
    assert.throws(() => campaign({ run: () => {} }), /prepare/);
    const script = campaign({ prepare: (contact) => (contact.field("place") ? plan.dial : plan.skip("no place")), run: () => {} });
    const contact = { id: "1", number: "+79990000001", attempt: 1, attributes: [] };
    assert.deepEqual(script.prepare(contact), { tag: "skip", val: "no place" });
    assert.throws(() => script.run(new FakeCall(), contact), ({ val }) => /disposition\.delivered/.test(val));
  });
});

describe("people", () => {
  const queueThat = (...events) => {
    const asked = [];
    const ticket = { nextEvent: () => events.shift() ?? null, [Symbol.dispose]() { asked.push("left"); } };
    told = install({ queues: { enqueue: (call, options) => { asked.push(options); return ticket; } } });
    return asked;
  };

  test("a talk that came back names its operator, and the place is given back", () => {
    const asked = queueThat({ tag: "position", val: 1 }, null, { tag: "answered", val: "anna" }, { tag: "returned", val: 2_000 });
    const outcome = waitInQueue(new Call(new FakeCall()), "operators", { andBack: true, skills: { en: 2 }, show: { topic: "x", no: undefined } });
    assert.deepEqual(outcome, { kind: "returned", operator: "anna", talkedMs: 2_000 });
    assert.deepEqual([asked[0].returnOnEnd, asked[0].skills, asked[0].screenPop], [true, [{ name: "en", level: 2 }], [{ name: "topic", value: "x" }]]);
    assert.equal(asked[1], "left");
  });

  test("an opening time is a time or not known", () => {
    for (const [val, opens] of [["06:00", { hour: 6, minute: 0 }], ["soon", undefined], [null, undefined]]) {
      queueThat({ tag: "closed", val });
      assert.deepEqual(waitInQueue(new Call(new FakeCall()), "operators"), { kind: "closed", opens });
    }
  });

  test("a talk that fails leads to an operator, with an apology where something of ours failed", () => {
    queueThat({ tag: "full" });
    const raw = new FakeCall();
    const summary = orOperator(new Call(raw), "operators", () => { throw new CallError("unavailable", "500"); });
    assert.deepEqual(summary.code, { tag: "custom", val: "no-operator" });
    assert.match(raw.said[0].segments[0].val, /Извините/);
    assert.deepEqual(told.steps, ["operator"]);
    queueThat({ tag: "callback", val: "7" });
    const caller = new FakeCall();
    assert.equal(orOperator(new Call(caller), "operators", () => given({ kind: "no-input" })).code.tag, "callback-booked");
    assert.equal(caller.said.length, 0);
  });

  test("the end of a call and a mistake are nobody's failure", () => {
    const call = new Call(new FakeCall());
    for (const thrown of [new CallError("ended", "caller-hangup"), new TypeError("x")]) {
      assert.throws(() => orOperator(call, "operators", () => { throw thrown; }), (caught) => caught === thrown);
      assert.throws(() => orGoodbye(call, "x", () => { throw thrown; }), (caught) => caught === thrown);
    }
  });

  test("a transfer says what became of it", () => {
    install({ transfer: { transfer: (call, to) => (to.val === "busy" ? { tag: "busy" } : { tag: "bridged-then-returned", val: 5 }) } });
    const call = new Call(new FakeCall());
    assert.deepEqual(transfer(call, { group: "busy" }), { kind: "busy" });
    assert.deepEqual(transfer(call, { number: "+7" }), { kind: "returned", talkedMs: 5 });
    assert.throws(() => transfer(call, { gruop: "x" }), /group/);
  });

  test("promises carry what was said", () => {
    const asked = [];
    install({ promises: { offerCallback: (_, offer) => (asked.push(offer), null), submitTicket: (ticket, of) => (asked.push(ticket, of), "К-1") } });
    const call = new Call(new FakeCall());
    assert.equal(offerCallback(call, "operators", { topic: "паспорт" }), undefined);
    assert.equal(submitTicket(call, "complaint", { kind: "complaint", agency: "utilities", fields: { address: 4217 } }), "К-1");
    assert.deepEqual(asked[1].fields, [{ name: "address", value: "4217" }]);
    assert.equal(asked[2], "call-1-complaint");
  });
});

describe("back ends and storage", () => {
  const answering = (status, body) => install({ fetch: { send: () => ({ status, headers: [], body: encode(body) }) } });

  test("only 2xx is success", () => {
    for (const [status, ok] of [[199, false], [200, true], [299, true], [302, false], [404, false], [500, false]]) {
      answering(status, "{}");
      assert.equal(http.get("https://x").ok, ok);
    }
    assert.equal(http.get("https://x").ok, false);
    answering(404, "");
    assert.equal(http.get("https://x").found(), undefined);
  });

  test("rubbish is a fault of the back end and is not repeated", () => {
    for (const body of ["", "<html>Иванов", '{"place":']) {
      answering(200, body);
      assert.throws(() => http.get("https://x").json(), (thrown) => thrown.kind === "unavailable" && !thrown.message.includes("Иванов"));
    }
  });

  test("a request carries JSON and a secret that is given back", () => {
    let given = 0;
    const asked = [];
    install({
      secrets: { secretNamed: (name) => ({ name, [Symbol.dispose]: () => { given += 1; } }) },
      fetch: { send: (request, auth) => (asked.push([request, auth.name]), { status: 204, headers: [], body: [] }) },
    });
    http.post("https://x", { a: "я" }, { secret: "token", headers: { "x-a": "1" } });
    const [[request, secret]] = asked;
    assert.deepEqual([secret, given, decode(request.body), request.timeout], ["token", 1, '{"a":"я"}', 5_000]);
    assert.deepEqual(request.headers, [{ name: "content-type", value: "application/json" }, { name: "x-a", value: "1" }]);
  });

  test("an update that was overtaken is done again", () => {
    let tries = 0;
    const raw = {
      get: () => ({ value: encode("5"), version: 3 }),
      compareAndSet: (key, expected, value) => {
        tries += 1;
        assert.deepEqual([expected, decode(value)], [3, "6"]);
        if (tries === 1) throw { tag: "conflict", val: 4 };
        if (tries === 3) throw { tag: "failed", val: { tag: "quota", val: "storage_kib" } };
        return 5;
      },
    };
    install({ storage: { open: () => raw } });
    const bucket = Bucket.open("b");
    assert.equal(bucket.update("key", (value) => value + 1), 6);
    assert.throws(() => bucket.update("key", (value) => value + 1), (thrown) => thrown.kind === "quota" && thrown.detail === "storage_kib");
  });

  test("a step that a script can do without is done without", () => {
    assert.equal(host.unlessEnded("queue", () => { throw new CallError("unavailable", "500"); }), undefined);
    assert.deepEqual(told.lines[0].slice(0, 2), ["warn", "queue: unavailable: 500"]);
    assert.throws(() => host.unlessEnded("queue", () => { throw new CallError("ended"); }));
  });

  test("chance is below one", () => {
    const drawn = [2 ** 64, 2 ** 63];
    install({ host: { randomU64: () => drawn.shift() } });
    assert.equal(host.random(), 0.5);
  });
});

describe("values", () => {
  test("dates are days of the calendar", () => {
    for (const good of ["2026-05-05", "2024-02-29", "2000-02-29", "2026-12-31"]) assert.ok(parseDate(good), good);
    for (const bad of ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-4-01", "05.05.2026", ""]) {
      assert.equal(parseDate(bad), undefined, bad);
    }
  });

  test("weekdays begin with Monday, days are counted through the calendar", () => {
    for (const [day, expected] of [["2026-11-23", 0], ["2000-01-01", 5], ["2024-02-29", 3], ["2026-03-01", 6]]) {
      assert.equal(weekday(parseDate(day)), expected, day);
    }
    const first = { year: 2023, month: 12, day: 31 };
    let date = first;
    for (let days = 1; days <= 800; days += 1) {
      date = nextDay(date);
      assert.equal(daysBetween(first, date), days);
    }
  });

  test("later may be another day", () => {
    const evening = { date: { year: 2026, month: 12, day: 31 }, time: { hour: 22, minute: 30 }, utcOffsetMinutes: 420 };
    const later = inMinutes(evening, 120);
    assert.deepEqual([later.date, minutesOf(later.time)], [{ year: 2027, month: 1, day: 1 }, 30]);
  });

  test("a contact's columns are read as lists write them", () => {
    const attributes = Object.entries({ name: " Анна ", none: " ", debt: "1 234,56", due: "01.12.2026" }).map(([name, value]) => ({ name, value }));
    const contact = new Contact({ id: "1", number: "+79130000000", attempt: 1, attributes });
    assert.deepEqual([contact.field("name"), contact.field("none"), contact.field("gone")], ["Анна", undefined, undefined]);
    assert.deepEqual([contact.money("debt"), contact.date("due")], [kopecks(123_456), { year: 2026, month: 12, day: 1 }]);
    for (const wrong of ["1234.567", "-5", "+5", "1,234.56", ",5", "пять"]) assert.equal(parseRubles(wrong), undefined, wrong);
    assert.equal(parseTime("8:30"), undefined);
  });

  test("the closest language wins", () => {
    const texts = { "ru-RU": 1, "en-GB": 2, "en-US": 3 };
    for (const [tag, expected] of [["ru-RU", 1], ["ru", 1], ["en-US", 3], ["en-AU", 2], ["EN-gb", 2], ["", 1], ["de", 1]]) {
      assert.equal(choose(tag, texts), expected, tag);
    }
    assert.equal(choose("ru", {}), undefined);
  });

  test("text is UTF-8 and what is none is told", () => {
    for (const sample of ["", "a", "Здравствуйте", "€", "😀 ok"]) {
      assert.deepEqual([...encode(sample)], [...new TextEncoder().encode(sample)]);
      assert.equal(decode(encode(sample)), sample);
    }
    for (const bad of [[0x80], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80]]) {
      assert.equal(decode(Uint8Array.from(bad)), undefined);
    }
  });
});

describe("conversations", () => {
  test("they print what `gudok test` reads", () => {
    const one = conversation("Один").at("2026-05-05 12:00").stored("b", "k", { a: 1 }).says("…").presses(1);
    one.backEndAnswers("GET", "/x", 200, { free: [] }, { sent: { a: 1 } }).operatorAnswers().thenField("n", 5);
    assert.deepEqual(JSON.parse(toJson(one)), {
      format: 1,
      conversations: [{
        title: "Один",
        settings: [{ setting: "at", time: "2026-05-05 12:00" }, { setting: "stored", bucket: "b", key: "k", value: '{"a":1}' }],
        steps: [
          { step: "says", words: "…" },
          { step: "presses", keys: "1" },
          { step: "back-end-answers", method: "GET", path: "/x", sent: { a: 1 }, status: 200, body: { free: [] } },
          { step: "operator-answers" },
          { step: "then-field", name: "n", value: "5" },
        ],
      }],
    });
    assert.throws(() => toJson(conversation("Один"), conversation("Один")), /two conversations/);
  });

  test("the types know every method, and Python has the same", () => {
    const declared = readFileSync(new URL("../src/testing.d.ts", import.meta.url), "utf8");
    const python = readFileSync(new URL("../../sdk-py/gudok/testing.py", import.meta.url), "utf8");
    const methods = Object.getOwnPropertyNames(Conversation.prototype).filter((name) => !["constructor", "toJSON"].includes(name));
    assert.ok(methods.length > 50);
    for (const name of methods) {
      assert.ok(declared.includes(`\n  ${name}(`), name);
      const snake = name === "from" ? "caller" : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      assert.ok(python.includes(`def ${snake}(self`), snake);
    }
  });
});

describe("types", () => {
  const declared = (file) => {
    const text = readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8");
    return [...text.matchAll(/^export (?:function|class|const|\* as) (\w+)/gm)].map(([, name]) => name);
  };

  test("they declare what is there and nothing else", () => {
    for (const [file, module] of [["index.d.ts", sdk], ["host.d.ts", host], ["http.d.ts", http], ["directory.d.ts", sdk.directory], ["testing.d.ts", testing]]) {
      assert.deepEqual([...new Set(declared(file))].sort(), Object.keys(module).sort(), file);
    }
  });
});
