"""Messages that callers leave, and recordings of the call. Needs the capability "recording"."""

from __future__ import annotations

from gudok._call import Call
from gudok._errors import host_call
from gudok._prompt import Sayable, prompt_or_none
from wit_world.imports import recording as wit
from wit_world.imports.recording import Recording

#: Silence that ends a message where the script does not say.
SILENCE_STOP_DEFAULT_MS = 4_000
#: Kept so long where the script does not say.
RETENTION_DAYS_DEFAULT = 30


class Recorder:
    """A recording under way. Leaving a ``with`` block discards what ``finish`` did not keep."""

    def __init__(self, raw: wit.Recorder) -> None:
        self.raw = raw

    def pause(self) -> None:
        """Holds it."""
        host_call(self.raw.pause)()

    def resume(self) -> None:
        """Goes on with it."""
        host_call(self.raw.resume)()

    def finish(self) -> Recording:
        """Ends it, and keeps it."""
        return host_call(self.raw.finish)()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *thrown: object) -> None:
        self.raw.__exit__(None, None, None)


def record_message(
    call: Call,
    max_ms: int,
    *,
    silence_stop_ms: int = SILENCE_STOP_DEFAULT_MS,
    beep: bool = True,
    stop_keys: str = "#",
    consent: Sayable = None,
    retention_days: int = RETENTION_DAYS_DEFAULT,
) -> Recording:
    """Records what the caller says after a tone, until silence, "#" or the longest time.

    ``consent`` is asked first with yes (1) or no (2); on "no" nothing is recorded, and the answer is the error ``"denied"``.
    """
    options = wit.RecordOptions(max_ms, silence_stop_ms, beep, stop_keys, prompt_or_none(consent), retention_days)
    return host_call(wit.record_message)(call.raw, options)


def start_recording(
    call: Call, max_ms: int, *, consent: Sayable = None, retention_days: int = RETENTION_DAYS_DEFAULT
) -> Recorder:
    """Records both sides while the script goes on."""
    options = wit.RecordOptions(max_ms, 0, False, "", prompt_or_none(consent), retention_days)
    return Recorder(host_call(wit.start_recording)(call.raw, options))
