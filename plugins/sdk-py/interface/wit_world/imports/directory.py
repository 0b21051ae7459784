# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""
Reference data that admins import: entries with versions, answered by municipality. Capability "directory", without
parameters: what is in it is public.

Every answer has the entry's id and version: who says "this is wrong" says it of them (`promises.submit-ticket`). A
municipality's entries come before those that hold for all; entries of other municipalities do not come. Where an entry
is not there in the language asked for, the centre's own language comes. `limit` is 1 to 20 (`invalid` otherwise).
All functions answer `unavailable` where the directory cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import types


class EntryKind(Enum):
    OFFICE = 0
    SERVICE = 1
    #: what is to be brought along
    DOCUMENT = 2
    #: how long it takes
    TERM = 3
    #: who is responsible
    OFFICIAL = 4
    #: where and how to complain
    APPEAL = 5
    #: a frequent question and its answer
    FAQ = 6


@dataclass
class DayHours:
    """Working hours of one weekday; a day off has none, a break makes two of them."""
    #: 1 is Monday
    weekday: int
    from_: types.TimeOfDay
    #: 00:00 is the day's end
    to: types.TimeOfDay


@dataclass
class Office:
    id: str
    version: int
    updated: types.Date
    name: str
    #: the whole entry for the ear, as its owner wrote it; empty where the owner did not
    spoken: str
    address: str
    phone: Optional[str]
    #: of the usual week, Monday first; days that differ are in `open-now` and `opens-next`
    hours: List[DayHours]
    open_now: bool
    #: none while it is open, or where it is not known
    opens_next: Optional[types.Datetime]
    fields: List[types.Field]


@dataclass
class Entry:
    id: str
    version: int
    updated: types.Date
    kind: EntryKind
    title: str
    #: for the ear
    spoken: str
    fields: List[types.Field]


@dataclass
class Answer:
    id: str
    version: int
    updated: types.Date
    title: str
    #: for the ear
    spoken: str
    #: how well it fits, the best first
    score: int


def find_offices(query: List[types.Field], municipality: Optional[str], lang: str, limit: int) -> List[Office]:
    """
    Offices whose fields have all the values of `query` ("agency", "service", "town" …); an empty query asks for all.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def find_entries(kind: EntryKind, topic: Optional[str], municipality: Optional[str], lang: str, limit: int) -> List[Entry]:
    """
    Entries of one kind on one topic ("passport"); none for every topic.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def search_faq(query: str, lang: str, municipality: Optional[str], limit: int) -> List[Answer]:
    """
    Full-text search, by word stems. `query` is at most 256 bytes.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def is_open(calendar: str, at: types.Datetime) -> bool:
    """
    Whether a calendar of this agency or of the centre is open at a moment. `not-found` where there is none of that name.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError
