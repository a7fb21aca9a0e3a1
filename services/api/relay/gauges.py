"""Gauges that show all databases of a relay together."""

import math
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import Gauge

Combine = Callable[[Iterable[float]], float]
_TOTAL: Final[Combine] = sum


class Gauges:
    """The latest number of each database for each gauge and label.

    A database whose number is not known is left out. If none is known, the gauge is NaN.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Gauge, str | None], dict[str, float]] = {}

    def set(
        self,
        database: str,
        gauge: Gauge,
        number: float,
        label: str | None = None,
        *,
        combine: Combine = _TOTAL,
    ) -> None:
        """Set the number of a database, and show all of them as one."""
        numbers = self._known.setdefault((gauge, label), {})
        numbers[database] = number
        known = [each for each in numbers.values() if not math.isnan(each)]
        shown = gauge if label is None else gauge.labels(label)
        shown.set(combine(known) if known else math.nan)
