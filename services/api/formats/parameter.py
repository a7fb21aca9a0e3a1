from collections.abc import Sequence

from services.api.formats.negotiation import PARAMETER, Format
from services.api.openapi.operation import Parameter


def format_of(report: str, formats: Sequence[Format]) -> Parameter:
    """Return the parameter that chooses one of the formats of a report."""
    words = [each.word for each in formats]
    return Parameter(
        f"{report}_format",
        "query",
        PARAMETER,
        f"The format of the answer: {', '.join(words)}. It wins over `Accept`.",
        {"type": "string", "enum": words},
        is_checked=True,
    )
