# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""
Small state that outlives a call, under <agency>/<script>/<bucket>: a script cannot name another agency.
Capability "storage"; its parameters name the buckets. Every write is durable when it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import types


@dataclass
class Entry:
    value: bytes
    #: from 1, one more with every write
    version: int


@dataclass
class CasError_Conflict:
    """the version that is there (0 for none)"""
    value: int


@dataclass
class CasError_Failed:
    value: types.CallError


CasError = Union[CasError_Conflict, CasError_Failed]


class Bucket:
    @classmethod
    def open(cls, name: str) -> Bucket:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def get(self, key: str) -> Optional[Entry]:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def set(self, key: str, value: bytes, ttl_seconds: Optional[int]) -> int:
        """
        Answers the new version.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def compare_and_set(self, key: str, expected: int, value: bytes, ttl_seconds: Optional[int]) -> int:
        """
        Writes only if the version is still `expected`; 0 means: only if there is none.

        Raises: `Err(CasError)`
        """
        raise NotImplementedError

    def increment(self, key: str, delta: int) -> int:
        """
        Of a value that is a decimal number, or of none (0). Answers the sum.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Raises: `Err(types.CallError)`"""
        raise NotImplementedError

    def list_keys(self, prefix: str, after: Optional[str], limit: int) -> List[str]:
        """
        In byte order, after `after`; at most `limit`.

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError
