"""Describes the bounds of a setting."""

from datetime import timedelta
from typing import Any

from pydantic.fields import FieldInfo


def requirement(field: FieldInfo) -> str | None:
    """Return the message for a number or duration out of bounds; None if there are no bounds."""
    above, least, most = (_bound(field, side) for side in ("gt", "ge", "le"))
    noun = _noun(field.annotation)
    if least is not None and most is not None:
        return f"should be{noun} between {_written(least)} and {_written(most)}"
    low = f"at least {_written(least)}" if least is not None else f"more than {_written(above)}"
    bounds = [low] if least is not None or above is not None else []
    bounds += [f"at most {_written(most)}"] if most is not None else []
    if not bounds:
        return None
    return f"should be{f'{noun}:' if noun else ''} {' and '.join(bounds)}"


def _noun(kind: Any) -> str:
    if kind is int:
        return " a whole number"
    return " a number" if kind in (float, float | None) else ""


def _bound(field: FieldInfo, side: str) -> Any:
    # The narrowest bound is last.
    return next(
        (getattr(each, side) for each in reversed(field.metadata) if hasattr(each, side)), None
    )


def _written(bound: Any) -> str:
    if not isinstance(bound, timedelta):
        return str(bound)
    seconds = int(bound.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
