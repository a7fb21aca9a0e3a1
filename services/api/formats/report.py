"""A report as a table, from which each format is written."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from services.api.businesses.model import Business
from shared.period import Period

Value = int | str | Decimal | date | datetime | bool | None


class Kind(Enum):
    """What a column holds, and so how each format writes it."""

    ID = "id"  # an int
    TEXT = "text"  # a str
    MONEY = "money"  # a Decimal in the business's currency
    COUNT = "count"  # an int
    DAYS = "days"  # a Decimal, a number of days
    PERCENT = "percent"  # a Decimal
    DATE = "date"  # a date
    CLOCK = "clock"  # a datetime without a timezone, as stored
    FLAG = "flag"  # 0 or 1


@dataclass(frozen=True)
class Column:
    """A column of a report. `name` is its field in JSON and its header in CSV."""

    name: str
    kind: Kind
    title: str


@dataclass(frozen=True)
class Report:
    """A report of one business, as a table whose rows are read once.

    `kind` is the first part of file names, such as `income-by-customer`. `rows` begins to read the
    rows, and yields them in batches; each row has a value for each column, in their order. `totals`
    has a value for each column that is added up, by its name.
    """

    kind: str
    title: str
    business: Business
    period: Period
    columns: Sequence[Column]
    rows: Callable[[], AsyncIterator[Sequence[Sequence[Value]]]]
    totals: Mapping[str, Value]
    meta: Mapping[str, object]
