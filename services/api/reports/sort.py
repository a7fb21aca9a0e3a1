from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator


@dataclass(frozen=True)
class Sort:
    """An order of rows: by one field, and by id where it is equal. NULL comes last both ways."""

    field: str
    is_descending: bool = False

    def __str__(self) -> str:
        return f"-{self.field}" if self.is_descending else self.field


def sort_by(fields: Collection[str]) -> BeforeValidator:
    """Return the validator that reads the name of one of `fields`, with `-` for descending."""
    return BeforeValidator(lambda value: read_sort(value, fields))


def read_sort(value: object, fields: Collection[str]) -> Any:
    """Read the name of one of `fields`, with `-` for descending. Raises ValueError if it is none.

    What is no text is left to the next validator.
    """
    if not isinstance(value, str):
        return value
    field = value.removeprefix("-")
    if field not in fields:
        raise ValueError(f"should be one of {', '.join(fields)}, with a leading - for descending")
    return Sort(field, is_descending=value.startswith("-"))


def sort_schema(fields: Collection[str]) -> dict[str, Any]:
    """Return the JSON Schema of a sort by one of `fields`."""
    return {"type": "string", "enum": [f"{sign}{field}" for field in fields for sign in ("", "-")]}
