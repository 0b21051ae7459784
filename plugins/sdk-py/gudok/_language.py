"""Texts in several languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def choose(tag: str, texts: Mapping[str, T]) -> T:
    """What fits a language tag best: the same tag, else the same language ("ru" for "ru-RU"), else the first."""
    for of, text in texts.items():
        if of.lower() == tag.lower():
            return text
    for of, text in texts.items():
        if primary(of) == primary(tag):
            return text
    return next(iter(texts.values()))


def primary(tag: str) -> str:
    """The language of a tag, without the country."""
    return re.split("[-_]", tag)[0].lower()
