# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""What a service script or a menu exports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import telephony
from wit_world.imports import types


@dataclass
class ResultCode_Served:
    pass


@dataclass
class ResultCode_Transferred:
    pass


@dataclass
class ResultCode_Queued:
    pass


@dataclass
class ResultCode_CallbackBooked:
    pass


@dataclass
class ResultCode_Abandoned:
    pass


@dataclass
class ResultCode_NoService:
    pass


@dataclass
class ResultCode_Custom:
    value: str


ResultCode = Union[ResultCode_Served, ResultCode_Transferred, ResultCode_Queued, ResultCode_CallbackBooked, ResultCode_Abandoned, ResultCode_NoService, ResultCode_Custom]


@dataclass
class Summary:
    code: ResultCode
    fields: List[types.Field]
