"""The script's surroundings: log, steps, counters, clock, configuration, data files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from gudok._fields import Fields, fields_of
from gudok._errors import CallError
from wit_world.imports import host
from wit_world.imports.host import Level as Level
from wit_world.imports.types import Datetime

T = TypeVar("T")


def log(level: Level, message: str, fields: Fields | None = None) -> None:
    """Writes a line to the author's log, with the call's id. Telephone numbers in it are masked."""
    host.log(level, message, fields_of(fields))


def debug(message: str, **fields: object) -> None:
    """What helps while writing."""
    log(Level.DEBUG, message, fields)


def info(message: str, **fields: object) -> None:
    """Something the author wants to know."""
    log(Level.INFO, message, fields)


def warn(message: str, **fields: object) -> None:
    """Something that went wrong and was got over."""
    log(Level.WARN, message, fields)


def error(message: str, **fields: object) -> None:
    """Something that a caller suffered from."""
    log(Level.ERROR, message, fields)


def step(name: str) -> None:
    """Names a step of the dialog: a span in the trace, a node of the flow, an anchor in a replay."""
    host.step(name)


def count(event: str, by: int = 1) -> None:
    """Adds to a counter of the script's own."""
    host.count(event, by)


def now_millis() -> int:
    """Milliseconds since the Unix epoch; virtual in the simulator."""
    return host.now_millis()


def now() -> Datetime:
    """The moment in the agency's time zone."""
    return host.now_local()


def random_u64() -> int:
    """64 random bits. The module ``random`` is seeded with them for each call."""
    return host.random_u64()


def config(key: str) -> str | None:
    """A value of the script's configuration."""
    return host.config(key)


def config_required(key: str) -> str:
    """A value that the script cannot do without; the error tells the admin what to configure."""
    value = config(key)
    if value is None:
        raise CallError("not-found", f"configuration value {key}: set it where the script is deployed")
    return value


def data(name: str) -> bytes:
    """A data file of the bundle, by its name under data/."""
    found = host.data(name)
    if found is None:
        raise CallError("not-found", f"data/{name} in the bundle")
    return bytes(found)


def data_text(name: str) -> str:
    """A text file of the bundle."""
    try:
        return data(name).decode()
    except UnicodeDecodeError as thrown:
        raise CallError("invalid", f"data/{name} is not UTF-8: {thrown.reason}") from None


def data_json(name: str) -> Any:
    """A JSON file of the bundle. What is in it, the script knows."""
    try:
        return json.loads(data_text(name))
    except json.JSONDecodeError as thrown:
        raise CallError("invalid", f"data/{name} is no JSON: line {thrown.lineno}: {thrown.msg}") from None


def granted(capability: str) -> bool:
    """True where a capability is granted now: lets a script do without instead of failing."""
    return host.granted(capability)


def draining() -> bool:
    """True once a newer version is active or the engine is stopping: finish, start nothing long."""
    return host.draining()


def unless_ended(doing_without: str, step: Callable[[], T]) -> T | None:
    """For a step that a script can do without: None, and a warning in the log, where the host could not do it."""
    try:
        return step()
    except CallError as thrown:
        if thrown.is_end:
            raise
        warn(f"{doing_without}: {thrown}")
        return None
