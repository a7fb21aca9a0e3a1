"""Reads report rows without losing the order of fields and the digits of numbers."""

import json
from typing import Any

from tests.services.api.reports.naive_model import Number


def as_on_the_wire(text: str | bytes) -> Any:
    """Return JSON with each object as its list of pairs, and each number as its digits."""
    return json.loads(
        text, parse_int=Number, parse_float=Number, object_pairs_hook=lambda pairs: pairs
    )


def as_pairs(rows: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return [list(row.items()) for row in rows]
