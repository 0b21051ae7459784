# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""What the caller enters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import prompts
from wit_world.imports import types


@dataclass
class DigitRule:
    """A row of digits. With `min` equal to `max` no terminator is needed."""
    min: int
    max: int
    #: keys that end the entry and are not part of it, "#"
    terminators: str


@dataclass
class Choice:
    """One key (or, with speech, one of the phrases) and the value it stands for."""
    #: one key, or several for a longer code: "1", "0", "*", "12"
    key: str
    value: str
    phrases: List[str]


@dataclass
class Grammar_Digits:
    value: DigitRule


@dataclass
class Grammar_Choices:
    value: List[Choice]


@dataclass
class Grammar_YesNo:
    """
    1 or "да", 2 or "нет"
    """


@dataclass
class Grammar_Date:
    """eight digits, day first: 05052026"""


@dataclass
class Grammar_Money:
    """rubles, then "*" and two digits of kopecks; "#" ends it"""


@dataclass
class Grammar_Phone:
    """a number of the centre's country or one with "00" and a country code; "#" ends it"""


@dataclass
class Grammar_Snils:
    """11 digits with check sum"""


@dataclass
class Grammar_Inn:
    """10 or 12 digits with check sum"""


@dataclass
class Grammar_OmsPolicy:
    """16 digits with check digit"""


@dataclass
class Grammar_PostalCode:
    """6 digits"""


@dataclass
class Grammar_FreeSpeech:
    """an utterance of at most so many milliseconds; needs a speech recogniser"""
    value: int


Grammar = Union[Grammar_Digits, Grammar_Choices, Grammar_YesNo, Grammar_Date, Grammar_Money, Grammar_Phone, Grammar_Snils, Grammar_Inn, Grammar_OmsPolicy, Grammar_PostalCode, Grammar_FreeSpeech]
"""
What counts as an answer. A closed set, so that a menu can be checked before it is deployed. Check sums are
verified by the host; an entry that fails one is a no-match.
"""


class Modes(Flag):
    DTMF = auto()
    SPEECH = auto()


@dataclass
class Retry:
    """What to say before asking again. Without a prompt of its own, the main prompt is said again."""
    #: how often is asked in all, 1 to 10
    attempts: int
    no_input: Optional[prompts.Prompt]
    no_match: Optional[prompts.Prompt]


@dataclass
class CollectOptions:
    grammar: Grammar
    modes: Modes
    prompt: Optional[prompts.Prompt]
    #: from the end of the prompt to the first key
    first_timeout: int
    #: from key to key
    inter_digit: int
    retry: Retry
    #: masked in logs, traces, journals and recordings
    sensitive: bool
    #: keys that leave the question at once: "0" to an operator, "*" back. Their value is reported as `global`.
    global_keys: List[Choice]


@dataclass
class Value_Text:
    value: str


@dataclass
class Value_Flag:
    value: bool


@dataclass
class Value_Date:
    value: types.Date


@dataclass
class Value_Money:
    value: types.Money


@dataclass
class Value_Phone:
    value: str


Value = Union[Value_Text, Value_Flag, Value_Date, Value_Money, Value_Phone]


class Mode(Enum):
    BY_KEYS = 0
    BY_VOICE = 1


@dataclass
class Collected:
    value: Value
    #: the keys as they were pressed
    raw: str
    mode: Mode
    #: 100 for keys
    confidence: int
    #: on which attempt it succeeded, from 1
    attempt: int


@dataclass
class Outcome_Ok:
    value: Collected


@dataclass
class Outcome_Global:
    """the value of the global key"""
    value: str


@dataclass
class Outcome_NoInput:
    """nothing was entered in any attempt"""


@dataclass
class Outcome_NoMatch:
    """the last entry, which the grammar refused"""
    value: str


Outcome = Union[Outcome_Ok, Outcome_Global, Outcome_NoInput, Outcome_NoMatch]
