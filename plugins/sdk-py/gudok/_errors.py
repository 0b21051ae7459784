"""How a host call can fail, and what that means for a script."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from componentize_py_types import Err
from wit_world.imports import types

P = ParamSpec("P")
T = TypeVar("T")

_KINDS = {
    types.CallError_Ended: "ended",
    types.CallError_Denied: "denied",
    types.CallError_Quota: "quota",
    types.CallError_Invalid: "invalid",
    types.CallError_NotFound: "not-found",
    types.CallError_BusyResource: "busy-resource",
    types.CallError_Timeout: "timeout",
    types.CallError_Unavailable: "unavailable",
    types.CallError_Internal: "internal",
}
_CLASSES: dict[str, Any] = {kind: of for of, kind in _KINDS.items()}


class CallError(Exception):
    """What every call to the host may raise.

    Nobody has to catch it: what is not caught ends the call, and the host lands the caller where that is needed. The kind
    ``"ended"`` is the normal end. The kinds: ended, denied, quota, invalid, not-found, busy-resource, timeout, unavailable,
    internal.
    """

    def __init__(self, kind: str, detail: str = "", *, reason: types.EndReason | None = None) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        #: which capability, argument or name; for "ended" the reason
        self.detail = detail
        self.reason = reason

    @property
    def is_end(self) -> bool:
        """True when the call is over: save what must be saved and return."""
        return self.kind == "ended"

    def to_wit(self) -> types.CallError:
        """As the host wants it back."""
        if self.kind == "timeout":
            return types.CallError_Timeout()
        if self.kind == "ended":
            return types.CallError_Ended(self.reason or types.EndReason.CALLER_HANGUP)
        error: types.CallError = _CLASSES[self.kind](self.detail)
        return error


def of_host(error: object) -> CallError | None:
    """An error of the host's as one of ours; None for anything else."""
    kind = _KINDS.get(type(error))
    if kind is None:
        return None
    if isinstance(error, types.CallError_Ended):
        return CallError(kind, error.value.name.lower().replace("_", "-"), reason=error.value)
    return CallError(kind, getattr(error, "value", ""))


def host_call(function: Callable[P, T]) -> Callable[P, T]:
    """Of a function that calls the host: what it answers as an error is raised as a ``CallError``."""

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Err as thrown:
            error = of_host(thrown.value)
            if error is None:
                raise
            raise error from None

    return asked


class Failure(Exception):
    """Why a script cannot go on by itself.

    The caller wants a person (``"operator"``), gave no answer (``"no-answer"``), or what was entered is not what it should be
    (``"not-accepted"``). Who lets it go leaves the caller to the agency's fallback; see ``or_operator``.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"the script cannot go on: {kind}")
        self.kind = kind
