"""What the caller hears: text and typed pieces.

Numbers, dates and amounts are pieces of their own, because the host inflects them for the call's language; a script that
writes them into a text gets them wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Union

from wit_world.imports import prompts
from wit_world.imports.prompts import DigitGrouping as Grouping
from wit_world.imports.prompts import Gender, NounForms
from wit_world.imports.prompts import GrammaticalCase as Case
from wit_world.imports.types import Date, Money, TimeOfDay


@dataclass(frozen=True)
class Piece:
    """One typed piece of a prompt: ``date(…)``, ``counted(…)``."""

    segment: prompts.Segment


@dataclass(frozen=True)
class Prompt:
    """What is said, whole. Every method answers a new one."""

    segments: tuple[prompts.Segment, ...] = ()
    lang: str | None = None
    voice: str | None = None
    interruptible: bool = True
    cacheable: bool = True

    def plus(self, *pieces: Sayable) -> Prompt:
        """With more pieces. What is private stays private."""
        added = [_pieces_of(piece) for piece in pieces]
        segments = self.segments + tuple(segment for piece in added for segment in piece.segments)
        return replace(self, segments=segments, cacheable=self.cacheable and all(piece.cacheable for piece in added))

    def in_language(self, tag: str) -> Prompt:
        """In another language than the call's."""
        return replace(self, lang=tag)

    def in_voice(self, voice: str) -> Prompt:
        """By a voice of the host's configuration."""
        return replace(self, voice=voice)

    def uninterrupted(self) -> Prompt:
        """Heard to its end; keys pressed meanwhile wait for the next question."""
        return replace(self, interruptible=False)

    def private(self) -> Prompt:
        """Said once, a name or a result: its sound is not kept on the host's disk."""
        return replace(self, cacheable=False)

    def to_wit(self) -> prompts.Prompt:
        """As the interface has it."""
        barge_in = prompts.BargeIn.DTMF if self.interruptible else prompts.BargeIn(0)
        return prompts.Prompt(list(self.segments), self.lang, self.voice, barge_in, self.cacheable)


#: Whatever can be said: texts, whole numbers, pieces, prompts, and lists of them.
Sayable = Union[str, int, Piece, Prompt, None, Iterable["Sayable"]]


def prompt(*pieces: Sayable) -> Prompt:
    """A prompt of pieces: ``prompt("Перед вами", counted(21, REQUEST), ".")``."""
    return Prompt().plus(*pieces)


def as_prompt(what: Sayable) -> Prompt:
    """Whatever can be said, as a prompt."""
    return what if isinstance(what, Prompt) else Prompt().plus(what)


def prompt_or_none(what: Sayable) -> prompts.Prompt | None:
    """A prompt that is there, for the host; None where nothing is said."""
    said = as_prompt(what)
    return said.to_wit() if said.segments else None


def _pieces_of(piece: Sayable) -> Prompt:
    if piece is None or piece == "":
        return Prompt()
    if isinstance(piece, Prompt):
        return piece
    if isinstance(piece, Piece):
        return Prompt((piece.segment,))
    if isinstance(piece, str):
        return Prompt((prompts.Segment_Text(piece),))
    if isinstance(piece, bool) or not isinstance(piece, (int, Iterable)):
        message = f"a prompt takes texts, whole numbers and pieces such as date(…) or counted(…), not {piece!r}"
        raise TypeError(message)
    if isinstance(piece, int):
        return _pieces_of(number(piece))
    return Prompt().plus(*piece)


def number(value: int, *, gender: Gender = Gender.MASCULINE, case: Case = Case.NOMINATIVE) -> Piece:
    """двадцать один"""
    return Piece(prompts.Segment_Number(prompts.NumberSpec(value, prompts.Inflection(gender, case))))


def ordinal(value: int, *, gender: Gender = Gender.MASCULINE, case: Case = Case.NOMINATIVE) -> Piece:
    """двадцать первый"""
    return Piece(prompts.Segment_Ordinal(prompts.NumberSpec(value, prompts.Inflection(gender, case))))


def decimal(unscaled: int, scale: int) -> Piece:
    """A decimal fraction: 3,14 is ``decimal(314, 2)``."""
    return Piece(prompts.Segment_Decimal(prompts.DecimalSpec(unscaled, scale)))


def noun(one: str, few: str, many: str, other: str, gender: Gender) -> NounForms:
    """The noun after 1, 2, 5 and 1.5: ``noun("рубль", "рубля", "рублей", "рубля", Gender.MASCULINE)``."""
    return NounForms(one, few, many, other, gender)


def plain_noun(one: str, other: str) -> NounForms:
    """A noun of a language with a singular and a plural: ``plain_noun("day", "days")``."""
    return NounForms(one, other, other, other, Gender.NEUTER)


def counted(value: int, of: NounForms, *, case: Case = Case.NOMINATIVE) -> Piece:
    """двадцать одна заявка"""
    return Piece(prompts.Segment_Counted(prompts.CountedSpec(value, of, case)))


def date(value: Date, *, case: Case = Case.NOMINATIVE, say_year: bool = True, say_weekday: bool = False) -> Piece:
    """пятое мая две тысячи двадцать шестого года"""
    return Piece(prompts.Segment_Date(prompts.DateSpec(value, case, say_year, say_weekday)))


def time(value: TimeOfDay) -> Piece:
    """восемь часов тридцать минут"""
    return Piece(prompts.Segment_Time(value))


def money(value: Money) -> Piece:
    """сто двадцать три рубля сорок пять копеек"""
    return Piece(prompts.Segment_Money(value))


def digits(row: str, grouping: Grouping = Grouping.AUTO) -> Piece:
    """A row of digits, as the host groups it best or as you say."""
    return Piece(prompts.Segment_Digits(prompts.DigitsSpec(row, grouping)))


def key(keys: str) -> Piece:
    """Keys of the telephone by their names: "один", "звёздочка"."""
    return digits(keys, Grouping.ONE_BY_ONE)


def phone(number: str) -> Piece:
    """A telephone number."""
    return digits(number, Grouping.PHONE)


def duration(length_ms: int) -> Piece:
    """две минуты пять секунд"""
    return Piece(prompts.Segment_Duration(length_ms))


def spell(text: str) -> Piece:
    """Letter by letter."""
    return Piece(prompts.Segment_Spell(text))


def ssml(text: str) -> Piece:
    """Text with a small set of SSML 1.1."""
    return Piece(prompts.Segment_Ssml(text))


def media(name: str) -> Piece:
    """A recording of the bundle by its name."""
    return Piece(prompts.Segment_Media(name))


def silence(length_ms: int) -> Piece:
    """A pause."""
    return Piece(prompts.Segment_Silence(length_ms))


def tone(name: str) -> Piece:
    """A tone by its name: "beep"."""
    return Piece(prompts.Segment_Tone(name))


def registration_number(text: str) -> Prompt:
    """A registration number for the ear: letters are spelled, digits said one by one."""
    parts = [part for part in re.split(r"[\W_]+", text) if part]
    return prompt(*(key(part) if re.fullmatch("[0-9]+", part) else spell(part) for part in parts)).private()
