"""Promises: callbacks, tickets, surveys. Each is durable when it answers: say nothing of it before. Needs the capability
"promises"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Union

from gudok._call import Call
from gudok._errors import host_call
from gudok._fields import Fields, fields_of
from gudok._prompt import Sayable, prompt_or_none
from wit_world.imports import promises as wit
from wit_world.imports.promises import EntryVersion as EntryVersion
from wit_world.imports.promises import TicketKind as TicketKind
from wit_world.imports.types import Datetime, Promise


def offer_callback(call: Call, queue: str, *, topic: str = "", show: Fields | None = None, intro: Sayable = None) -> Promise | None:
    """Offers the caller to be called back, in the host's words: own number or another, read back, confirmed.

    None where the caller wants none. The caller has been told by when.
    """
    return host_call(wit.offer_callback)(call.raw, wit.CallbackOffer(queue, topic, fields_of(show), prompt_or_none(intro)))


def request_callback(
    queue: str, number: str, *, topic: str = "", show: Fields | None = None, not_before: Datetime | None = None
) -> Promise:
    """Books a callback that the script has agreed with the caller by itself, and answers by when."""
    return host_call(wit.request_callback)(wit.CallbackRequest(queue, number, topic, not_before, fields_of(show)))


def submit_ticket(
    call: Call,
    purpose: str,
    kind: TicketKind,
    agency: str,
    *,
    municipality: str | None = None,
    contact: str | None = None,
    fields: Fields | None = None,
    recordings: Sequence[str] = (),
    entry: EntryVersion | None = None,
) -> str:
    """Registers what an agency has to answer to, and answers the registration number.

    In one call, the same purpose is the same ticket.
    """
    ticket = wit.Ticket(kind, agency, municipality, contact, fields_of(fields), list(recordings), entry)
    return host_call(wit.submit_ticket)(ticket, call.promise_key(purpose))


def submit_survey(survey: str, answers: Mapping[str, Union[int, str]]) -> None:
    """Keeps a caller's answers to a survey by question: a mark or a text. Later ones of the same call take their place."""
    all_of_them = [
        wit.SurveyAnswer(question, answer if isinstance(answer, int) else None, answer if isinstance(answer, str) else None, None)
        for question, answer in answers.items()
    ]
    host_call(wit.submit_survey)(survey, all_of_them)


def submit_spoken_answer(survey: str, question: str, recording: str) -> None:
    """Keeps a recording of this call as the answer to a survey's question."""
    host_call(wit.submit_survey)(survey, [wit.SurveyAnswer(question, None, None, recording)])
