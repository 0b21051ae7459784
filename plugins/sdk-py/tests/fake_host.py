"""A host that answers from a list, for unit tests of the SDK: what it was asked is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "interface")]

from componentize_py_types import Err  # noqa: E402
from wit_world.imports import host, telephony, types  # noqa: E402


class FakeCall(telephony.Call):
    """A call; each ``collect`` takes the next answer."""

    def __init__(self, *answers: Any, lang: str = "ru-RU") -> None:
        self.answers = list(answers)
        self.said: list[Any] = []
        self.asked: list[Any] = []
        self.ended_with: Any = None
        self.lang = lang

    def info(self) -> telephony.CallInfo:
        return telephony.CallInfo(
            "call-1", telephony.Direction.INBOUND, "+79990000001", "+73842000000", None, self.lang, "one", "main", "1.0.0",
            telephony.AnsweredBy.UNKNOWN, [],
        )

    def say(self, what: Any) -> telephony.PlaybackEnd:
        self.said.append(what)
        return telephony.PlaybackEnd(True, None, 1_000)

    def collect(self, options: Any) -> Any:
        self.asked.append(options)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def hangup(self, goodbye: Any) -> None:
        self.ended_with = goodbye

    def set_language(self, lang: str) -> None:
        self.lang = lang


class FakeHost:
    """What of ``wit_world.imports.host`` a script asks; installed for the length of a ``with`` block."""

    def __init__(self, config: dict[str, str] | None = None, data: dict[str, bytes] | None = None) -> None:
        self.lines: list[tuple[str, str, dict[str, str]]] = []
        self.steps: list[str] = []
        self.counts: list[str] = []
        self._config, self._data = config or {}, data or {}
        self._before: dict[str, Any] = {}

    def __enter__(self) -> FakeHost:
        def log(level: Any, message: str, fields: list[types.Field]) -> None:
            self.lines.append((level.name.lower(), message, {field.name: field.value for field in fields}))

        answers: dict[str, Callable[..., Any]] = {
            "log": log,
            "step": self.steps.append,
            "count": lambda event, by: self.counts.append(event),
            "config": self._config.get,
            "data": self._data.get,
            "now_millis": lambda: 1_700_000_000_123,
            "random_u64": lambda: 7,
        }
        self._before = {name: getattr(host, name) for name in answers}
        for name, answer in answers.items():
            setattr(host, name, answer)
        return self

    def __exit__(self, *thrown: object) -> None:
        for name, function in self._before.items():
            setattr(host, name, function)


def fails(error: types.CallError) -> Err[types.CallError]:
    """An error as the host raises it."""
    return Err(error)
