"""How the caller of a talk that failed is looked after all the same."""

from __future__ import annotations

from collections.abc import Callable

from gudok import host
from gudok._call import Call
from gudok._errors import CallError, Failure
from gudok._prompt import Sayable, prompt, time
from gudok._queue import CalledBack, Closed, Full, Peer, Returned, TimedOut, wait_in_queue
from gudok._summary import Summary, callback_booked, ended_with, no_service, transferred
from gudok._talk import kind_of

_SORRY = {"ru": "Извините, сведения сейчас получить не удалось.", "en": "I am sorry, the information is not available now."}
_CLOSED = {"ru": "Операторы сейчас не работают.", "en": "The operators are not at work now."}
_THEY_START = {"ru": "Они начинают работу в", "en": "They start at"}
_BUSY = {"ru": "Сейчас все операторы заняты.", "en": "All operators are busy now."}
_GOODBYE = {"ru": "Позвоните, пожалуйста, позже. До свидания.", "en": "Please call again later. Goodbye."}


def or_operator(
    call: Call,
    queue: str,
    talk: Callable[[Call], Summary | None],
    *,
    topic: str | None = None,
    sorry: Sayable = None,
    goodbye: Sayable = None,
) -> Summary | None:
    """Does a talk; where it fails (a ``Failure``, a back end that is not there), leads the caller to an operator of that queue.

    With an apology where something of ours failed. The end of the call goes on.
    """
    try:
        return talk(call)
    except (CallError, Failure) as failure:
        why = kind_of(failure)
    host.step("operator")
    if why == "unavailable":
        call.say(sorry or call.words(_SORRY))
    outcome = host.unless_ended(
        "the queue of the operators", lambda: wait_in_queue(call, queue, show={"topic": topic, "why": why})
    )
    bye = goodbye or call.words(_GOODBYE)
    match outcome:
        case Returned() | Peer():
            return transferred()
        case CalledBack():
            return callback_booked()
        case Closed(opens):
            start = prompt(call.words(_THEY_START), time(opens), ".") if opens else None
            call.hangup(call.words(_CLOSED), start, bye)
            return ended_with("no-operator", why=why)
        case Full() | TimedOut():
            call.hangup(call.words(_BUSY), bye)
            return ended_with("no-operator", why=why)
    # Without the queue there is the agency's fallback.
    return no_service(why=why)
