"""The functions that the host calls, and how their ends and errors are told."""

from __future__ import annotations

import linecache
import random
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from componentize_py_types import Err
from gudok import host
from gudok._call import Call
from gudok._errors import CallError, Failure
from gudok._fields import fields_of
from gudok._summary import Summary, no_service, served
from wit_world.imports import types

if TYPE_CHECKING:
    from gudok._contact import Contact
    from wit_world.exports import campaign as wit_campaign

T = TypeVar("T")

#: Calls of a stack that go to the author's log.
FRAMES_MAX = 20

#: The author's functions by what they are: "service", "prepare", "run".
functions: dict[str, Callable[..., Any]] = {}


def service(run: Callable[[Call], Summary | None]) -> Callable[[Call], Summary | None]:
    """Names the function that serves a call. Once per script; who returns nothing has served.

    When the caller hangs up, whatever the script waits for raises a ``CallError`` of kind ``"ended"``. Nobody has to catch it:
    that is the normal end. A script that must save something does so in ``finally``; it has about two seconds.

    A mistake (a TypeError, anything raised) goes to the author's log with its stack, and the host lands the caller on the
    agency's fallback.
    """
    functions["service"] = run
    return run


class _Campaign:
    """Names a campaign's functions."""

    @staticmethod
    def prepare(function: Callable[[Contact], wit_campaign.Plan]) -> Callable[[Contact], wit_campaign.Plan]:
        """Asked before dialling; there is no call yet."""
        functions["prepare"] = function
        return function

    @staticmethod
    def run(function: Callable[[Call, Contact], wit_campaign.Disposition]) -> Callable[[Call, Contact], wit_campaign.Disposition]:
        """Talks to who answers."""
        functions["run"] = function
        return function


campaign = _Campaign()


def serve(raw: Any) -> Any:
    """``script.run``."""
    from wit_world.exports import script

    summary = _guarded(lambda: _served(Call(raw)))
    codes: dict[str, Any] = {
        "served": script.ResultCode_Served,
        "transferred": script.ResultCode_Transferred,
        "queued": script.ResultCode_Queued,
        "callback-booked": script.ResultCode_CallbackBooked,
        "abandoned": script.ResultCode_Abandoned,
        "no-service": script.ResultCode_NoService,
    }
    code = codes[summary.code]() if summary.code in codes else script.ResultCode_Custom(summary.code)
    return script.Summary(code, fields_of(summary.fields))


def prepare(raw: Any) -> Any:
    """``campaign.prepare``."""
    from gudok._contact import Contact

    return _guarded(lambda: functions["prepare"](Contact(raw)))


def inform(raw: Any, contact: Any) -> Any:
    """``campaign.run``."""
    from gudok._contact import Contact

    return _guarded(lambda: functions["run"](Call(raw), Contact(contact)))


def _served(call: Call) -> Summary:
    try:
        return functions["service"](call) or served()
    except Failure as failure:
        return no_service(why=failure.kind)


def _guarded(work: Callable[[], T]) -> T:
    """A script's work: what it raises becomes the error that the host understands. A mistake of the script's goes to the
    author's log with its stack; its caller is landed."""
    _surround()
    try:
        return work()
    except CallError as thrown:
        if not thrown.is_end:
            host.error(f"uncaught {thrown}", stack=_stack(thrown))
        raise Err(thrown.to_wit()) from None
    except Err:
        raise
    except Exception as thrown:
        message = f"{type(thrown).__name__}: {thrown}"
        stack = _stack(thrown)
        host.error(f"uncaught {message}", stack=stack)
        place = stack.split("\n", 1)[0]
        raise Err(types.CallError_Internal(f"{message} ({place})" if place else message)) from None


def _stack(thrown: BaseException) -> str:
    """The places of an error in the author's files, the innermost first. The SDK's own tell an author nothing."""
    # Not by extract_tb: that looks for the sources, and there are no files.
    calls = [(frame.f_code, line) for frame, line in traceback.walk_tb(thrown.__traceback__)]
    calls = [(code, line) for code, line in calls if not _is_ours(code.co_filename)]
    return "\n".join(f"src/{_name(code.co_filename)}:{line} in {code.co_name}" for code, line in reversed(calls[-FRAMES_MAX:]))


def _is_ours(file: str) -> bool:
    return "/gudok/" in file or "/wit_world/" in file or file.endswith("gudok_entry.py")


def _name(file: str) -> str:
    """A built script's folder is /0 inside."""
    return file.removeprefix("/0/")


class _Log:
    """What is printed goes to the author's log, line by line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._line = ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._write(line)
        return len(text)

    def flush(self) -> None:
        """Lines are written when they are whole."""


def _surround() -> None:
    """What Python takes for granted and a script must not have from elsewhere: time, randomness, a console. All of it comes
    from the host, so that a call can be replayed."""
    random.seed(host.random_u64())
    time.time = lambda: host.now_millis() / 1_000
    time.time_ns = lambda: host.now_millis() * 1_000_000
    # Tracebacks that a script prints itself do without the lines of its sources.
    linecache.checkcache = lambda filename=None: None
    linecache.updatecache = lambda filename, module_globals=None: []
    stdout: Any = _Log(host.info)
    stderr: Any = _Log(host.warn)
    sys.stdout, sys.stderr = stdout, stderr
