"""Small ways through a talk that need no capability."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gudok import host
from gudok._call import Call
from gudok._errors import CallError, Failure
from gudok._prompt import Sayable
from gudok._summary import Summary, ended_with

T = TypeVar("T")


def or_goodbye(call: Call, words: Sayable, talk: Callable[[Call], Summary | None]) -> Summary | None:
    """Does a talk; where it fails, says these words and hangs up: for a script that has nobody to lead callers to."""
    try:
        return talk(call)
    except (CallError, Failure) as failure:
        why = kind_of(failure)
    call.hangup(words)
    return ended_with("no-operator", why=why)


def retry(call: Call, attempts: int, words: Sayable, attempt: Callable[[int], T | None]) -> T:
    """Tries a step so often, until it answers something; says these words after each time that it did not."""
    for number in range(1, attempts + 1):
        answer = attempt(number)
        if answer is not None:
            return answer
        call.say(words)
    raise Failure("not-accepted")


def kind_of(failure: CallError | Failure) -> str:
    """Why a talk failed; raised again where it is the call's end.

    For the author: a caller who wants a person is usual, a back end that fails is not.
    """
    if isinstance(failure, CallError) and failure.is_end:
        raise failure
    kind = failure.kind if isinstance(failure, Failure) else "unavailable"
    host.count(kind)
    (host.warn if kind == "unavailable" else host.info)(f"landed: {failure}")
    return kind
