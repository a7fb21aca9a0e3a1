"""The base of a snapshot's parts, and its amounts, which are read digit for digit."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict


def _exact(value: object) -> object:
    return Decimal(value) if type(value) is int else value


Money = Annotated[Decimal, Strict(), Field(max_digits=28), BeforeValidator(_exact)]
"""A JSON number read as a decimal: digit for digit, never by way of a float or a string.

Twenty-eight digits at most, which is what decimal arithmetic here keeps exactly.
"""


class Frozen(BaseModel):
    """A part of a snapshot; members that are not known here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")
