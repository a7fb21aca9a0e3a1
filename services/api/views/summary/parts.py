"""The parts of a summary by ranges of customers, which are kept to read only what changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import NamedTuple, Self

from services.api.views.summary.sums import BYTES, Sums, number

SPARE = 20  # of the largest customers, more than are shown
_PART_BYTES = 1000  # of memory that a part takes, about


class Part(NamedTuple):
    """What customers of one category have together: their number, the active ones, the figures."""

    category: int
    name: str
    figures: Sequence[int]


class Ranges(NamedTuple):
    """Ranges of customers. Ids in one of them are equal but for the last `shift` bits."""

    shift: int

    @classmethod
    def between(cls, first: int, last: int, most: int) -> Self:
        """Return at most so many ranges, of equal length, with all ids from first to last.

        If there are ids below zero and others, there are two at least.
        """
        shift = 0
        while (last >> shift) - (first >> shift) >= max(most, 2):
            shift += 1
        return cls(shift)

    def of(self, customer: int) -> int:
        """Return the range of a customer."""
        return customer >> self.shift

    def ends(self, place: int) -> tuple[int, int]:
        """Return the first and the last id of a range."""
        return place << self.shift, (place + 1 << self.shift) - 1


@dataclass(frozen=True)
class Largest:
    """Customers in their order: all of them that do not come after `last`, or all if it is None."""

    by: str
    customers: Sequence[Sums]
    last: tuple[bool, Decimal, int] | None

    @classmethod
    def first(cls, by: str, found: Iterable[Sums], most: int) -> Self:
        """Return the first customers, at most so many, of all that do not come after these."""
        everyone = cls(by, (), None)
        return everyone.but((), found, most)

    def but(self, changed: Collection[int], found: Iterable[Sums], most: int) -> Self:
        """Return the same, but the customers that changed are as `found` has them, or are gone."""
        kept = (each for each in self.customers if each.id not in changed)
        near = (each for each in found if self.last is None or self._place(each) <= self.last)
        customers = sorted(chain(kept, near), key=self._place)
        if len(customers) < most:
            return type(self)(self.by, customers, self.last)
        return type(self)(self.by, customers[:most], self._place(customers[most - 1]))

    def has(self, count: int) -> bool:
        """Return whether these are enough to show so many."""
        return self.last is None or len(self.customers) >= count

    def _place(self, each: Sums) -> tuple[bool, Decimal, int]:
        value = each.figures[self.by]
        return value is None, number(value).copy_negate(), each.id or 0


@dataclass(frozen=True)
class Parts:
    """What a summary at a version was made of: sums of each range, and the largest customers."""

    version: str
    ranges: Ranges
    of_range: Mapping[int, Sequence[Part]]
    largest: Largest

    @property
    def size(self) -> int:
        """About the bytes of memory that this takes."""
        parts = sum(len(each) for each in self.of_range.values())
        return _PART_BYTES * parts + BYTES * len(self.largest.customers)

    def by_category(self) -> Sequence[Part]:
        """Return the sums of each category that has customers."""
        found: dict[int, list[Part]] = {}
        for each in chain.from_iterable(self.of_range.values()):
            found.setdefault(each.category, []).append(each)
        return [
            Part(category, parts[0].name, added(part.figures for part in parts))
            for category, parts in found.items()
        ]


def added(figures: Iterable[Sequence[int]]) -> Sequence[int]:
    """Return the sums of each figure."""
    return [sum(each) for each in zip(*figures, strict=True)]
