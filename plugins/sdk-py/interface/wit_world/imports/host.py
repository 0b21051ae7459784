# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""
The script's surroundings: granted to every script. Time and randomness come from here only, so that a call can be
replayed and explored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import types


class Level(Enum):
    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4


def log(level: Level, message: str, fields: List[types.Field]) -> None:
    """
    To the author's log, with the call's id. Numbers of telephones in it are masked. Over the log allowance, lines are
    dropped and counted.
    """
    raise NotImplementedError


def step(name: str) -> None:
    """Names a step of the dialog: a span in the trace, a node of the funnel, an anchor in a replay."""
    raise NotImplementedError


def count(event: str, by: int) -> None:
    """Adds to a counter of the script's own, `gudok_script_events_total{event="…"}`."""
    raise NotImplementedError


def now_millis() -> int:
    """Since the Unix epoch; virtual in the simulator."""
    raise NotImplementedError


def now_local() -> types.Datetime:
    """In the agency's time zone."""
    raise NotImplementedError


def random_u64() -> int:
    raise NotImplementedError


def config(key: str) -> Optional[str]:
    """A value of the script's configuration."""
    raise NotImplementedError


def data(name: str) -> Optional[bytes]:
    """
    A data file of the bundle (under data/), at most 1 MiB. Of `name.toml` there is `name.toml.tree` too, where it is valid
    TOML: parsed by the host, in the wire format of postcard 1.0, for scripts that read it at every call.
    """
    raise NotImplementedError


def granted(capability: str) -> bool:
    """True where it is granted now: lets a script do without instead of failing."""
    raise NotImplementedError


def draining() -> bool:
    """True once a newer version is active or the engine is stopping: finish, start nothing long."""
    raise NotImplementedError
