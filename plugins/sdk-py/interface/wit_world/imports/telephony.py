# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""The call itself: granted to every script."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import input
from wit_world.imports import prompts
from wit_world.imports import types


class Direction(Enum):
    INBOUND = 0
    OUTBOUND = 1


class AnsweredBy(Enum):
    UNKNOWN = 0
    HUMAN = 1
    MACHINE = 2
    FAX = 3


@dataclass
class CallInfo:
    #: ours, also in the call record
    id: str
    direction: Direction
    #: none where the caller withheld it
    caller: Optional[str]
    called: str
    #: who diverted the call here
    diversion: Optional[str]
    lang: str
    agency: str
    #: the script's entry that the number leads to
    entry: str
    script_version: str
    answered_by: AnsweredBy
    #: the headers that the trunk's configuration lets through
    headers: List[types.Field]


@dataclass
class PlaybackEnd:
    """Where a playback stopped."""
    finished: bool
    #: the key that interrupted it
    interrupted_by: Optional[str]
    #: how much was heard
    at: int


class Pace(Enum):
    """How fast a caller is spoken to."""
    #: as the voice speaks
    NORMAL = 0
    #: slower speech, time-outs of twice the length, everything said twice
    SLOW = 1


class RejectCause(Enum):
    BUSY = 0
    DECLINED = 1
    UNAVAILABLE = 2
    NOT_IN_SERVICE = 3


class Player:
    """Playback in the background; dropping it stops the sound."""
    def wait(self) -> PlaybackEnd:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def pause(self) -> None:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def resume(self) -> None:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def seek(self, at: int) -> None:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def stop(self) -> PlaybackEnd:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError


class Collector:
    """The keys as they come, those pressed ahead first: for dialogs that no grammar describes."""
    def next(self, timeout: int) -> Optional[str]:
        """
        The next key; none when the time is up.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def flush(self) -> None:
        """Forgets what was pressed ahead."""
        raise NotImplementedError

    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError


class Call:
    def info(self) -> CallInfo:
        raise NotImplementedError

    def answer(self) -> None:
        """
        Every caller is answered at the first `say` if not before.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def early_media(self) -> None:
        """
        Prompts are heard before the call is answered (and charged).

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def reject(self, cause: RejectCause) -> None:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def hangup(self, goodbye: Optional[prompts.Prompt]) -> None:
        """
        Says goodbye to its end and hangs up.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def ended(self) -> Optional[types.EndReason]:
        """Why the call ended; none while it lives."""
        raise NotImplementedError

    def set_language(self, lang: str) -> None:
        """
        For what follows in this call, the host's own prompts included.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def set_pace(self, pace: Pace) -> None:
        """
        For what follows in this call, the host's own prompts included. `ended` once the call is over.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def say(self, what: prompts.Prompt) -> PlaybackEnd:
        """
        Plays a prompt and waits for its end, or for the key that interrupts it. That key stays for the next collect.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def play_background(self, what: prompts.Prompt, loop_forever: bool) -> Player:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def collect(self, options: input.CollectOptions) -> input.Outcome:
        """
        Asks, with repeats, until there is an answer or none is to be had. Keys pressed ahead count.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def digits(self) -> Collector:
        raise NotImplementedError

    def send_dtmf(self, keys: str) -> None:
        """
        Sends keys to the caller's side: for talking to another machine.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def wait(self, duration: int) -> None:
        """
        Silence for a while; `ended` if the caller leaves meanwhile.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def tag(self, fields: List[types.Field]) -> None:
        """
        Kept with the call record; survives transfer and drain.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError
