"""One row for the payments of one transfer, as the customer's bank shows it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from shared.statements.model import Transaction


class Entry(NamedTuple):
    """A row of a statement: a transaction, or the payments of one transfer, and their balance."""

    parts: tuple[Transaction, ...]
    balance: Decimal

    @property
    def first(self) -> Transaction:
        """The transaction, or one of the payments: all have the same day and reference."""
        return self.parts[0]

    @property
    def change(self) -> Decimal:
        """The amount added to the balance."""
        return sum((part.change for part in self.parts), Decimal(0))


def entries(transactions: Iterable[Transaction]) -> Iterator[Entry]:
    """Yield the rows of a statement, in order.

    Payments of the same day, channel, method and reference are one row, in the place of the last
    of them; payments without a reference stay alone.
    """
    for _, day in groupby(transactions, key=lambda transaction: transaction.date):
        yield from _of_day(list(day))


def _of_day(day: list[Transaction]) -> Iterator[Entry]:
    if len(day) == 1:
        yield Entry((day[0],), day[0].balance)
        return
    transfers: dict[object, list[Transaction]] = defaultdict(list)
    for transaction in day:
        if _is_transfer(transaction):
            transfers[_key(transaction)].append(transaction)
    if all(len(parts) == 1 for parts in transfers.values()):
        yield from (Entry((transaction,), transaction.balance) for transaction in day)
        return
    running = day[0].balance - day[0].change
    for transaction in day:
        parts = transfers[_key(transaction)] if _is_transfer(transaction) else [transaction]
        if transaction is parts[-1]:
            running += sum((part.change for part in parts), Decimal(0))
            yield Entry(tuple(parts), running)


def _is_transfer(transaction: Transaction) -> bool:
    return transaction.kind == "payment" and bool((transaction.reference or "").strip())


def _key(transaction: Transaction) -> object:
    return transaction.channel, transaction.method, transaction.reference
