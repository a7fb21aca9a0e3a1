from dataclasses import dataclass

import orjson

from services.api.reports.model import ReportQuery
from services.api.reports.options import ListOptions
from shared.period import Period

# The sorts that do not depend on the period.
_STANDING = frozenset({"balance", "deposit_amount", "business_name", "created_at", "id"})


@dataclass(frozen=True)
class Listing:
    """Which list is wanted: of which business and period, compared with which, and how."""

    query: ReportQuery
    options: ListOptions
    compared: Period | None = None

    @property
    def previous(self) -> ReportQuery | None:
        """The same report for the compared period."""
        if self.compared is None:
            return None
        return ReportQuery(self.query.business_id, self.compared)

    @property
    def is_compared(self) -> bool:
        """Whether each row also has the figures of another period."""
        return self.compared is not None

    @property
    def is_standing(self) -> bool:
        """Whether neither order nor filters depend on the period."""
        options = self.options
        return options.sort.field in _STANDING and not options.depend_on_period

    @property
    def filtered(self) -> str:
        """What decides which rows there are, and with which figures."""
        query, filters = self.query, orjson.dumps(self.options.given()).decode()
        days = f"{query.period.start} {query.period.end} {self.options.basis}"
        return f"{query.business_id} {days} {self.compared} {filters}"

    @property
    def order(self) -> str:
        """What decides which rows there are, and in which order: cursors are bound to it."""
        query, filters = self.query, orjson.dumps(self.options.given()).decode()
        days = f"{query.period.start} {query.period.end} {self.options.basis}"
        return f"{query.business_id} {days} {self.options.sort} {filters}"
