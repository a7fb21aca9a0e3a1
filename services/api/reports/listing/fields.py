"""The fields of the list's rows, by the names of their columns in SQL."""

from dataclasses import dataclass

from services.api.formats.report import Column, Kind
from services.api.reports.row import Row

_TITLES = {
    "id": "Customer no.",
    "owner_id": "Owner no.",
    "business_id": "Business no.",
    "account_id": "Account no.",
    "category_id": "Category no.",
    "deposit_amount": "Deposits held",
    "deposit_account_id": "Deposit account no.",
    "amount_due": "Billed",
    "amount_paid": "Paid manually",
    "online_amount_paid": "Paid online",
    "date_from": "From",
    "date_to": "To",
    "average_payment_terms": "Days to pay",
    "total_paid": "Paid",
}
_KINDS = {
    Kind.ID: ("id", "owner_id", "business_id", "account_id", "category_id", "deposit_account_id"),
    Kind.CLOCK: ("created_at", "updated_at"),
    Kind.FLAG: ("archived",),
    Kind.MONEY: (
        "deposit_amount",
        "amount_due",
        "balance",
        "amount_paid",
        "online_amount_paid",
        "owing",
        "total_paid",
    ),
    Kind.COUNT: ("invoice_count", "invoices"),
    Kind.DATE: ("date_from", "date_to"),
    Kind.DAYS: ("average_payment_terms",),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}

# What is compared with another period.
COMPARED = (
    "amount_due",
    "invoice_count",
    "amount_paid",
    "online_amount_paid",
    "total_paid",
    "owing",
    "average_payment_terms",
)
_OR_NULL = {"amount_paid", "online_amount_paid"}


@dataclass(frozen=True)
class Field:
    """A field of a row: its column in SQL, and the column of a report with its name in JSON."""

    sql: str
    column: Column

    @property
    def kind(self) -> Kind:
        """What the field holds."""
        return self.column.kind

    @property
    def may_be_null(self) -> bool:
        """Whether an amount may be NULL."""
        return self.sql.removeprefix("previous_") in _OR_NULL


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _compared(of: str, title: str) -> tuple[Field, ...]:
    return tuple(
        Field(f"{of}_{name}", Column(f"{of}.{name}", _KIND_OF[name], f"{_title(name)}, {title}"))
        for name in COMPARED
    )


OWN = tuple(
    Field(name, Column(field.alias or name, _KIND_OF.get(name, Kind.TEXT), _title(name)))
    for name, field in Row.model_fields.items()
)
PREVIOUS = _compared("previous", "before")
CHANGE = _compared("change", "change")


def fields(*, is_compared: bool) -> tuple[Field, ...]:
    """Return the fields of a row, in their order."""
    return (*OWN, *PREVIOUS, *CHANGE) if is_compared else OWN


def summed(*, is_compared: bool) -> tuple[Field, ...]:
    """Return the fields that totals have, in their order."""
    kinds = {Kind.MONEY, Kind.COUNT, Kind.DAYS}
    return tuple(each for each in fields(is_compared=is_compared) if each.kind in kinds)
