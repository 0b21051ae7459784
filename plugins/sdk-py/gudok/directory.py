"""Reference data that admins import: offices, services, frequent questions, by municipality. Needs the capability
"directory"."""

from __future__ import annotations

from gudok._call import Call
from gudok._errors import host_call
from gudok._fields import Fields, fields_of
from wit_world.imports import directory as wit
from wit_world.imports.directory import Entry as Entry
from wit_world.imports.directory import EntryKind as EntryKind
from wit_world.imports.directory import Office as Office
from wit_world.imports.directory import Answer as Found
from wit_world.imports.types import Datetime

#: Answers of one question where the script does not say.
LIMIT_DEFAULT = 5


def find_offices(call: Call, having: Fields, *, municipality: str | None = None, limit: int = LIMIT_DEFAULT) -> list[Office]:
    """Offices that have all these values, in the language that the caller is spoken to in."""
    return host_call(wit.find_offices)(fields_of(having), municipality, call.language, limit)


def find_entries(
    call: Call, kind: EntryKind, *, topic: str | None = None, municipality: str | None = None, limit: int = LIMIT_DEFAULT
) -> list[Entry]:
    """Entries of one kind, on a topic or on all."""
    return host_call(wit.find_entries)(kind, topic, municipality, call.language, limit)


def search_faq(call: Call, words: str, *, municipality: str | None = None, limit: int = LIMIT_DEFAULT) -> list[Found]:
    """Frequent questions by their words, the best first."""
    return host_call(wit.search_faq)(words, call.language, municipality, limit)


def is_open(calendar: str, at: Datetime) -> bool:
    """Whether a calendar of this agency or of the centre is open at a moment."""
    return host_call(wit.is_open)(calendar, at)
