"""Waiting for an operator. Needs the capability "queues".

The queue's limit on the wait is the host's: shortly before it, the caller is put through to a peer centre or offered a
callback, whatever the script does. The script hears of it as an outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict, Union, Unpack

from gudok._call import Call
from gudok._errors import host_call
from gudok._fields import Fields, fields_of
from gudok._values import parse_time
from wit_world.imports import queues
from wit_world.imports.types import Promise, TimeOfDay

#: How long one look at the queue lasts; then comes the next.
LOOK_MS = 60_000


@dataclass(frozen=True)
class Returned:
    """They talked, and the caller is back; only with ``and_back``."""

    operator: str
    talked_ms: int


@dataclass(frozen=True)
class CalledBack:
    """The caller took the host's offer and will be called back; the call is over."""

    promise: str


@dataclass(frozen=True)
class Peer:
    """A peer centre of that name took the caller."""

    name: str


@dataclass(frozen=True)
class Closed:
    """Nobody works now; from when, where that is known."""

    opens: TimeOfDay | None


@dataclass(frozen=True)
class Full:
    """As many wait as may."""


@dataclass(frozen=True)
class TimedOut:
    """The script's own patience is over."""


QueueOutcome = Union[Returned, CalledBack, Peer, Closed, Full, TimedOut]


class Wait(TypedDict, total=False):
    """How a caller waits."""

    #: 0 is the lowest, 9 the highest
    priority: int
    #: what the operator should be good at, and at least how well, 1 to 10
    skills: Mapping[str, int]
    #: a recording of the bundle to wait with
    music: str
    #: the script's own patience, if shorter than the queue's
    patience_ms: int
    #: shown to the operator; what was entered under a sensitive question does not belong here
    show: Fields
    #: the host does not say position and expected wait: the script does
    quiet: bool
    #: when the operator hangs up, the caller comes back to the script
    and_back: bool


class QueueTicket:
    """A place in a queue. Leaving a ``with`` block leaves the queue."""

    def __init__(self, raw: queues.QueueTicket) -> None:
        self.raw = raw

    def next(self, timeout_ms: int) -> queues.QueueEvent | None:
        """The next thing that happens; None when the time is up."""
        return host_call(self.raw.next_event)(timeout_ms)

    def call_back(self, number: str | None = None) -> Promise:
        """Keeps the place and lets the caller go, who is called back at the calling number or at another."""
        return host_call(self.raw.convert_to_callback)(number)

    def leave(self) -> None:
        """The caller waits no more."""
        self.raw.leave()

    def __enter__(self) -> QueueTicket:
        return self

    def __exit__(self, *thrown: object) -> None:
        self.raw.__exit__(None, None, None)


def enter_queue(call: Call, queue: str, **how: Unpack[Wait]) -> QueueTicket:
    """Begins the wait; the script follows it by itself."""
    patience = how.get("patience_ms")
    options = queues.QueueOptions(
        queue=queue,
        priority=how.get("priority", 0),
        skills=[queues.SkillWish(name, level) for name, level in how.get("skills", {}).items()],
        music=how.get("music"),
        max_wait=0 if patience is None else max(1, patience),
        screen_pop=fields_of(how.get("show")),
        announce=not how.get("quiet", False),
        return_on_end=how.get("and_back", False),
    )
    return QueueTicket(host_call(queues.enqueue)(call.raw, options))


def wait_in_queue(call: Call, queue: str, **how: Unpack[Wait]) -> QueueOutcome:
    """Lets the caller wait for an operator, to the end."""
    outcome = follow_queue(call, queue, lambda ticket, event: True, **how)
    return TimedOut() if outcome is None else outcome


def follow_queue(
    call: Call, queue: str, on: Callable[[QueueTicket, queues.QueueEvent], bool], **how: Unpack[Wait]
) -> QueueOutcome | None:
    """The same, and ``on`` is told of everything that happens before the end.

    It may say something, ask, convert the wait to a callback. Where it answers False, the wait is left without an outcome.
    """
    operator = ""
    with enter_queue(call, queue, **how) as ticket:
        while True:
            event = ticket.next(LOOK_MS)
            if event is None:
                continue
            outcome = _over(event, operator)
            if outcome is not None:
                return outcome
            if isinstance(event, queues.QueueEvent_Answered):
                operator = event.value
            if not on(ticket, event):
                return None


def _over(event: queues.QueueEvent, operator: str) -> QueueOutcome | None:
    """How the wait ended, if it did."""
    match event:
        case queues.QueueEvent_Returned(talked_ms):
            return Returned(operator, talked_ms)
        case queues.QueueEvent_Callback(promise):
            return CalledBack(promise)
        case queues.QueueEvent_Peer(name):
            return Peer(name)
        case queues.QueueEvent_Closed(opens):
            return Closed(parse_time(opens or ""))
        case queues.QueueEvent_Full():
            return Full()
        case queues.QueueEvent_TimedOut():
            return TimedOut()
        case _:
            return None
