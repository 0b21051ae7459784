# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""Secrets that an admin keeps for the agency, by name. Capability "secrets"; its parameters name them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import types


class Secret:
    """A secret that the script may hand to `fetch` but not read."""
    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError


def secret_named(name: str) -> Secret:
    """Raises: `Err(types.CallError)`"""
    raise NotImplementedError
