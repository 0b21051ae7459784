"""What a call came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Summary:
    """What a call came to, with values for the call record. Nothing personal belongs here."""

    #: one of served, transferred, queued, callback-booked, abandoned, no-service, or a word of the script's own
    code: str
    fields: dict[str, object]


def served(**fields: Any) -> Summary:
    """The caller got what they called for."""
    return Summary("served", fields)


def transferred(**fields: Any) -> Summary:
    """The caller was handed to somebody."""
    return Summary("transferred", fields)


def queued(**fields: Any) -> Summary:
    """The caller waits in a queue of another's."""
    return Summary("queued", fields)


def callback_booked(**fields: Any) -> Summary:
    """The caller was promised a callback."""
    return Summary("callback-booked", fields)


def abandoned(**fields: Any) -> Summary:
    """The caller left, or gave no answer."""
    return Summary("abandoned", fields)


def no_service(**fields: Any) -> Summary:
    """The script cannot serve: the host lands the caller on the agency's fallback."""
    return Summary("no-service", fields)


def ended_with(word: str, **fields: Any) -> Summary:
    """The call came to this, in a word of the script's own."""
    return Summary(word, fields)
