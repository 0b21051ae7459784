// Address and working hours of an office, by town, and how many people wait there now.

import { type Call, type Summary, type Sayable } from "gudok";
import { counted, given, host, http, item, noun, orOperator, parseTime, prompt, served, service, time, weekday } from "gudok";

const PERSON = noun("человек", "человека", "человек", "человека", "masculine");
const TIMEOUT_MS = 3_000;
const OPERATOR = { global: { 0: "operator" } };

interface Office {
  id: string;
  key: string;
  town: string;
  address: string;
  /** From Monday; null is a day off. */
  hours: ([from: string, to: string] | null)[];
}

export default service((call) => orOperator(call, "operators", talk, { topic: "hours" }));

function talk(call: Call): Summary {
  call.say("Здравствуйте. Это справочная о часах работы.");
  let office = chooseOffice(call);
  for (;;) {
    tell(call, office);
    const more = call.menu(
      "Для оператора нажмите ноль.",
      { 1: item("Повторить", "again"), 2: item("Другой город", "other") },
      { ...OPERATOR, attempts: 1, step: "more" },
    );
    if (more.kind === "no-input" || more.kind === "no-match") {
      call.hangup("До свидания.");
      return served({ office: office.id });
    }
    if (given(more) === "other") office = chooseOffice(call);
  }
}

function chooseOffice(call: Call): Office {
  const offices = host.dataJson<Office[]>("offices.json");
  const towns = Object.fromEntries(offices.map((office) => [office.key, item(office.town, office)]));
  return given(call.menu("Выберите город. Для оператора нажмите ноль.", towns, { ...OPERATOR, noMatch: "Такого города нет.", step: "town" }));
}

function tell(call: Call, office: Office): void {
  host.step("office");
  call.say(prompt`${office.town}. Адрес: ${office.address}. ${hoursToday(office)} ${waiting(office)}`);
}

function hoursToday(office: Office): Sayable {
  const today = office.hours[weekday(host.now().date)];
  const from = today && parseTime(today[0]);
  const to = today && parseTime(today[1]);
  return from && to ? prompt`Часы работы сегодня: ${time(from)} — ${time(to)}.` : "Сегодня выходной.";
}

/** How many people wait there now; nothing where the back end does not say. */
function waiting(office: Office): Sayable {
  const url = `${host.configRequired("back_end")}/offices/${office.id}/queue`;
  const answer = host.unlessEnded("people waiting", () =>
    http.get(url, { timeoutMs: TIMEOUT_MS }).success().json<{ waiting?: unknown }>());
  return typeof answer?.waiting === "number" ? prompt`Сейчас в очереди ${counted(answer.waiting, PERSON)}.` : undefined;
}
