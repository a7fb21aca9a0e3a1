"""What the calls of all views say of their requests and answers."""

from collections.abc import Sequence

from services.api.formats.negotiation import Format
from services.api.openapi import headers
from services.api.openapi.operation import Answer, Header, Model

TAG = "Reports"


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
            headers=(headers.ETAG, headers.LEDGER_VERSION, headers.VARY, *further),
        ),
        304: Answer(
            "Not changed since the answer with this tag.",
            headers=(headers.ETAG, headers.LEDGER_VERSION, headers.VARY),
        ),
    }
