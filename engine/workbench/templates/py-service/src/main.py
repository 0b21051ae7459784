"""Справочная: часы работы и адрес; на ноль, и всякий раз, когда что-то не вышло, отвечает оператор."""

from __future__ import annotations

from typing import Any

from gudok import Call, NoInput, NoMatch, Prompt, Summary, given, host, item, or_operator
from gudok import parse_time, prompt, served, service, time, weekday

#: Сколько вопросов за один звонок: у всякого круга есть конец.
QUESTIONS_MAX = 10


@service
def run(call: Call) -> Summary | None:
    """Отсюда начинается звонок. Всё, что ``talk`` не смогла сама, делает оператор."""
    return or_operator(call, "operators", talk)


def talk(call: Call) -> Summary:
    office = host.data_json("office.json")
    call.say("Здравствуйте. Это справочная.")
    for _ in range(QUESTIONS_MAX):
        wish = given(
            call.menu(
                "Что вы хотите узнать? Поговорить с оператором: ноль.",
                {"1": item("Часы работы", "hours"), "2": item("Адрес", "address")},
                global_keys={"0": "operator"},
                step="menu",
            )
        )
        host.step("answer")
        call.say(hours_today(office) if wish == "hours" else prompt("Адрес:", office["address"], "."))
        if not wants_more(call):
            break
    call.hangup("Спасибо за звонок. До свидания.")
    return served()


def wants_more(call: Call) -> bool:
    """Кто молчит или нажал не то, всё уже услышал: с ним прощаются."""
    answer = call.menu(
        "Поговорить с оператором: ноль.",
        {"1": item("Узнать что-то ещё", True)},
        global_keys={"0": "operator"},
        attempts=1,
        step="more",
    )
    return False if isinstance(answer, (NoInput, NoMatch)) else given(answer)


def hours_today(office: dict[str, Any]) -> Prompt:
    """Время говорят числами: «с девяти часов до восемнадцати часов» выговорит сам гудок."""
    #: с понедельника по воскресенье; null значит выходной
    today = office["hours"][weekday(host.now().date)]
    start, end = (parse_time(today[0]), parse_time(today[1])) if today else (None, None)
    if start and end:
        return prompt("Сегодня мы работаем с", time(start), "до", time(end), ".")
    return prompt("Сегодня выходной.")
