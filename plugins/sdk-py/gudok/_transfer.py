"""Handing the caller to a person or to another script. Needs the capability "transfer"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

from gudok._call import Call
from gudok._errors import host_call
from gudok._fields import Fields, fields_of
from gudok._prompt import Sayable, prompt_or_none
from wit_world.imports import transfer as wit
from wit_world.imports.transfer import TransferMode as TransferMode

#: How long is rung where the script does not say.
RING_DEFAULT_MS = 30_000


@dataclass(frozen=True)
class TransferEnd:
    """What became of a transfer. On every kind but ``"moved"`` the caller is back with the script."""

    kind: Literal["moved", "returned", "busy", "no-answer", "rejected", "unavailable", "closed"]
    #: for how long they talked, where the caller came back
    talked_ms: int = 0
    #: the target's SIP status, where it rejected
    status: int = 0
    #: from when somebody works, where that is known
    opens: str | None = None


class Ringing(TypedDict, total=False):
    """How the caller is handed over."""

    #: the engine stays in the middle where nothing is said
    mode: TransferMode
    #: how long is rung
    ring_ms: int
    #: a recording of the bundle to wait with
    music: str
    #: what the target hears before being joined
    whisper: Sayable
    #: shown to the operator
    show: Fields
    #: when the target hangs up, the caller comes back to the script
    and_back: bool


def transfer_to_group(call: Call, name: str, **how: Unpack[Ringing]) -> TransferEnd:
    """Hands the caller to a group of operators. On every kind but ``"moved"`` the caller is back."""
    return _transfer(call, wit.Target_Group(name), how)


def transfer_to_operator(call: Call, name: str, **how: Unpack[Ringing]) -> TransferEnd:
    """The same to one operator."""
    return _transfer(call, wit.Target_Operator(name), how)


def transfer_to_extension(call: Call, number: str, **how: Unpack[Ringing]) -> TransferEnd:
    """The same to an extension of the centre."""
    return _transfer(call, wit.Target_Extension(number), how)


def transfer_to_number(call: Call, number: str, **how: Unpack[Ringing]) -> TransferEnd:
    """The same to a telephone number, "+73842…"."""
    return _transfer(call, wit.Target_Number(number), how)


def transfer_to_script(call: Call, entry: str, **how: Unpack[Ringing]) -> TransferEnd:
    """The same to another entry of the agency: its script takes the call over."""
    return _transfer(call, wit.Target_Script(entry), how)


def _transfer(call: Call, to: wit.Target, how: Ringing) -> TransferEnd:
    options = wit.TransferOptions(
        mode=how.get("mode", TransferMode.BRIDGE),
        ring_timeout=how.get("ring_ms", RING_DEFAULT_MS),
        music=how.get("music"),
        whisper=prompt_or_none(how.get("whisper")),
        screen_pop=fields_of(how.get("show")),
        return_on_end=how.get("and_back", False),
    )
    match host_call(wit.transfer)(call.raw, to, options):
        case wit.TransferOutcome_Moved():
            return TransferEnd("moved")
        case wit.TransferOutcome_BridgedThenReturned(talked_ms):
            return TransferEnd("returned", talked_ms=talked_ms)
        case wit.TransferOutcome_Busy():
            return TransferEnd("busy")
        case wit.TransferOutcome_NoAnswer():
            return TransferEnd("no-answer")
        case wit.TransferOutcome_Rejected(status):
            return TransferEnd("rejected", status=status)
        case wit.TransferOutcome_Closed(opens):
            return TransferEnd("closed", opens=opens)
        case _:
            return TransferEnd("unavailable")
