from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.api.core.money import Amount
from services.api.core.parsing import whole_number
from services.api.formats.report import Column, Kind
from services.api.reports.filters import Filters
from services.api.reports.meta import Meta
from services.api.reports.options import Compare
from services.api.reports.row import Id
from services.api.views.model import Number
from services.api.views.options import AmountOptions, BasisOptions

LIMIT_DEFAULT, LIMIT_MAX = 10, 100  # of the largest customers

_SHARE = "In percent of the total of the figure `by`, 2 decimals; null if that total is 0."
_MEAN = "The mean over all documents that count for it, not the mean of the customers' means."


# The figures of a customer, or of several, in the order of the list's rows.
FIGURES: Sequence[Column] = (
    Column("deposit_amount", Kind.MONEY, "Deposits held"),
    Column("amount_due", Kind.MONEY, "Billed"),
    Column("invoice_count", Kind.COUNT, "Invoice count"),
    Column("balance", Kind.MONEY, "Balance"),
    Column("amount_paid", Kind.MONEY, "Paid manually"),
    Column("online_amount_paid", Kind.MONEY, "Paid online"),
    Column("average_payment_terms", Kind.DAYS, "Days to pay"),
    Column("owing", Kind.MONEY, "Owing"),
    Column("total_paid", Kind.MONEY, "Paid"),
    Column("invoices", Kind.COUNT, "Invoices"),
)
# Those that are compared with another period: the others are of today.
COMPARED: Sequence[Column] = tuple(
    column for column in FIGURES if column.name not in {"deposit_amount", "balance", "invoices"}
)


class By(StrEnum):
    """The figure by which customers are the largest."""

    AMOUNT_DUE = "amount_due"
    TOTAL_PAID = "total_paid"
    AMOUNT_PAID = "amount_paid"
    ONLINE_AMOUNT_PAID = "online_amount_paid"
    OWING = "owing"
    BALANCE = "balance"
    DEPOSIT_AMOUNT = "deposit_amount"
    INVOICE_COUNT = "invoice_count"
    INVOICES = "invoices"


class SummaryOptions(Filters, BasisOptions, AmountOptions):
    """The query parameters of a summary."""

    by: Annotated[
        By, Field(description="The figure by which customers are the largest, and have shares.")
    ] = By.AMOUNT_DUE
    limit: Annotated[
        int,
        BeforeValidator(whole_number),
        Field(ge=1, le=LIMIT_MAX, description="How many of the largest customers to show."),
    ] = LIMIT_DEFAULT
    compare: Annotated[
        Compare | None,
        Field(
            description="Adds the figures of another period (`previous`) and the difference"
            " (`change`), as in the list."
        ),
    ] = None


class ComparedSums(BaseModel):
    """The figures of another period, or the differences from them."""

    model_config = ConfigDict(frozen=True)

    amount_due: Amount
    invoice_count: int
    amount_paid: Amount | None
    online_amount_paid: Amount | None
    total_paid: Amount
    owing: Amount
    average_payment_terms: Number


class Figures(BaseModel):
    """The figures of a row of the list, of one customer or added up over several."""

    model_config = ConfigDict(frozen=True)

    deposit_amount: Amount
    amount_due: Amount
    invoice_count: int
    balance: Amount
    amount_paid: Annotated[
        Amount | None, Field(description="Of a customer as in its row; null counts as 0 in sums.")
    ]
    online_amount_paid: Amount | None
    average_payment_terms: Annotated[Number, Field(description=_MEAN)]
    owing: Amount
    total_paid: Amount
    invoices: int
    previous: Annotated[
        ComparedSums | None, Field(description="Only with `compare`: the other period's.")
    ] = None
    change: Annotated[
        ComparedSums | None,
        Field(description="Only with `compare`: these minus `previous`, null counted as 0."),
    ] = None


class CustomerCount(BaseModel):
    """How many customers there are."""

    model_config = ConfigDict(frozen=True)

    count: Annotated[int, Field(description="All that the filters choose.")]
    active: Annotated[
        int,
        Field(
            description="Those with an issued document dated in the period, or a settled payment"
            " on an issued document with `paid_on` in the period."
        ),
    ]


class LargestCustomer(Figures):
    """One of the largest customers."""

    id: Id
    business_name: str | None
    share: Annotated[Number | None, Field(description=_SHARE)]


class CategorySums(Figures):
    """The customers of one category; those without a category are in category 1."""

    category_id: Id
    category: str
    customers: CustomerCount
    share: Annotated[Number | None, Field(description=_SHARE)]


class Summary(BaseModel):
    """The income of a period at a glance."""

    model_config = ConfigDict(frozen=True)

    totals: Annotated[Figures, Field(description="Over all customers that the filters choose.")]
    customers: CustomerCount
    top: Annotated[
        tuple[LargestCustomer, ...],
        Field(description="The largest by the figure `by`; equal ones by `id`, null last."),
    ]
    by_category: Annotated[
        tuple[CategorySums, ...],
        Field(description="Every category that has customers, the largest first."),
    ]
    meta: Meta
