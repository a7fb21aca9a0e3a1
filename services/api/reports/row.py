"""The fields of a report row, for the document; Postgres writes the rows as JSON."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.core.money import Money

_STORED = "Exactly as in the ledger: null and the empty string are different values."
_CLOCK = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"}

Id = Annotated[int, WithJsonSchema({"type": "integer", "format": "int64"})]
Text = Annotated[str | None, Field(description=_STORED)]
Clock = Annotated[str, WithJsonSchema(_CLOCK)]


class Row(BaseModel):
    """The income from one customer between two dates, and its current balance.

    In the descriptions, **I** are the customer's invoices and credit notes that are `issued` and
    whose issue date lies in the period; **P** are all `settled` payments on the documents of I,
    whatever the date of the payment: the amount paid so far of the amount billed in the period.
    Drafts, void documents and payments that are not settled are never counted; refunds are negative
    payments.

    Amounts are exact decimals of at most 4 places, written as JSON numbers without trailing zeros
    or exponent. Readers that need more than a float's 15 digits should parse them as decimals.
    """

    model_config = ConfigDict(frozen=True)

    id: Annotated[Id, Field(description="The customer, unique within the business.")]
    owner_id: Annotated[Id, Field(description="The user who owns the customer's record.")]
    business_id: Annotated[Id, Field(description="The business that the key belongs to.")]
    first_name: Text
    last_name: Text
    phone_number: Text
    business_name: Text
    business_address: Text
    business_phone: Text
    business_location: Text
    business_email: Annotated[
        str | None, Field(description=f"Where the customer's statements go. {_STORED}")
    ]
    created_at: Annotated[Clock, Field(description="As stored, without a timezone.")]
    updated_at: Annotated[Clock, Field(description="As stored, without a timezone.")]
    account_id: Annotated[Id | None, Field(description="The customer's receivable account.")]
    category: Annotated[
        str, Field(description="The name of the customer's category, or `Uncategorised`.")
    ]
    category_id: Annotated[Id, Field(description="The customer's category, or 1 if it has none.")]
    deposit_amount: Annotated[
        Money,
        Field(
            description="Prepayments held now: deposits `credit` minus deposits `debit`, of any"
            " date."
        ),
    ]
    deposit_account_id: Annotated[
        Id | None, Field(description="The account that holds the customer's prepayments.")
    ]
    archived: Annotated[
        Literal[0, 1], Field(description="1 if the customer is archived, otherwise 0.")
    ]
    amount_due: Annotated[
        Money, Field(description="Billed in the period: invoices in I minus credit notes in I.")
    ]
    invoice_count: Annotated[
        int, Field(ge=0, description="The number of invoices in I, without credit notes.")
    ]
    balance: Annotated[
        Money,
        Field(
            description="Receivable now: the opening balance, plus issued invoices, minus issued"
            " credit notes, minus settled payments on either, of any date."
        ),
    ]
    amount_paid: Annotated[
        Money | None,
        Field(description="The part of P with channel `manual`; null if there is no such payment."),
    ]
    online_amount_paid: Annotated[
        Money | None,
        Field(description="The part of P with channel `online`; null if there is no such payment."),
    ]
    date_from: Annotated[
        date, Field(alias="dateFrom", description="The period's first day, as requested.")
    ]
    date_to: Annotated[
        date, Field(alias="dateTo", description="The period's last day, as requested.")
    ]
    average_payment_terms: Annotated[
        Decimal,
        WithJsonSchema({"type": "number"}),
        Field(
            description="Mean number of days from issue to the latest positive settled payment,"
            " over the invoices of I above 0 that are paid in full; 2 decimals, ties away from"
            " zero, negative if customers pay ahead; 0 if there is no such invoice."
        ),
    ]
    owing: Annotated[Money, Field(description="`amount_due` minus `total_paid`.")]
    total_paid: Annotated[
        Money,
        Field(description="The sum of `amount_paid` and `online_amount_paid`, with null as 0."),
    ]
    invoices: Annotated[int, Field(ge=0, description="The same as `invoice_count`.")]
