"""Shows what the model found as JSON does, and reads JSON without losing a digit."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

from tests.services.api.reports.naive_model import Number, number


def wire(value: Any) -> Any:
    """A value of the model with each number as its digits on the wire."""
    if isinstance(value, dict):
        return {name: wire(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [wire(each) for each in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    assert isinstance(value, int | Decimal)
    return number(value)


def read(text: str | bytes) -> Any:
    """JSON with each number as its digits."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def assert_same(shown: Any, expected: Any, place: str = "") -> None:
    """Compare values of `read` and `wire`; a failure names the place, and shows only it."""
    if isinstance(shown, dict) and isinstance(expected, dict):
        assert {*shown} == {*expected}, f"{place}: fields {list(shown)}, not {list(expected)}"
        for name in expected:
            assert_same(shown[name], expected[name], f"{place}.{name}")
    elif isinstance(shown, list) and isinstance(expected, list):
        for index, (one, other) in enumerate(zip(shown, expected, strict=False)):
            assert_same(one, other, f"{place}[{index}]")
        assert len(shown) == len(expected), f"{place}: {len(shown)} items, not {len(expected)}"
    else:
        # A number and a text of the same digits differ in their repr.
        assert repr(shown) == repr(expected), f"{place}: {shown!r}, not {expected!r}"
