"""Small values that outlive a call, as JSON. Needs the capability "storage" for the bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from componentize_py_types import Err
from gudok._errors import CallError, host_call, of_host
from wit_world.imports import storage as wit

#: How often an update is tried before it is given up: each failure means that another call's update succeeded.
UPDATE_ATTEMPTS_MAX = 16


class Bucket:
    """A bucket of the agency's. Every write is durable when it answers."""

    def __init__(self, raw: wit.Bucket) -> None:
        self.raw = raw

    @classmethod
    def open(cls, name: str) -> Bucket:
        """Opens a bucket that the manifest names."""
        return cls(host_call(wit.Bucket.open)(name))

    def value(self, key: str) -> Any:
        """The value of a key; None where there is none. What it is, the script knows."""
        return self._read(key)[0]

    def set(self, key: str, value: Any, *, ttl_seconds: int | None = None) -> None:
        """Writes, whatever was there; kept for so many seconds, or for good."""
        host_call(self.raw.set)(key, _encode(value), ttl_seconds)

    def update(self, key: str, change: Callable[[Any], Any], *, ttl_seconds: int | None = None) -> Any:
        """Changes a value so that no other call's change is lost, and answers the new one. ``change`` may run several times."""
        for _ in range(UPDATE_ATTEMPTS_MAX):
            value, version = self._read(key)
            changed = change(value)
            if self._write_if(key, version, changed, ttl_seconds):
                return changed
        raise CallError("busy-resource", f"key {key}: changed {UPDATE_ATTEMPTS_MAX} times meanwhile")

    def increment(self, key: str, by: int = 1) -> int:
        """Adds to a decimal number, and answers the sum."""
        return host_call(self.raw.increment)(key, by)

    def delete(self, key: str) -> None:
        """Forgets a key."""
        host_call(self.raw.delete)(key)

    def keys(self, prefix: str = "", *, after: str | None = None, limit: int = 100) -> list[str]:
        """Keys in byte order, after ``after``."""
        return host_call(self.raw.list_keys)(prefix, after, limit)

    def _read(self, key: str) -> tuple[Any, int]:
        entry = host_call(self.raw.get)(key)
        if entry is None:
            return None, 0
        try:
            return json.loads(bytes(entry.value)), entry.version
        except ValueError:
            raise CallError("invalid", f"key {key} holds what is not JSON") from None

    def _write_if(self, key: str, version: int, value: Any, ttl_seconds: int | None) -> bool:
        """Whether nobody else wrote meanwhile."""
        try:
            self.raw.compare_and_set(key, version, _encode(value), ttl_seconds)
        except Err as thrown:
            if isinstance(thrown.value, wit.CasError_Conflict):
                return False
            error = of_host(getattr(thrown.value, "value", None))
            if error is None:
                raise
            raise error from None
        return True


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
