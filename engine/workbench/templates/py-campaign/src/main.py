"""Напоминает о записи на приём и спрашивает, придёт ли человек.

Столбцы списка: ``date`` («01.12.2026» или «2026-12-01»), ``time`` («09:30»), ``place`` (что говорят после слова «место»).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gudok import Call, CallError, Contact, Disposition, Given, NoInput, NoMatch, Plan, Prompt, TimeOfDay
from gudok import campaign, date, host, item, parse_time, prompt, time

if TYPE_CHECKING:
    from wit_world.exports import campaign as wit

#: Кто переслушал столько раз, тот запомнил.
REPEATS_MAX = 3


@campaign.prepare
def prepare(contact: Contact) -> wit.Plan:
    """Незадолго до набора номера: звонить ли. Пропущенного с причиной поправят в списке."""
    if contact.date("date") is None:
        return Plan.skip("the column date has no date")
    if time_of(contact) is None:
        return Plan.skip("the column time has no time")
    return Plan.DIAL


@campaign.run
def run(call: Call, contact: Contact) -> wit.Disposition:
    """Человек или автоответчик взял трубку."""
    reminder = reminder_of(contact)
    if call.is_on_machine:
        host.step("machine")
        call.hangup(reminder, "До свидания.")
        return Disposition.VOICEMAIL
    host.step("reminder")
    call.say(reminder)
    try:
        return talk(call, reminder)
    except CallError as error:
        # Напоминание уже услышали: положить трубку после него не ошибка.
        if not error.is_end:
            raise
        return Disposition.DELIVERED


def talk(call: Call, reminder: Prompt) -> wit.Disposition:
    for _ in range(REPEATS_MAX + 1):
        answer = call.menu(
            "Вы придёте?",
            {
                "1": item("Да", "comes"),
                "2": item("Нет, запись отменить", "does not come"),
                "3": item("Повторить", "again"),
                "9": item("Больше не звонить", "no more calls"),
            },
            global_keys={"*": "again"},
            step="confirm",
        )
        if isinstance(answer, (NoInput, NoMatch)):
            break
        if answer.value == "comes":
            return part(call, "Спасибо, ждём вас.", Disposition.confirmed("comes"))
        if answer.value == "does not come":
            return part(call, "Запись отменена.", Disposition.confirmed("does not come"))
        if answer.value == "no more calls" and is_sure(call):
            return part(call, "Мы больше не будем звонить.", Disposition.DO_NOT_CALL)
        call.say(reminder)
    return part(call, "", Disposition.DELIVERED)


def is_sure(call: Call) -> bool:
    """Девятку легко нажать нечаянно."""
    return call.ask_yes_no("Вы не хотите, чтобы мы вам звонили? Да: один. Нет: два.") == Given(True)


def part(call: Call, words: str, disposition: wit.Disposition) -> wit.Disposition:
    host.step("goodbye")
    try:
        call.hangup(words, "До свидания.")
    except CallError as error:
        # Всё сказано: кто первым положил трубку, уже неважно.
        if not error.is_end:
            raise
    return disposition


def reminder_of(contact: Contact) -> Prompt:
    day, at, place = contact.date("date"), time_of(contact), contact.field("place")
    return prompt(
        "Здравствуйте.",
        host.config_required("sender"),
        ". Напоминаем: вы записаны на приём. Дата:",
        date(day) if day else None,
        "в",
        time(at) if at else None,
        (". Место:", place) if place else None,
        ".",
    )


def time_of(contact: Contact) -> TimeOfDay | None:
    return parse_time(contact.field("time") or "")
