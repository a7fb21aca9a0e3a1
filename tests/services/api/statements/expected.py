"""The model of a statement: its rows, its open items, and every figure that it may show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from tests.services.api.views import aging, rows, statement
from tests.services.api.views.books import Account

Line = tuple[tuple[str, ...], tuple[Decimal, Decimal]]  # numbers of documents, and two figures

_BARS = 13
_PARTS: tuple[Callable[[date], Any], ...] = (
    lambda day: day - timedelta(day.weekday()),
    lambda day: (day.year, day.month),
    lambda day: (day.year, (day.month - 1) // 3),
)


@dataclass(frozen=True)
class Expected:
    """What the statement of an account and a period says."""

    account: Account
    start: date
    end: date

    @property
    def sums(self) -> rows.Row:
        """The terms of the reconciliation, with the balances at both ends."""
        return statement.reconciliation(self.account, self.start, self.end)

    @property
    def ages(self) -> rows.Row:
        return aging.amounts(self.account, self.end)

    @property
    def report(self) -> rows.Row:
        return rows.row(self.account, 1, self.start, self.end)

    @property
    def lines(self) -> list[rows.Row]:
        """The changes of the balance, one for each document and payment."""
        return statement.lines(self.account, self.start, self.end)

    @property
    def activity(self) -> list[Line]:
        """The documents of each row with its change and the balance after it.

        The payments of one transfer are one row, in the place of the last of them.
        """
        lines = self.lines
        keys = [self._transfer(line) or place for place, line in enumerate(lines)]
        balance = statement.opening(self.account, self.start)
        found: list[Line] = []
        for place, key in enumerate(keys):
            if key in keys[place + 1 :]:
                continue
            parts = [line for line, other in zip(lines, keys, strict=True) if other == key]
            change = rows.total(
                (each["charge"] or rows.ZERO) - (each["credit"] or rows.ZERO) for each in parts
            )
            balance += change
            numbers = dict.fromkeys(each["number"] for each in parts)
            found.append((tuple(numbers), (change, balance)))
        return found

    def _transfer(self, line: rows.Row) -> Any:
        if line["kind"] != "payment":
            return None
        [paid] = [each for each, _ in self.account.payments if each.id == line["payment_id"]]
        if not (paid.reference or "").strip():
            return None
        return paid.paid_on, paid.channel, paid.method, paid.reference

    @property
    def open_items(self) -> list[Line]:
        """The documents that are not settled, oldest first, with their totals and open parts."""
        found = [
            (each, aging.open_part(self.account, each, self.end)) for each in self.account.documents
        ]
        found.sort(key=lambda item: (item[0].issue_date, item[0].id))
        return [((each.number,), (rows.signed(each), part)) for each, part in found if part]

    @property
    def headline(self) -> list[Decimal]:
        """Billed, paid and owing: the three figures that matter, without a sign."""
        sums = self.sums
        billed, paid = sums["invoiced"] - sums["credited"], sums["paid"] - sums["refunded"]
        return [abs(billed), abs(paid), abs(sums["closing_balance"])]

    @property
    def bars(self) -> list[Decimal]:
        """Billed and paid of each week, month or quarter: of the shortest of which 13 suffice."""
        every = [self.start + timedelta(days) for days in range((self.end - self.start).days + 1)]
        parts = [dict.fromkeys(part(day) for day in every) for part in _PARTS]
        place = next(place for place, found in enumerate(parts) if len(found) <= _BARS)
        found = {part: [rows.ZERO, rows.ZERO] for part in parts[place]}
        for line in self.lines:
            change = (line["charge"] or rows.ZERO) - (line["credit"] or rows.ZERO)
            is_paid = line["kind"] in {"payment", "refund"}
            found[_PARTS[place](line["date"])][is_paid] += -change if is_paid else change
        amounts = [amount for pair in found.values() for amount in pair]
        return amounts if len(found) > 1 and max(amounts) > 0 else []

    @property
    def figures(self) -> set[Decimal]:
        """Every amount that the statement may show, without a sign."""
        opening = self.account.customer.opening_balance
        report = self.report
        found = {Decimal(0), opening, *self.sums.values(), *self.headline, *self.ages.values()}
        found |= {report[name] for name in ("amount_due", "total_paid", "owing", "balance")}
        found |= {report["deposit_amount"], self.overdue, *self.coming, *self.bars}
        for _, figures in (*self.activity, *self.open_items):
            found |= {*figures}
        return {abs(each) for each in found}

    @property
    def overdue(self) -> Decimal:
        """What is asked for at once: not more than the balance, from which credits are deducted."""
        late = rows.total(self.ages[name] for name in ("1-30", "31-60", "61-90", "over_90"))
        return Decimal(max(rows.ZERO, min(late, self.ages["total"])))

    @property
    def coming(self) -> set[Decimal]:
        """What has to be paid on each day, if it is the next one."""
        due = [
            (each.due_date, part)
            for each in self.account.documents
            if each.due_date and (part := aging.open_part(self.account, each, self.end)) > 0
        ]
        sums = [
            rows.total(part for _, part in parts)
            for _, parts in groupby(sorted(due), key=lambda item: item[0])
        ]
        return {min(each, max(rows.ZERO, self.ages["total"])) for each in sums}
