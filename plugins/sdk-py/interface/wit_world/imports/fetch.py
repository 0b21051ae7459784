# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""HTTP with the patience of a call. Capability "fetch"; its parameters name the origins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import secrets
from wit_world.imports import types


class Method(Enum):
    GET = 0
    HEAD = 1
    POST = 2
    PUT = 3
    PATCH = 4
    DELETE = 5


@dataclass
class Request:
    method: Method
    url: str
    headers: List[types.Field]
    body: bytes
    #: for everything, from the first packet to the last byte
    timeout: int
    #: sent as the header Idempotency-Key
    idempotency_key: Optional[str]


@dataclass
class Response:
    status: int
    headers: List[types.Field]
    body: bytes


class Pending:
    """A request on its way, while a prompt plays. Dropping it cancels."""
    def wait(self, timeout: int) -> Optional[Response]:
        """
        none when the time is up; the request goes on

        Raises: `Err(types.CallError)`
        """
        raise NotImplementedError

    def __enter__(self) -> Self: raise NotImplementedError

    def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError


def send(request: Request, auth: Optional[secrets.Secret]) -> Response:
    """
    The host puts `auth` into the Authorization header, as the admin keeps it ("Bearer …"); the script never sees it.

    Raises: `Err(types.CallError)`
    """
    raise NotImplementedError


def start(request: Request, auth: Optional[secrets.Secret]) -> Pending:
    """Raises: `Err(types.CallError)`"""
    raise NotImplementedError
