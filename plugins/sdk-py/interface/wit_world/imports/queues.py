# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""
Waiting for an operator. Capability "queues"; its parameter `names` says in which queues.

The queue's limit on the wait (at most 40 s) is the host's: shortly before it, the host tries a peer centre or offers a
callback to the caller in its own words, whatever the script is doing. The script is told by events.

While the caller waits, the script may go on talking: `say`, `collect`, `wait` and the collector work between events.
When an operator answers, what is pending ends early (a `say` not finished, a `collect` with `no-input`, a `next` with
none, a `wait` at once), and the next event is `answered`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import telephony
from wit_world.imports import types


@dataclass
class SkillWish:
    """Something that the operator should be good at."""
    #: as operators' settings name it: "en", "passports"; at most 64 bytes
    name: str
    #: at least so good, from 1 to 10; the queue's rules lower it while the caller waits
    level: int


@dataclass
class QueueOptions:
    """How a caller waits."""
    #: one of the granted names
    queue: str
    #: 0 is the lowest, 9 the highest
    priority: int
    #: at most 16; empty for any operator of the queue
    skills: List[SkillWish]
    #: what the caller hears meanwhile: a recording of the bundle; the host's music where none is given
    music: Optional[str]
    #: the script's own patience, then `timed-out`; 0 for the queue's rule alone
    max_wait: int
    #: shown to the operator; what was entered under a `sensitive` question does not belong here
    screen_pop: List[types.Field]
    #: the host says position and expected wait, as the queue's settings have it; false where the script does
    announce: bool
    #: when the operator hangs up, the caller comes back to the script (`returned`); otherwise the call ends with the talk
    return_on_end: bool


@dataclass
class QueueEvent_Position:
    """from 1; at the start, and where it changed"""
    value: int


@dataclass
class QueueEvent_EstimatedWait:
    """where there is enough to go by"""
    value: int


@dataclass
class QueueEvent_Key:
    """a key that nothing else was waiting for"""
    value: str


@dataclass
class QueueEvent_Answered:
    """by an operator of that name; they talk"""
    value: str


@dataclass
class QueueEvent_Returned:
    """the talk is over after so long, the operator hung up, and the caller is back. The wait is over."""
    value: int


@dataclass
class QueueEvent_Callback:
    """the caller took the host's offer and will be called back: the promise's id. The wait is over, and so is the call."""
    value: str


@dataclass
class QueueEvent_Peer:
    """a peer centre of that name took the caller. The wait is over."""
    value: str


@dataclass
class QueueEvent_Closed:
    """nobody works now; the calendar says from when, "06:00". Nobody was rung. The wait is over."""
    value: Optional[str]


@dataclass
class QueueEvent_Full:
    """as many wait as may. The wait is over."""


@dataclass
class QueueEvent_TimedOut:
    """`max-wait` is over, and so is the wait"""


QueueEvent = Union[QueueEvent_Position, QueueEvent_EstimatedWait, QueueEvent_Key, QueueEvent_Answered, QueueEvent_Returned, QueueEvent_Callback, QueueEvent_Peer, QueueEvent_Closed, QueueEvent_Full, QueueEvent_TimedOut]
"""What happens to a waiting caller."""


class QueueTicket:
    """A place in a queue. Dropping it leaves the queue; a talk that goes on is not touched."""
    def next_event(self, timeout: int) -> Optional[QueueEvent]:
        """
        The next thing that happens, in order; none when the time is up. While the caller talks to an operator, it waits.
        Without `return-on-end` a talk is answered with `ended`, as the call goes with it. `not-found` once the wait is over.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def convert_to_callback(self, number: Optional[str]) -> types.Promise:
        """
        Keeps the place and lets the caller go: the centre calls back when the place is at the head. At the calling number
        where none is given; another number must begin with one of the prefixes `dialable` of the capability
        "promises". Answers when the promise is durable. `not-found` where the queue calls nobody back or the wait is over;
        `invalid` where the number is not called, or the caller has none; `quota` where too many are open; `busy-resource`
        while the caller is being connected elsewhere; `unavailable` where it could not be written down: the caller still
        waits then.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def leave(self) -> None:
        """The caller waits no more, and is with the script again. A talk that goes on is not touched."""
        raise NotImplementedError

    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError


def enqueue(call: telephony.Call, options: QueueOptions) -> QueueTicket:
    """
    The caller waits from now on: one wait at a time (`busy-resource` otherwise). A queue that is closed, full or not there
    is told by the first event or by `not-found`. `denied` where the queue is not granted. Skills, priority and music over
    their limits are `invalid`, and so is music that is not in the bundle (`not-found`).

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError
