"""What the calls of all views say of their requests and answers."""

from collections.abc import Sequence

from services.api.formats.negotiation import PARAMETER, Format
from services.api.openapi import headers
from services.api.openapi.operation import Answer, Header, Model, Parameter

TAG = "Reports"


def format_of(view: str, formats: Sequence[Format]) -> Parameter:
    """Return the parameter that chooses one of the formats of a view."""
    words = [each.word for each in formats]
    return Parameter(
        f"{view}_format",
        "query",
        PARAMETER,
        f"The format of the answer, {', '.join(words)}; it wins over `Accept`.",
        {"type": "string", "enum": words},
        is_checked=True,
    )


def answers(
    description: str,
    model: Model,
    formats: Sequence[Format],
    further: Sequence[Header] = (),
    **examples: object,
) -> dict[int, Answer]:
    """Return the answers of a view: its JSON, the other formats, and 304.

    `further` are headers that not every view has.
    """
    return {
        200: Answer(
            description,
            model,
            files=tuple(each.media for each in formats if each is not Format.JSON),
            examples=examples,
            headers=(headers.ETAG, headers.VARY, *further),
        ),
        304: Answer(
            "Not changed since the answer with this tag.", headers=(headers.ETAG, headers.VARY)
        ),
    }
