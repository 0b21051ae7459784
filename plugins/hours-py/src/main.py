"""Address and working hours of an office, by town, and how many people wait there now."""

from __future__ import annotations

from dataclasses import dataclass

from gudok import Call, Gender, Prompt, Summary, counted, given, host, http, item, noun, or_operator
from gudok import NoInput, NoMatch, parse_time, prompt, served, service, time, weekday

PERSON = noun("человек", "человека", "человек", "человека", Gender.MASCULINE)
TIMEOUT_MS = 3_000
OPERATOR = {"0": "operator"}


@dataclass
class Office:
    id: str
    key: str
    town: str
    address: str
    #: from Monday; None is a day off
    hours: list[tuple[str, str] | None]


@service
def run(call: Call) -> Summary | None:
    return or_operator(call, "operators", talk, topic="hours")


def talk(call: Call) -> Summary:
    call.say("Здравствуйте. Это справочная о часах работы.")
    office = choose_office(call)
    while True:
        tell(call, office)
        more = call.menu(
            "Для оператора нажмите ноль.",
            {"1": item("Повторить", "again"), "2": item("Другой город", "other")},
            global_keys=OPERATOR,
            attempts=1,
            step="more",
        )
        if isinstance(more, (NoInput, NoMatch)):
            call.hangup("До свидания.")
            return served(office=office.id)
        if given(more) == "other":
            office = choose_office(call)


def choose_office(call: Call) -> Office:
    offices = [Office(**office) for office in host.data_json("offices.json")]
    towns = {office.key: item(office.town, office) for office in offices}
    question = "Выберите город. Для оператора нажмите ноль."
    return given(call.menu(question, towns, global_keys=OPERATOR, no_match="Такого города нет.", step="town"))


def tell(call: Call, office: Office) -> None:
    host.step("office")
    call.say(f"{office.town}. Адрес: {office.address}.", hours_today(office), waiting(office))


def hours_today(office: Office) -> Prompt:
    today = office.hours[weekday(host.now().date)]
    start, end = (parse_time(today[0]), parse_time(today[1])) if today else (None, None)
    if start and end:
        return prompt("Часы работы сегодня:", time(start), "—", time(end), ".")
    return prompt("Сегодня выходной.")


def waiting(office: Office) -> Prompt | None:
    """How many people wait there now; nothing where the back end does not say."""
    url = f"{host.config_required('back_end')}/offices/{office.id}/queue"
    answer = host.unless_ended("people waiting", lambda: http.get(url, timeout_ms=TIMEOUT_MS).success().json())
    people = answer.get("waiting") if isinstance(answer, dict) else None
    return prompt("Сейчас в очереди", counted(people, PERSON), ".") if isinstance(people, int) else None
