# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""
Reading a secret's text. Capability "secrets" with `reveal = true`. An interface of its own, because `fetch` brings the
whole interface `secrets` into a component that some languages build, and nobody should need this for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import secrets
from wit_world.imports import types


def reveal(secret: secrets.Secret) -> str:
    """Raises: `Err(types.CallError)`"""
    raise NotImplementedError
