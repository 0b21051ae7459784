"""Named values: for tags, screens, tickets, logs."""

from __future__ import annotations

from collections.abc import Mapping

from wit_world.imports.types import Field

#: What is None is left out.
Fields = Mapping[str, object]


def fields_of(values: Fields | None) -> list[Field]:
    """A mapping's values as the interface's fields."""
    return [Field(name, str(value)) for name, value in (values or {}).items() if value is not None]
