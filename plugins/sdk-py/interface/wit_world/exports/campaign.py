# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""What a campaign script exports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import telephony
from wit_world.imports import types


@dataclass
class Contact:
    id: str
    number: str
    #: from 1
    attempt: int
    attributes: List[types.Field]


@dataclass
class Disposition_Delivered:
    pass


@dataclass
class Disposition_Confirmed:
    value: str


@dataclass
class Disposition_Declined:
    pass


@dataclass
class Disposition_Voicemail:
    pass


@dataclass
class Disposition_WrongPerson:
    pass


@dataclass
class Disposition_RetryAt:
    value: types.Datetime


@dataclass
class Disposition_DoNotCall:
    pass


@dataclass
class Disposition_Failed:
    value: str


Disposition = Union[Disposition_Delivered, Disposition_Confirmed, Disposition_Declined, Disposition_Voicemail, Disposition_WrongPerson, Disposition_RetryAt, Disposition_DoNotCall, Disposition_Failed]


@dataclass
class Plan_Dial:
    pass


@dataclass
class Plan_Skip:
    """says why"""
    value: str


@dataclass
class Plan_NotBefore:
    value: types.Datetime


Plan = Union[Plan_Dial, Plan_Skip, Plan_NotBefore]
