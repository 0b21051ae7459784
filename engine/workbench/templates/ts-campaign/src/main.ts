// Напоминает о записи на приём и спрашивает, придёт ли человек.
//
// Столбцы списка: `date` («01.12.2026» или «2026-12-01»), `time` («09:30»), `place` (что говорят после слова «место»).

import { type Call, type Contact, type Disposition, type Plan, type Prompt, type TimeOfDay } from "gudok";
import { CallError, campaign, date, disposition, host, item, parseTime, plan, prompt, time } from "gudok";

/** Кто переслушал столько раз, тот запомнил. */
const REPEATS_MAX = 3;

export default campaign({ prepare, run });

/** Незадолго до набора номера: звонить ли. Пропущенного с причиной поправят в списке. */
function prepare(contact: Contact): Plan {
  if (contact.date("date") === undefined) return plan.skip("the column date has no date");
  if (timeOf(contact) === undefined) return plan.skip("the column time has no time");
  return plan.dial;
}

/** Человек или автоответчик взял трубку. */
function run(call: Call, contact: Contact): Disposition {
  const reminder = reminderOf(contact);
  if (call.isOnMachine) {
    host.step("machine");
    call.hangup([reminder, "До свидания."]);
    return disposition.voicemail;
  }
  host.step("reminder");
  call.say(reminder);
  // Напоминание уже услышали: положить трубку после него не ошибка.
  return unlessHungUp(() => talk(call, reminder), disposition.delivered);
}

function talk(call: Call, reminder: Prompt): Disposition {
  for (let repeat = 0; repeat <= REPEATS_MAX; repeat += 1) {
    const answer = call.menu(
      "Вы придёте?",
      {
        1: item("Да", "comes"),
        2: item("Нет, запись отменить", "does not come"),
        3: item("Повторить", "again"),
        9: item("Больше не звонить", "no more calls"),
      },
      { global: { "*": "again" }, step: "confirm" },
    );
    if (answer.kind === "no-input" || answer.kind === "no-match") break;
    if (answer.value === "comes") return part(call, "Спасибо, ждём вас.", disposition.confirmed("comes"));
    if (answer.value === "does not come") return part(call, "Запись отменена.", disposition.confirmed("does not come"));
    if (answer.value === "no more calls" && isSure(call)) {
      return part(call, "Мы больше не будем звонить.", disposition.doNotCall);
    }
    call.say(reminder);
  }
  return part(call, "", disposition.delivered);
}

/** Девятку легко нажать нечаянно. */
function isSure(call: Call): boolean {
  const answer = call.askYesNo("Вы не хотите, чтобы мы вам звонили? Да: один. Нет: два.");
  return answer.kind === "given" && answer.value;
}

function part(call: Call, words: string, result: Disposition): Disposition {
  host.step("goodbye");
  // Всё сказано: кто первым положил трубку, уже неважно.
  return unlessHungUp(() => {
    call.hangup([words, "До свидания."]);
    return result;
  }, result);
}

function reminderOf(contact: Contact): Prompt {
  const day = contact.date("date");
  const at = timeOf(contact);
  const place = contact.field("place");
  return prompt`Здравствуйте. ${host.configRequired("sender")}. Напоминаем: вы записаны на приём. Дата: ${day && date(day)}
    в ${at && time(at)}${place && `. Место: ${place}`}.`;
}

function timeOf(contact: Contact): TimeOfDay | undefined {
  return parseTime(contact.field("time") ?? "");
}

function unlessHungUp(work: () => Disposition, otherwise: Disposition): Disposition {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof CallError && thrown.isEnd) return otherwise;
    throw thrown;
  }
}
