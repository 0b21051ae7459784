// Справочная: часы работы и адрес; на ноль, и всякий раз, когда что-то не вышло, отвечает оператор.

import { given, host, item, orOperator, parseTime, prompt, served, service, time, weekday } from "gudok";

/** Сколько вопросов за один звонок: у всякого круга есть конец. */
const QUESTIONS_MAX = 10;

/**
 * Что лежит в data/office.json.
 * @typedef {object} Office
 * @property {string} address
 * @property {([from: string, to: string] | null)[]} hours с понедельника по воскресенье; null значит выходной
 */

/** Отсюда начинается звонок. Всё, что `talk` не смог сам, делает оператор. */
export default service((call) => orOperator(call, "operators", talk));

/** @param {import("gudok").Call} call */
function talk(call) {
  /** @type {Office} */
  const office = host.dataJson("office.json");
  call.say("Здравствуйте. Это справочная.");
  for (let question = 0; question < QUESTIONS_MAX; question += 1) {
    const wish = given(
      call.menu(
        "Что вы хотите узнать? Поговорить с оператором: ноль.",
        { 1: item("Часы работы", "hours"), 2: item("Адрес", "address") },
        { global: { 0: "operator" }, step: "menu" },
      ),
    );
    host.step("answer");
    call.say(wish === "hours" ? hoursToday(office) : prompt`Адрес: ${office.address}.`);
    if (!wantsMore(call)) break;
  }
  call.hangup("Спасибо за звонок. До свидания.");
  return served();
}

/**
 * Кто молчит или нажал не то, всё уже услышал: с ним прощаются.
 * @param {import("gudok").Call} call
 */
function wantsMore(call) {
  const answer = call.menu(
    "Поговорить с оператором: ноль.",
    { 1: item("Узнать что-то ещё", true) },
    { global: { 0: "operator" }, attempts: 1, step: "more" },
  );
  return answer.kind === "no-input" || answer.kind === "no-match" ? false : given(answer);
}

/**
 * Время говорят числами: «с девяти часов до восемнадцати часов» выговорит сам гудок.
 * @param {Office} office
 */
function hoursToday(office) {
  const today = office.hours[weekday(host.now().date)];
  const from = today && parseTime(today[0]);
  const to = today && parseTime(today[1]);
  return from && to ? prompt`Сегодня мы работаем с ${time(from)} до ${time(to)}.` : "Сегодня выходной.";
}
