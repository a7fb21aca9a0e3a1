from typing import Annotated

from pydantic import Field

from services.api.core.query_string import QueryString
from services.api.formats.json_value import Amounts
from services.api.reports.basis import Basis
from services.api.reports.options import Bom, HowAmounts


class AmountOptions(QueryString):
    """How a view writes money."""

    amounts: HowAmounts = Amounts.NUMBER


class BasisOptions(QueryString):
    """By which date payments belong to the period."""

    basis: Annotated[
        Basis,
        Field(
            description="As in the list. `accrual`: what was paid on the documents of the period,"
            " whatever the date of the payment. `cash`: what was paid in the period, whatever the"
            " date of the document. Only `amount_paid`, `online_amount_paid` and `total_paid`"
            " depend on it."
        ),
    ] = Basis.ACCRUAL


class FileOptions(QueryString):
    """How a view is written as a file."""

    bom: Bom = False
