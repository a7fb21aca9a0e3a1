from enum import StrEnum
from typing import Literal


class Basis(StrEnum):
    """By which date payments belong to a period."""

    # The payments on the documents of the period, whatever the date of the payment.
    ACCRUAL = "accrual"
    # The payments that are dated in the period, whatever the date of the document.
    CASH = "cash"

    @property
    def date_field(self) -> Literal["issue_date", "paid_on"]:
        """The column of the ledger whose date decides."""
        return "paid_on" if self is Basis.CASH else "issue_date"
