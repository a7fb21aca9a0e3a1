"""What the API and the process that writes a workbook tell each other."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

# The answers of the process: the workbook is written; an amount needs `has_fractions`; the rows
# broke off.
WRITTEN: Final = "written"
FRACTION: Final = "fraction"
BROKEN: Final = "broken"


class Plan(NamedTuple):
    """What a workbook has beside its rows: the sheet's name, columns, totals, and a description.

    Columns and totals have their kind after their name. An amount has at least the decimals of its
    currency, and more if it has more. A column has only one form, so whole amounts of a currency
    without decimals end in a point if the column `has_fractions`.
    """

    sheet: str
    columns: Sequence[tuple[str, str]]
    decimals: int
    has_fractions: bool
    totals: Sequence[tuple[str, str, Any]]
    about: Sequence[tuple[str, str]]
