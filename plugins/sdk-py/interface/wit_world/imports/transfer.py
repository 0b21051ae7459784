# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""Handing the caller to another party. Capability "transfer"; its parameters say which groups and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import prompts
from wit_world.imports import telephony
from wit_world.imports import types


@dataclass
class Target_Group:
    """a group of operators by its name"""
    value: str


@dataclass
class Target_Operator:
    """one operator by name"""
    value: str


@dataclass
class Target_Extension:
    """an extension of the centre"""
    value: str


@dataclass
class Target_Number:
    value: str


@dataclass
class Target_Script:
    """another entry of this agency"""
    value: str


Target = Union[Target_Group, Target_Operator, Target_Extension, Target_Number, Target_Script]


class TransferMode(Enum):
    #: REFER: the caller's side dials the target itself, and the engine is out
    BLIND = 0
    #: the target is asked first, then the two are joined by REFER with Replaces
    ATTENDED = 1
    #: the engine stays in the middle
    BRIDGE = 2


@dataclass
class TransferOptions:
    mode: TransferMode
    ring_timeout: int
    #: what the caller hears meanwhile: a recording of the bundle; ringing where none is given
    music: Optional[str]
    #: what the target hears before being joined
    whisper: Optional[prompts.Prompt]
    #: shown to the operator
    screen_pop: List[types.Field]
    #: bridge only: when the target hangs up, the caller comes back to the script
    return_on_end: bool


@dataclass
class TransferOutcome_Moved:
    """the caller is with the target; the script's part is over"""


@dataclass
class TransferOutcome_BridgedThenReturned:
    """they talked for so long, and the caller is back"""
    value: int


@dataclass
class TransferOutcome_Busy:
    pass


@dataclass
class TransferOutcome_NoAnswer:
    pass


@dataclass
class TransferOutcome_Rejected:
    """the target's SIP status"""
    value: int


@dataclass
class TransferOutcome_Unavailable:
    pass


@dataclass
class TransferOutcome_Closed:
    """nobody works now; the calendar says from when. Nobody was rung."""
    value: Optional[str]


TransferOutcome = Union[TransferOutcome_Moved, TransferOutcome_BridgedThenReturned, TransferOutcome_Busy, TransferOutcome_NoAnswer, TransferOutcome_Rejected, TransferOutcome_Unavailable, TransferOutcome_Closed]


def transfer(call: telephony.Call, to: Target, options: TransferOptions) -> TransferOutcome:
    """
    On every outcome but `moved` the caller is back with the script.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError
