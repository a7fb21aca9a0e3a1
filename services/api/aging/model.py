"""What is asked for: the day, and the bounds of the buckets."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

_BUCKETS_MAX = 8
_DAYS_MAX = 3650
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True)
class Buckets:
    """The buckets of amounts that are past due; `ends` has the last day past due of each.

    What is past due for longer than the last end has a bucket of its own.
    """

    ends: tuple[int, ...] = (30, 60, 90)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the buckets in the answer: `1-30`, `31-60`, `61-90`, `over_90`."""
        firsts = (1, *(end + 1 for end in self.ends))
        closed = (f"{first}-{end}" for first, end in zip(firsts, self.ends, strict=False))
        return (*closed, f"over_{self.ends[-1]}")

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all amounts of a row that add up to its total."""
        return ("not_due", *self.names, "no_due_date", "credits", "opening")

    def __str__(self) -> str:
        return ",".join(map(str, self.ends))


@dataclass(frozen=True)
class AgingQuery:
    """The business, the day at whose end its receivables are shown, and the buckets."""

    business_id: int
    as_of: date
    buckets: Buckets


def buckets(text: str) -> Buckets:
    """Read the ends of buckets, such as `30,60,90`. Raises ValueError if they are none."""
    numbers = text.split(",", _BUCKETS_MAX)
    if len(numbers) > _BUCKETS_MAX:
        raise ValueError(f"should be at most {_BUCKETS_MAX} numbers")
    if not all(_NUMBER.fullmatch(each) and int(each) <= _DAYS_MAX for each in numbers):
        raise ValueError(
            f"should be whole numbers from 1 to {_DAYS_MAX}, separated by commas, such as 30,60,90"
        )
    ends = tuple(map(int, numbers))
    if any(first >= second for first, second in pairwise(ends)):
        raise ValueError("should be in ascending order, each number once")
    return Buckets(ends)
