"""Amounts of money in answers, for the document; Postgres writes them as JSON."""

from decimal import Decimal
from typing import Annotated

from pydantic import WithJsonSchema

_MONEY = {
    "type": "number",
    "description": "Exact decimal in the business's currency.",
}

Money = Annotated[Decimal, WithJsonSchema(_MONEY)]
Amount = Annotated[
    Decimal,
    WithJsonSchema(
        {
            "type": ["number", "string"],
            "description": "Exact decimal in the business's currency; a string with"
            " `amounts=string`.",
        }
    ),
]
