"""Dates, times and amounts: how data files and back ends write them."""

from __future__ import annotations

import re

from wit_world.imports.types import Date, Datetime, Money, TimeOfDay

_MINUTES_PER_DAY = 24 * 60


def parse_date(text: str) -> Date | None:
    """Reads "2026-05-05"; None unless it is a day of the calendar."""
    parts = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text, re.ASCII)
    if parts is None:
        return None
    year, month, day = (int(part) for part in parts.groups())
    return Date(year, month, day) if 1 <= day <= _days_in(month, year) else None


def parse_time(text: str) -> TimeOfDay | None:
    """Reads "08:30"."""
    parts = re.fullmatch(r"(\d{2}):(\d{2})", text, re.ASCII)
    if parts is None:
        return None
    hour, minute = (int(part) for part in parts.groups())
    return TimeOfDay(hour, minute) if hour < 24 and minute < 60 else None


def minutes_of(time: TimeOfDay) -> int:
    """So many minutes since midnight."""
    return time.hour * 60 + time.minute


def weekday(date: Date) -> int:
    """From 0 for Monday to 6 for Sunday."""
    return (_number(date) + 1) % 7


def days_between(start: Date, end: Date) -> int:
    """Days from one to another; below zero where the other lies before."""
    return _number(end) - _number(start)


def next_day(date: Date) -> Date:
    """The day after."""
    if date.day < _days_in(date.month, date.year):
        return Date(date.year, date.month, date.day + 1)
    return Date(date.year + 1, 1, 1) if date.month == 12 else Date(date.year, date.month + 1, 1)


def in_minutes(moment: Datetime, minutes: int) -> Datetime:
    """So many minutes later, by the same offset from UTC."""
    days, of_day = divmod(minutes_of(moment.time) + minutes, _MINUTES_PER_DAY)
    date = moment.date
    for _ in range(days):
        date = next_day(date)
    return Datetime(date, TimeOfDay(*divmod(of_day, 60)), moment.utc_offset_minutes)


def kopecks(minor_units: int) -> Money:
    """So many kopecks."""
    return Money(minor_units, "RUB")


def parse_rubles(text: str) -> Money | None:
    """An amount of rubles as lists write it: "1234", "1234.5", "1 234,56"."""
    parts = re.fullmatch(r"(\d+)(?:[.,](\d{0,2}))?", re.sub(r"\s", "", text), re.ASCII)
    if parts is None:
        return None
    minor_units = int(parts[1]) * 100 + int((parts[2] or "").ljust(2, "0"))
    return kopecks(minor_units) if minor_units < 2**63 else None


def parse_whole(text: str) -> int | None:
    """A whole number as lists write it: "12", "1 200", "-3"."""
    packed = re.sub(r"\s", "", text)
    return int(packed) if re.fullmatch(r"-?\d+", packed, re.ASCII) else None


def _number(date: Date) -> int:
    """Counted through the calendar, in years that begin with March: then the leap day is the last of its year."""
    year, month = (date.year - 1, date.month + 9) if date.month <= 2 else (date.year, date.month - 3)
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 + 2) // 5 + date.day


def _days_in(month: int, year: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    if not 1 <= month <= 12:
        return 0
    return 30 if month in (4, 6, 9, 11) else 31
