from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.api.core.money import Amount
from services.api.formats.report import Column, Kind
from services.api.reports.meta import Meta
from services.api.reports.row import Id
from services.api.views.model import NextCursor

COLUMNS = (
    Column("date", Kind.DATE, "Date"),
    Column("kind", Kind.TEXT, "Kind"),
    Column("number", Kind.TEXT, "Number"),
    Column("document_id", Kind.ID, "Document"),
    Column("payment_id", Kind.ID, "Payment"),
    Column("charge", Kind.MONEY, "Charge"),
    Column("credit", Kind.MONEY, "Credit"),
    Column("balance", Kind.MONEY, "Balance"),
)


class Line(BaseModel):
    """A document or a payment, and the balance after it."""

    model_config = ConfigDict(frozen=True)

    date: Annotated[date, Field(description="`issue_date` of a document, `paid_on` of a payment.")]
    kind: Literal["invoice", "credit_note", "payment", "refund"]
    number: Annotated[str, Field(description="The number of the document.")]
    document_id: Annotated[
        Id, Field(description="The document, or the document that the payment is on.")
    ]
    payment_id: Annotated[Id | None, Field(description="The payment; null for a document.")]
    charge: Annotated[
        Amount | None, Field(description="What an invoice or a refund adds to the balance.")
    ]
    credit: Annotated[
        Amount | None, Field(description="What a credit note or a payment takes from the balance.")
    ]
    balance: Annotated[Amount, Field(description="What the customer owes after this line.")]


class Reconciliation(BaseModel):
    """How the opening balance and all lines of the period lead to the closing balance."""

    model_config = ConfigDict(frozen=True)

    opening_balance: Amount
    invoiced: Annotated[Amount, Field(description="The sum of the invoices.")]
    credited: Annotated[Amount, Field(description="The sum of the credit notes, to subtract.")]
    paid: Annotated[Amount, Field(description="The sum of the payments, to subtract.")]
    refunded: Annotated[Amount, Field(description="The sum of the refunds, as a positive amount.")]
    closing_balance: Amount
    holds: Annotated[
        bool,
        Field(
            description="Whether `opening_balance` + `invoiced` - `credited` - `paid` + `refunded`"
            " is `closing_balance`, which is added up on its own."
        ),
    ]


class Transactions(BaseModel):
    """A customer's account over a period, as the statement has it that is mailed."""

    model_config = ConfigDict(frozen=True)

    opening_balance: Annotated[
        Amount, Field(description="What the customer owed at the end of the day before the period.")
    ]
    data: Annotated[
        tuple[Line, ...],
        Field(
            description="By day; on each day documents before payments, and those of one sort by"
            " id."
        ),
    ]
    closing_balance: Annotated[
        Amount, Field(description="What the customer owed at the end of the period's last day.")
    ]
    reconciliation: Reconciliation
    next_cursor: NextCursor
    meta: Meta
