"""Conversations as code: what the caller does, what the script says, what must be true in the end.

A file of them (tests/conversations.py) ends with ``print_all(…)``; ``gudok test`` runs it and plays what it prints::

    print_all(
        conversation("Часы работы").says("Здравствуйте…").asks("Выберите город…").presses("1").says("…").then_reached("office"),
    )
"""

from __future__ import annotations

import json
from typing import Any, Self


class Conversation:
    """One conversation. Every method answers the same one, so that it reads in a row."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._settings: list[dict[str, Any]] = []
        self._steps: list[dict[str, Any]] = []

    def to_json(self) -> dict[str, Any]:
        """As ``gudok test`` reads it."""
        return {"title": self.title, "settings": self._settings, "steps": self._steps}

    def _set(self, setting: str, **values: Any) -> Self:
        self._settings.append({"setting": setting, **_present(values)})
        return self

    def _step(self, step: str, **values: Any) -> Self:
        self._steps.append({"step": step, **_present(values)})
        return self

    def at(self, time: str) -> Self:
        """The moment of the call, in its zone: "2026-05-05 12:00"."""
        return self._set("at", time=time)

    def zone(self, zone: str) -> Self:
        """The time zone: "Europe/Moscow"."""
        return self._set("zone", zone=zone)

    def caller(self, number: str) -> Self:
        """The caller's number."""
        return self._set("from", number=number)

    def withheld(self) -> Self:
        """The caller withheld the number."""
        return self._set("withheld")

    def language(self, language: str) -> Self:
        """The language that the caller is spoken to in at first: "ru-RU"."""
        return self._set("language", language=language)

    def entry(self, entry: str) -> Self:
        """The script's entry."""
        return self._set("entry", entry=entry)

    def config(self, key: str, value: str) -> Self:
        """A value of the configuration."""
        return self._set("config", key=key, value=value)

    def secret(self, name: str, value: str) -> Self:
        """A secret as the admin keeps it."""
        return self._set("secret", name=name, value=value)

    def stored(self, bucket: str, key: str, value: Any) -> Self:
        """A value that is in a bucket beforehand."""
        return self._set("stored", bucket=bucket, key=key, value=_text_of(value))

    def contact(self, name: str, value: str) -> Self:
        """A column of the campaign's contact."""
        return self._set("contact", name=name, value=value)

    def answered_by_machine(self) -> Self:
        """An answering machine takes the call."""
        return self._set("answered-by-machine")

    def back_end(self, method: str, path: str, status: int, body: Any = None) -> Self:
        """The back end answers so to every such request that no step is for."""
        return self._set("back-end-answers", method=method, path=path, status=status, body=body)

    def seed(self, seed: int) -> Self:
        """The seed of the call's randomness."""
        return self._set("seed", seed=seed)

    def says(self, words: str) -> Self:
        """The script says this; … stands for any words."""
        return self._step("says", words=words)

    def asks(self, words: str) -> Self:
        """The script asks this."""
        return self._step("asks", words=words)

    def presses(self, keys: str) -> Self:
        """The caller presses keys."""
        return self._step("presses", keys=keys)

    def interrupts(self, keys: str) -> Self:
        """The caller presses keys while something is said that asks for nothing."""
        return self._step("interrupts", keys=keys)

    def silent(self) -> Self:
        """The caller says and presses nothing."""
        return self._step("silent")

    def hangs_up(self) -> Self:
        """The caller hangs up."""
        return self._step("hangs-up")

    def speaks(self, seconds: int) -> Self:
        """The caller speaks, for a recording."""
        return self._step("speaks", seconds=seconds)

    def back_end_answers(self, method: str, path: str, status: int, body: Any = None, *, sent: Any = None) -> Self:
        """The back end is asked and answers; ``sent`` is what it must have been sent."""
        return self._step("back-end-answers", method=method, path=path, sent=sent, status=status, body=body)

    def back_end_fails(self, method: str, path: str) -> Self:
        """The back end is asked and cannot be reached."""
        return self._step("back-end-fails", method=method, path=path)

    def back_end_never_answers(self, method: str, path: str) -> Self:
        """The back end is asked and never answers."""
        return self._step("back-end-never-answers", method=method, path=path)

    def operator_answers(self, seconds: int | None = None) -> Self:
        """The party of the transfer answers, and talks for so long."""
        return self._step("operator-answers", seconds=seconds)

    def operator_busy(self) -> Self:
        """It is busy."""
        return self._step("operator-busy")

    def operator_silent(self) -> Self:
        """It does not answer."""
        return self._step("operator-silent")

    def operator_rejects(self) -> Self:
        """It rejects."""
        return self._step("operator-rejects")

    def operator_unreachable(self) -> Self:
        """It cannot be reached."""
        return self._step("operator-unreachable")

    def operator_missing(self) -> Self:
        """There is nobody of that name."""
        return self._step("operator-missing")

    def operators_closed(self) -> Self:
        """Nobody works now."""
        return self._step("operators-closed")

    def queue_answers(self, seconds: int | None = None) -> Self:
        """An operator of the queue answers, and talks for so long."""
        return self._step("queue-answers", seconds=seconds)

    def queue_nobody(self) -> Self:
        """Nobody answers within the patience."""
        return self._step("queue-nobody")

    def queue_closed(self) -> Self:
        """Nobody works now."""
        return self._step("queue-closed")

    def queue_full(self) -> Self:
        """As many wait as may."""
        return self._step("queue-full")

    def queue_missing(self) -> Self:
        """There is no queue of that name."""
        return self._step("queue-missing")

    def storage_unavailable(self) -> Self:
        """Storage cannot be reached from here on."""
        return self._step("storage-unavailable")

    def promises_unavailable(self) -> Self:
        """Nothing can be promised from here on."""
        return self._step("promises-unavailable")

    def directory_unavailable(self) -> Self:
        """The directory cannot be read from here on."""
        return self._step("directory-unavailable")

    def directory_knows_nothing(self) -> Self:
        """The directory is empty."""
        return self._step("directory-knows-nothing")

    def then_result(self, code: str) -> Self:
        """What the call came to: "served"."""
        return self._step("then-result", code=code)

    def then_field(self, name: str, value: str) -> Self:
        """A field of the result."""
        return self._step("then-field", name=name, value=value)

    def then_reached(self, name: str) -> Self:
        """The script came to that step."""
        return self._step("then-reached", name=name)

    def then_not_reached(self, name: str) -> Self:
        """It did not."""
        return self._step("then-not-reached", name=name)

    def then_stored(self, bucket: str, key: str, value: Any) -> Self:
        """A value is in a bucket."""
        return self._step("then-stored", bucket=bucket, key=key, value=_text_of(value))

    def then_not_stored(self, bucket: str, key: str) -> Self:
        """It is not."""
        return self._step("then-not-stored", bucket=bucket, key=key)

    def then_ticket(self, kind: str, agency: str | None = None) -> Self:
        """A ticket of that kind was registered."""
        return self._step("then-ticket", kind=kind, agency=agency)

    def then_no_ticket(self) -> Self:
        """None was."""
        return self._step("then-no-ticket")

    def then_callback(self, queue: str | None = None) -> Self:
        """A callback was promised."""
        return self._step("then-callback", queue=queue)

    def then_no_callback(self) -> Self:
        """None was."""
        return self._step("then-no-callback")

    def then_survey(self, survey: str, question: str, score: int) -> Self:
        """A mark was given."""
        return self._step("then-survey", survey=survey, question=question, score=score)

    def then_connected(self, name: str) -> Self:
        """The caller was connected to it."""
        return self._step("then-connected", name=name)

    def then_heard(self, words: str) -> Self:
        """The caller heard these words at some time."""
        return self._step("then-heard", words=words)

    def then_never_heard(self, words: str) -> Self:
        """The caller never did."""
        return self._step("then-never-heard", words=words)

    def then_at_most(self, seconds: int) -> Self:
        """The call was at most so long."""
        return self._step("then-at-most", seconds=seconds)

    def then_cpu(self, ms: int) -> Self:
        """It took at most so much CPU."""
        return self._step("then-cpu", ms=ms)

    def then_memory(self, kib: int) -> Self:
        """It took at most so much memory."""
        return self._step("then-memory", kib=kib)

    def then_plan(self, plan: str) -> Self:
        """What a campaign planned: "dial", "skip"."""
        return self._step("then-plan", plan=plan)


def conversation(title: str) -> Conversation:
    """A conversation under its title."""
    return Conversation(title)


def to_json(*conversations: Conversation) -> str:
    """Every conversation of the file, as ``gudok test`` reads them."""
    titles = [conversation.title for conversation in conversations]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice is not None:
        raise ValueError(f"two conversations have the title {twice!r}")
    return json.dumps({"format": 1, "conversations": [one.to_json() for one in conversations]}, ensure_ascii=False)


def print_all(*conversations: Conversation) -> None:
    """Prints them: the last line of tests/conversations.py."""
    print(to_json(*conversations))


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _text_of(value: Any) -> str:
    """Values are kept as JSON; a text stands as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
