"""What the answers of several views have in common, for the document."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, WithJsonSchema

Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
NextCursor = Annotated[
    str | None,
    Field(description="The `cursor` of the next page; null on the last page."),
]
