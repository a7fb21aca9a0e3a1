from dataclasses import dataclass
from datetime import date

import orjson

from services.api.aging.fields import amounts
from services.api.aging.model import AgingQuery
from services.api.aging.options import AgingOptions
from services.api.reports.sort import Sort


@dataclass(frozen=True)
class Aging:
    """Which ageing is wanted: of which business and day, and which rows in which order."""

    business_id: int
    as_of: date
    options: AgingOptions

    @property
    def query(self) -> AgingQuery:
        """What the figures of all customers depend on."""
        return AgingQuery(self.business_id, self.as_of, self.options.buckets)

    @property
    def sort(self) -> Sort:
        """The order of the rows, by a column in SQL."""
        wanted = self.options.sort
        names = {each.column.name: each.sql for each in amounts(self.options.buckets)}
        return Sort(names.get(wanted.field, wanted.field), is_descending=wanted.is_descending)

    @property
    def order(self) -> str:
        """What decides which rows there are, and in which order: cursors are bound to it."""
        filters = orjson.dumps(self.options.given()).decode()
        days = f"{self.as_of} {self.options.buckets}"
        return f"aging {self.business_id} {days} {self.options.sort} {filters}"
