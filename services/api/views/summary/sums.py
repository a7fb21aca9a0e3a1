"""The figures of customers, of one or added up."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.api.formats.report import Value
from services.api.views.summary.query import BEFORE, OF_TODAY

BYTES = 4000  # of memory that the figures of two periods take, about
_PLACES = -4  # of a unit
_CENT = Decimal("0.01")  # to which a mean is rounded
_CHANNELS = ("amount_paid", "online_amount_paid")


@dataclass(frozen=True)
class Sums:
    """The figures of some customers, or of one; `id` and `name` are those of a category or of it.

    `previous` are those of the compared period, if there is one.
    """

    id: int | None
    name: str | None
    customers: int
    active: int
    figures: Mapping[str, Value]
    previous: Mapping[str, Value] | None

    @property
    def change(self) -> Mapping[str, Value] | None:
        """The figures minus the previous ones, null counted as 0."""
        if self.previous is None:
            return None
        return {
            name: number(self.figures[name]) - number(before)
            for name, before in self.previous.items()
        }


def number(value: Value) -> Decimal:
    """Return a figure as a number, null as 0."""
    return Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)


def sums(row: Mapping[str, Any], *, is_one: bool, is_compared: bool) -> Sums:
    """Return the figures of a row, which is of one customer or of several."""
    return Sums(
        id=row["id"],
        name=row["name"],
        customers=row["customers"],
        active=row["active"],
        figures={
            **{name: _amount(row[name]) or Decimal(0) for name in OF_TODAY},
            **_figures(row, "", is_one=is_one),
        },
        previous=_figures(row, BEFORE, is_one=is_one) if is_compared else None,
    )


def _figures(row: Mapping[str, Any], prefix: str, *, is_one: bool) -> dict[str, Value]:
    """Return the figures of a period, of one customer or of several, for whom null counts as 0."""
    manual, online = (_amount(row[f"{prefix}{name}"]) for name in _CHANNELS)
    invoices = int(row[f"{prefix}invoice_count"] or 0)
    return {
        "amount_due": _amount(row[f"{prefix}amount_due"]) or Decimal(0),
        "invoice_count": invoices,
        "amount_paid": manual if is_one else number(manual),
        "online_amount_paid": online if is_one else number(online),
        "average_payment_terms": _mean(row[f"{prefix}days"], row[f"{prefix}paid_in_full"]),
        "owing": _amount(row[f"{prefix}owing"]) or Decimal(0),
        "total_paid": number(manual) + number(online),
        "invoices": invoices,
    }


def _amount(units: int | Decimal | None) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(_PLACES)


def _mean(days: int | Decimal | None, documents: int | Decimal | None) -> Decimal:
    if not documents:
        return Decimal(0)
    return (Decimal(days or 0) / Decimal(documents)).quantize(_CENT, ROUND_HALF_UP)
