# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""Words that all interfaces share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union


Millis = int
"""A duration in milliseconds."""


E164 = str
"""
A telephone number as E.164 with a plus, "+74951234567". The host normalises what a caller entered, and masks
numbers wherever they are written down.
"""


LangTag = str
"""A language tag of BCP 47, "ru-RU"."""


Percent = int
"""0 to 100. Integers keep replays exact to the bit."""


@dataclass
class Date:
    """A day of the Gregorian calendar."""
    year: int
    #: 1 to 12
    month: int
    #: 1 to 31
    day: int


@dataclass
class TimeOfDay:
    """A time of the day, to the minute."""
    #: 0 to 23
    hour: int
    #: 0 to 59
    minute: int


@dataclass
class Datetime:
    """A moment with its offset from UTC."""
    date: Date
    time: TimeOfDay
    utc_offset_minutes: int


@dataclass
class Money:
    """An amount in the currency's minor unit: 123456 "RUB" is 1234 rubles 56 kopecks."""
    minor_units: int
    #: ISO 4217, "RUB"
    currency: str


@dataclass
class Field:
    """A named value, for tags, headers, queries and log fields."""
    name: str
    value: str


@dataclass
class Promise:
    """What the centre owes a caller from now on."""
    #: for the call record and for operators; not for the caller's ear
    id: str
    #: by then, in the agency's time zone
    due: Datetime


class EndReason(Enum):
    """Why a call came to its end."""
    #: the caller hung up
    CALLER_HANGUP = 0
    #: the other party hung up, and the call with it
    FAR_END_HANGUP = 1
    #: a limit of the host on the call's length or cost
    HOST_LIMIT = 2
    #: the engine is shutting down or the version was drained, and its deadline passed
    DRAIN_TIMEOUT = 3
    #: an admin ended it
    ADMIN_KILL = 4
    #: no media for longer than the trunk allows
    MEDIA_LOST = 5
    #: the script hung up itself
    SCRIPT_HANGUP = 6
    #: the call left the script for good: it was moved to another party
    MOVED = 7


@dataclass
class CallError_Ended:
    """the call is over; save state and return"""
    value: EndReason


@dataclass
class CallError_Denied:
    """the capability is not granted, or not for this parameter; names the capability and the parameter"""
    value: str


@dataclass
class CallError_Quota:
    """an allowance of the script or its agency is used up; names it"""
    value: str


@dataclass
class CallError_Invalid:
    """an argument makes no sense; says which, why, and what would be right"""
    value: str


@dataclass
class CallError_NotFound:
    """what was named does not exist; names it"""
    value: str


@dataclass
class CallError_BusyResource:
    """no channel, trunk or recorder is free; names what is busy"""
    value: str


@dataclass
class CallError_Timeout:
    """no answer within the time asked for"""


@dataclass
class CallError_Unavailable:
    """the other side (a back end, the store) could not be reached, broke off or answered rubbish; says which"""
    value: str


@dataclass
class CallError_Internal:
    """a fault of the host; an opaque id that the host's log has too"""
    value: str


CallError = Union[CallError_Ended, CallError_Denied, CallError_Quota, CallError_Invalid, CallError_NotFound, CallError_BusyResource, CallError_Timeout, CallError_Unavailable, CallError_Internal]
"""Why a host call gave no result."""
