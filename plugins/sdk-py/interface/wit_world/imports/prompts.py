# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.
"""What the caller hears. Numbers are data, never text: the host inflects them for the call's language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from types import TracebackType
from typing import List, Optional, Self, Union

from wit_world.imports import types


class Gender(Enum):
    MASCULINE = 0
    FEMININE = 1
    NEUTER = 2


class GrammaticalCase(Enum):
    NOMINATIVE = 0
    GENITIVE = 1
    DATIVE = 2
    ACCUSATIVE = 3
    INSTRUMENTAL = 4
    PREPOSITIONAL = 5


@dataclass
class Inflection:
    gender: Gender
    gram_case: GrammaticalCase


@dataclass
class NounForms:
    """
    The forms of a noun behind a number, by the plural categories of CLDR:
    1 рубль (one), 2 рубля (few), 5 рублей (many), 1,5 рубля (other).
    """
    one: str
    few: str
    many: str
    other: str
    gender: Gender


@dataclass
class NumberSpec:
    value: int
    inflection: Inflection


@dataclass
class CountedSpec:
    """A number and its noun, agreeing: "двадцать одна заявка"."""
    value: int
    noun: NounForms
    gram_case: GrammaticalCase


@dataclass
class DecimalSpec:
    """A decimal fraction: 3,14 is 314 with scale 2."""
    unscaled: int
    scale: int


@dataclass
class DateSpec:
    value: types.Date
    gram_case: GrammaticalCase
    say_year: bool
    say_weekday: bool


class DigitGrouping(Enum):
    """How a row of digits is cut up for the ear. Leading zeros are always said."""
    ONE_BY_ONE = 0
    PAIRS = 1
    TRIPLES = 2
    #: a telephone number the way the call's country says it: 8, 913, 123, 45, 67
    PHONE = 3
    #: an insurance number: triples, then the check digits
    SNILS = 4
    AUTO = 5


@dataclass
class DigitsSpec:
    digits: str
    grouping: DigitGrouping


@dataclass
class Segment_Text:
    """plain text, spoken by the text-to-speech provider"""
    value: str


@dataclass
class Segment_Ssml:
    """text with a small set of SSML 1.1: speak, p, s, break, emphasis, prosody (rate), say-as (digits, characters)"""
    value: str


@dataclass
class Segment_Media:
    """
    a recording of the bundle by its name without language and ending: "welcome"
    """
    value: str


@dataclass
class Segment_Number:
    """
    "двадцать один"
    """
    value: NumberSpec


@dataclass
class Segment_Ordinal:
    """
    "двадцать первый"
    """
    value: NumberSpec


@dataclass
class Segment_Decimal:
    """
    "три целых четырнадцать сотых"
    """
    value: DecimalSpec


@dataclass
class Segment_Counted:
    value: CountedSpec


@dataclass
class Segment_Digits:
    value: DigitsSpec


@dataclass
class Segment_Money:
    """
    "сто двадцать три рубля сорок пять копеек"
    """
    value: types.Money


@dataclass
class Segment_Date:
    """
    "пятое мая две тысячи двадцать шестого года"
    """
    value: DateSpec


@dataclass
class Segment_Time:
    """
    "восемь часов тридцать минут"
    """
    value: types.TimeOfDay


@dataclass
class Segment_Duration:
    """
    "две минуты пять секунд"
    """
    value: int


@dataclass
class Segment_Spell:
    """letter by letter"""
    value: str


@dataclass
class Segment_Silence:
    value: int


@dataclass
class Segment_Tone:
    """
    a tone by its name: "beep", "ringback", "busy"
    """
    value: str


Segment = Union[Segment_Text, Segment_Ssml, Segment_Media, Segment_Number, Segment_Ordinal, Segment_Decimal, Segment_Counted, Segment_Digits, Segment_Money, Segment_Date, Segment_Time, Segment_Duration, Segment_Spell, Segment_Silence, Segment_Tone]
"""One piece of a prompt."""


class BargeIn(Flag):
    """What interrupts a prompt. With no flag it is heard to its end."""
    DTMF = auto()
    SPEECH = auto()


@dataclass
class Prompt:
    segments: List[Segment]
    #: the call's language where none is given
    lang: Optional[str]
    voice: Optional[str]
    barge_in: BargeIn
    #: false for what is said once (a name, a code): its sound is not kept on disk
    cacheable: bool
