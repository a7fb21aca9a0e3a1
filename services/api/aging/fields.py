"""The fields of a row, by the names of their columns in SQL."""

from dataclasses import dataclass

from services.api.aging.model import Buckets
from services.api.formats.report import Column, Kind

_CUSTOMER = (
    Column("id", Kind.ID, "Customer no."),
    Column("business_name", Kind.TEXT, "Customer"),
)
_OTHERS = {
    "not_due": "Not due",
    "no_due_date": "No due date",
    "credits": "Credits",
    "opening": "Opening balance",
    "total": "Total",
}


@dataclass(frozen=True)
class Field:
    """An amount of a row: its column in SQL, and the column of a report with its name in JSON."""

    sql: str
    column: Column


def amounts(buckets: Buckets) -> tuple[Field, ...]:
    """Return the amounts of a row, in their order; the total is the last one."""
    past_due = (
        Field(f"bucket_{place}", Column(name, Kind.MONEY, _title(name)))
        for place, name in enumerate(buckets.names, start=1)
    )
    not_due, *rest = (
        Field(name, Column(name, Kind.MONEY, title)) for name, title in _OTHERS.items()
    )
    return (not_due, *past_due, *rest)


def columns(buckets: Buckets) -> tuple[Column, ...]:
    """Return the columns of a row, in their order."""
    return (*_CUSTOMER, *(each.column for each in amounts(buckets)))


def _title(name: str) -> str:
    if name.startswith("over_"):
        return f"Over {name.removeprefix('over_')} days"
    return f"{name} days".replace("-", "–")
