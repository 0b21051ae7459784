# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""Recording of the call or of a message. Capability "recording"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import prompts
from wit_world.imports import telephony
from wit_world.imports import types


@dataclass
class RecordOptions:
    #: longer is cut
    max: int
    #: so much silence ends a message; 0 for never
    silence_stop: int
    beep: bool
    #: keys that end a message
    stop_keys: str
    #: asked first with yes or no; on "no" nothing is recorded and the answer is `denied("consent")`
    consent_prompt: Optional[prompts.Prompt]
    #: kept for so many days, capped by the agency's rule
    retention_days: int


class StoppedBy(Enum):
    MAX = 0
    SILENCE = 1
    KEY = 2
    HANGUP = 3
    SCRIPT = 4


@dataclass
class Recording:
    id: str
    duration: int
    stopped_by: StoppedBy
    #: of the audio file, in lower-case hexadecimal
    sha256: str


class Recorder:
    """Records in the background; dropping it discards what `finish` did not keep."""
    def pause(self) -> None:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def resume(self) -> None:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def finish(self) -> Recording:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError


def record_message(call: telephony.Call, options: RecordOptions) -> Recording:
    """
    Records what the caller says until silence, a key or the time limit.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def start_recording(call: telephony.Call, options: RecordOptions) -> Recorder:
    """
    Records both sides while the script goes on.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError
