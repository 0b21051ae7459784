"""What became of a question, and how to its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Union

from gudok._errors import Failure

V = TypeVar("V")


@dataclass(frozen=True)
class Given(Generic[V]):
    """An answer that fits."""

    value: V


@dataclass(frozen=True)
class Global:
    """A key that leaves the question at once, and what it stands for."""

    value: Any


@dataclass(frozen=True)
class NoInput:
    """Nothing was entered in any attempt."""


@dataclass(frozen=True)
class NoMatch:
    """The last entry did not fit."""


Answer = Union[Given[V], Global, NoInput, NoMatch]


def given(answer: Answer[V]) -> V:
    """What was entered or chosen; a ``Failure`` where nothing was, or where a key for a person was pressed."""
    if isinstance(answer, Given):
        return answer.value
    raise Failure("operator" if isinstance(answer, Global) else "no-answer")


def chosen(answer: Answer[V]) -> V | Any:
    """What was chosen, by whichever key of a menu; a ``Failure`` where nothing was."""
    if isinstance(answer, (Given, Global)):
        return answer.value
    raise Failure("no-answer")
