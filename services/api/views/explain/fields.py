"""How each figure of a report row is put together: in words, and from which records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.api.formats.report import Kind
from services.api.reports.basis import Basis

_ISSUED = " whose status is `issued` and whose issue date lies in the period"
_ON_BILLED = " on documents" + _ISSUED + ", whatever the date of the payment"
_RECEIVED = " that are dated in the period, on documents whose status is `issued`, of any date"
_SIGNS = " Credit notes are subtracted."
_REFUNDS = " Refunds are negative payments."


@dataclass(frozen=True)
class Source:
    """A query of queries.sql whose rows are parts, and what it selects by."""

    query: str
    by_issue_date: bool = False
    by_paid_on: bool = False
    channel: str | None = None
    is_subtracted: bool = False


@dataclass(frozen=True)
class Explanation:
    """The meaning of a figure: `definition` is a sentence, and `sources` yield its parts.

    `kind` is the kind of the figure and of its parts.
    """

    definition: str
    sources: tuple[Source, ...]
    kind: Kind = Kind.MONEY


@dataclass(frozen=True)
class Field:
    """A figure of a row that can be explained; `cash` is set if basis changes its meaning."""

    accrual: Explanation
    cash: Explanation | None = field(default=None)

    def explanation(self, basis: Basis) -> Explanation:
        """Return the meaning of the figure on this basis."""
        return self.cash if basis is Basis.CASH and self.cash else self.accrual


_BILLED = Source("documents", by_issue_date=True)
_INVOICES = Explanation(
    "The number of invoices" + _ISSUED + "; each counts 1. Credit notes are not counted.",
    (Source("invoices", by_issue_date=True),),
    Kind.COUNT,
)


def _paid(what: str, channel: str | None) -> Field:
    begin = f"The sum of {what}"
    return Field(
        Explanation(
            begin + _ON_BILLED + "." + _REFUNDS,
            (Source("payments", by_issue_date=True, channel=channel),),
        ),
        Explanation(
            begin + _RECEIVED + "." + _REFUNDS,
            (Source("payments", by_paid_on=True, channel=channel),),
        ),
    )


FIELDS: Mapping[str, Field] = {
    "deposit_amount": Field(
        Explanation(
            "The prepayments that are held now: deposits of type `credit` minus deposits of type"
            " `debit`, of any date.",
            (Source("deposits"),),
        )
    ),
    "amount_due": Field(
        Explanation("The sum of documents" + _ISSUED + "." + _SIGNS, (_BILLED,)),
    ),
    "invoice_count": Field(_INVOICES),
    "balance": Field(
        Explanation(
            "What the customer owes now: the opening balance, plus documents whose status is"
            " `issued`, minus settled payments on them, all of any date." + _SIGNS,
            (
                Source("opening_balance"),
                Source("documents"),
                Source("payments", is_subtracted=True),
            ),
        )
    ),
    "amount_paid": _paid("settled payments with channel `manual`", "manual"),
    "online_amount_paid": _paid("settled payments with channel `online`", "online"),
    "average_payment_terms": Field(
        Explanation(
            "The mean number of days from issue to the latest positive settled payment, over the"
            " invoices above 0" + _ISSUED + " and that are paid in full; rounded to 2 decimals,"
            " ties away from zero; 0 if there is no such invoice. The parts are the days of each"
            " invoice.",
            (Source("paid_in_full", by_issue_date=True),),
            Kind.DAYS,
        )
    ),
    "owing": Field(
        Explanation(
            "What is unpaid of what was billed in the period: documents" + _ISSUED + ", minus"
            " settled payments on them, whatever the date of the payment." + _SIGNS,
            (_BILLED, Source("payments", by_issue_date=True, is_subtracted=True)),
        )
    ),
    "total_paid": _paid("settled payments", None),
    "invoices": Field(_INVOICES),
}
