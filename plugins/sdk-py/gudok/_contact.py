"""Whom a campaign calls: what the list has of them, by its columns."""

from __future__ import annotations

import re

from gudok._values import parse_date, parse_rubles, parse_whole
from wit_world.exports import campaign
from wit_world.imports.types import Date, Field, Money


class Contact:
    """A column that is empty for somebody is not there for them."""

    def __init__(self, raw: campaign.Contact) -> None:
        self.id: str = raw.id
        self.number: str = raw.number
        #: from 1
        self.attempt: int = raw.attempt
        self.attributes: list[Field] = raw.attributes

    def field(self, name: str) -> str | None:
        """A column's text, without spaces around it."""
        found = (field.value.strip() for field in self.attributes if field.name == name)
        return next(found, "") or None

    def whole(self, name: str) -> int | None:
        """A column's whole number: "12", "1 200"."""
        text = self.field(name)
        return None if text is None else parse_whole(text)

    def money(self, name: str) -> Money | None:
        """A column's amount in rubles: "1234", "1234.5", "1 234,56"."""
        text = self.field(name)
        return None if text is None else parse_rubles(text)

    def date(self, name: str) -> Date | None:
        """A column's day: "2026-12-01" or "01.12.2026"."""
        text = self.field(name)
        return None if text is None else parse_date(re.sub(r"^(\d{2})\.(\d{2})\.(\d{4})$", r"\3-\2-\1", text))
