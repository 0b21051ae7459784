# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""
Promises made to the caller. Each returns only when it is durable: say nothing of it to the caller before. Capability
"promises"; its parameters say by which queues (`callback_queues`), to which agencies (`ticket_agencies`), for which
surveys (`surveys`) and to which numbers (`dialable`, prefixes of E.164).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import prompts
from wit_world.imports import telephony
from wit_world.imports import types


@dataclass
class CallbackRequest:
    """A callback that the script has agreed with the caller by itself."""
    #: whose operators call; one of `callback_queues`
    queue: str
    #: must begin with one of the prefixes of `dialable`
    number: str
    #: for the operator, in a few words; at most 256 bytes
    topic: str
    #: not before; from the queue's opening where that is later
    earliest: Optional[types.Datetime]
    #: what the caller entered so far, for the operator's screen
    fields: List[types.Field]


@dataclass
class CallbackOffer:
    """A callback that the host arranges with the caller in its own words: own number or another, read back, confirmed."""
    #: one of `callback_queues`
    queue: str
    #: for the operator, in a few words; at most 256 bytes
    topic: str
    #: what the caller entered so far, for the operator's screen
    fields: List[types.Field]
    #: said before the choice instead of the host's own first words
    intro: Optional[prompts.Prompt]


class TicketKind(Enum):
    COMPLAINT = 0
    #: published information is wrong or out of date
    OUTDATED_INFORMATION = 1
    REQUEST = 2


@dataclass
class EntryVersion:
    """An entry of the directory, as the caller heard it."""
    id: str
    version: int


@dataclass
class Ticket:
    """What an agency has to answer to."""
    kind: TicketKind
    #: one of `ticket_agencies`
    to_agency: str
    #: code of the municipality that it is about
    municipality: Optional[str]
    #: at which number the caller wants the answer; kept sealed
    contact: Optional[str]
    #: whatever else the agency needs
    fields: List[types.Field]
    #: ids of recordings of this call, at most 8
    recordings: List[str]
    #: which entry is wrong
    directory_entry: Optional[EntryVersion]


@dataclass
class SurveyAnswer:
    """One question, one answer."""
    #: the question's name, at most 64 bytes
    question: str
    #: a mark; its scale is the survey's
    score: Optional[int]
    text: Optional[str]
    #: id of a recording of this call
    recording: Optional[str]


def request_callback(request: CallbackRequest) -> types.Promise:
    """
    Answers by when the caller is called. `denied` where queue or number are not granted; `not-found` where the queue calls
    nobody back; `invalid` where it does not call this number; `quota` where too many are open; `unavailable` where it
    could not be written down.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def offer_callback(call: telephony.Call, offer: CallbackOffer) -> Optional[types.Promise]:
    """
    None: the caller wants none, or entered no number in time. The host has told the caller by when; the caller is still
    on the line. Errors as in `request-callback`; the caller has heard nothing of them.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def submit_ticket(ticket: Ticket, idempotency_key: str) -> str:
    """
    Answers the registration number that is read to the caller ("К-2026-000123"). It is delivered to the agency at least
    once. The same key of the same script (1 to 128 bytes) answers the same number and registers nothing anew: build it
    from the call's id. `denied` where the agency is not granted; `not-found` for a recording that is not of this call;
    `unavailable` where it could not be written down.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def submit_survey(survey: str, answers: List[SurveyAnswer]) -> None:
    """
    Once per call and survey: what comes later takes its place. `denied` where the survey is not granted.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError
