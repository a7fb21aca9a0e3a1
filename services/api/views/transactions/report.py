"""A customer's account as JSON, and as a table for the other formats."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from services.api.businesses.model import Business
from services.api.formats.json_value import Amounts, as_json, plain, row_as_json
from services.api.formats.report import Kind, Report
from services.api.reports.meta import describe
from services.api.views.snapshot import Snapshot
from services.api.views.transactions.model import COLUMNS
from services.api.views.transactions.store import Account, AccountQuery, Line

# What leads from the opening to the closing balance, with the words of the page.
STEPS = {
    "opening_balance": "Opening balance",
    "invoiced": "Invoiced",
    "credited": "Credited",
    "paid": "Paid",
    "refunded": "Refunded",
    "closing_balance": "Closing balance",
}


@dataclass(frozen=True)
class Statement:
    """An account over a period as one snapshot has it."""

    query: AccountQuery
    account: Account
    business: Business
    meta: Mapping[str, object]

    @classmethod
    def at(cls, query: AccountQuery, account: Account, at: Snapshot) -> "Statement":
        """Return the account as `at` has it."""
        meta = describe(at.business, query.period, ledger_version=at.version)
        return cls(query, account, at.business, meta.to_fields())

    def members(
        self, lines: Sequence[Line], next_cursor: str | None, amounts: Amounts
    ) -> dict[str, object]:
        """Return the members of the answer in JSON, with a page of the lines."""
        steps = {name: as_json(Kind.MONEY, getattr(self.account, name), amounts) for name in STEPS}
        return {
            "opening_balance": steps["opening_balance"],
            "data": [row_as_json(COLUMNS, line, amounts) for line in lines],
            "closing_balance": steps["closing_balance"],
            "reconciliation": {**steps, "holds": self.account.holds},
            "next_cursor": next_cursor,
            "meta": self.meta,
        }

    def report(self, batches: Callable[[], AsyncIterator[Sequence[Line]]]) -> Report:
        """Return the lines as a table; its totals are those of the whole period."""
        account = self.account
        return Report(
            kind=f"transactions-of-customer-{self.query.customer_id}",
            title=f"Transactions of customer {self.query.customer_id}",
            business=self.business,
            period=self.query.period,
            columns=COLUMNS,
            rows=batches,
            totals={
                "charge": account.invoiced + account.refunded,
                "credit": account.credited + account.paid,
            },
            meta={
                **self.meta,
                "opening_balance": plain(account.opening_balance),
                "closing_balance": plain(account.closing_balance),
            },
        )
