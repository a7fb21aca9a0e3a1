"""What a row of the report says, field by field; Postgres writes it, so no code here makes one."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

_STORED = "Exactly as the ledger has it: null and the empty string stay apart."
_MONEY = {
    "type": "number",
    "description": "Exact decimal in the business's currency.",
}
_CLOCK = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"}

Id = Annotated[int, WithJsonSchema({"type": "integer", "format": "int64"})]
Text = Annotated[str | None, Field(description=_STORED)]
Money = Annotated[Decimal, WithJsonSchema(_MONEY)]
Clock = Annotated[str, WithJsonSchema(_CLOCK)]


class Row(BaseModel):
    """What one customer brought in between two dates, and where it stands now.

    In what follows, **I** are the customer's invoices and credit notes that are `issued` and whose
    issue date lies in the period; **P** are all `settled` payments on the documents of I, whatever
    their own date: what has been paid so far on what was billed in the period. Drafts, void
    documents and payments that are not settled count nowhere; refunds are negative payments.

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
    category_id: Annotated[Id, Field(description="The customer's category, or 1 without one.")]
    deposit_amount: Annotated[
        Money,
        Field(
            description="Prepayments held now: deposits `credit` less deposits `debit`, any date."
        ),
    ]
    deposit_account_id: Annotated[
        Id | None, Field(description="The account that holds the customer's prepayments.")
    ]
    archived: Annotated[Literal[0, 1], Field(description="1 where the customer is archived.")]
    amount_due: Annotated[
        Money, Field(description="Billed in the period: invoices in I less credit notes in I.")
    ]
    invoice_count: Annotated[
        int, Field(ge=0, description="The number of invoices in I, without credit notes.")
    ]
    balance: Annotated[
        Money,
        Field(
            description="Receivable now, any date: the opening balance, plus issued invoices, less"
            " issued credit notes, less settled payments on either."
        ),
    ]
    amount_paid: Annotated[
        Money | None,
        Field(description="P by channel `manual`; null where there is no such payment at all."),
    ]
    online_amount_paid: Annotated[
        Money | None,
        Field(description="P by channel `online`; null where there is no such payment at all."),
    ]
    date_from: Annotated[
        date, Field(alias="dateFrom", description="The period's first day, as asked for.")
    ]
    date_to: Annotated[
        date, Field(alias="dateTo", description="The period's last day, as asked for.")
    ]
    average_payment_terms: Annotated[
        Decimal,
        WithJsonSchema({"type": "number"}),
        Field(
            description="Mean number of days from issue to the latest positive settled payment,"
            " over the invoices of I above 0 that are paid in full; 2 decimals, ties away from"
            " zero, negative where customers pay ahead; 0 where there is none."
        ),
    ]
    owing: Annotated[Money, Field(description="`amount_due` less `total_paid`.")]
    total_paid: Annotated[
        Money, Field(description="`amount_paid` and `online_amount_paid` together, null as 0.")
    ]
    invoices: Annotated[int, Field(ge=0, description="The same as `invoice_count`.")]
