"""Handing the caller to a person or to another script. Needs the capability "transfer"."""

from __future__ import annotations

from typing import TypedDict, Unpack

from gudok._call import Call
from gudok._errors import host_call
from gudok._fields import Fields, fields_of
from gudok._prompt import Sayable, prompt_or_none
from wit_world.imports import transfer as wit
from wit_world.imports.transfer import TransferMode as TransferMode
from wit_world.imports.transfer import TransferOutcome as TransferOutcome

#: How long is rung where the script does not say.
RING_DEFAULT_MS = 30_000


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


def transfer_to_group(call: Call, name: str, **how: Unpack[Ringing]) -> TransferOutcome:
    """Hands the caller to a group of operators. On every outcome but ``TransferOutcome_Moved`` the caller is back."""
    return _transfer(call, wit.Target_Group(name), how)


def transfer_to_operator(call: Call, name: str, **how: Unpack[Ringing]) -> TransferOutcome:
    """The same to one operator."""
    return _transfer(call, wit.Target_Operator(name), how)


def transfer_to_extension(call: Call, number: str, **how: Unpack[Ringing]) -> TransferOutcome:
    """The same to an extension of the centre."""
    return _transfer(call, wit.Target_Extension(number), how)


def transfer_to_number(call: Call, number: str, **how: Unpack[Ringing]) -> TransferOutcome:
    """The same to a telephone number, "+73842…"."""
    return _transfer(call, wit.Target_Number(number), how)


def transfer_to_script(call: Call, entry: str, **how: Unpack[Ringing]) -> TransferOutcome:
    """The same to another entry of the agency: its script takes the call over."""
    return _transfer(call, wit.Target_Script(entry), how)


def _transfer(call: Call, to: wit.Target, how: Ringing) -> TransferOutcome:
    options = wit.TransferOptions(
        mode=how.get("mode", TransferMode.BRIDGE),
        ring_timeout=how.get("ring_ms", RING_DEFAULT_MS),
        music=how.get("music"),
        whisper=prompt_or_none(how.get("whisper")),
        screen_pop=fields_of(how.get("show")),
        return_on_end=how.get("and_back", False),
    )
    return host_call(wit.transfer)(call.raw, to, options)
