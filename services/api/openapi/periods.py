"""How calls take a period: two dates, or one word of the period language."""

from dataclasses import replace

from services.api.core.period_words import EXAMPLES, WORD_CHARS_MAX
from services.api.openapi.operation import Answer, Header, Operation, Parameter
from services.api.openapi.parameters import DATE

_WORD_SCHEMA = {"type": "string", "minLength": 1, "maxLength": WORD_CHARS_MAX}
_EXAMPLES = ", ".join(f"`{each}`" for each in EXAMPLES)

FROM = Parameter(
    "from",
    "path",
    "from",
    "The period's first day, inclusive.",
    DATE,
    example="2024-11-01",
    is_required=True,
    is_checked=True,
)
TO = Parameter(
    "to",
    "path",
    "to",
    "The period's last day, inclusive; not before `from`.",
    DATE,
    example="2024-11-30",
    is_required=True,
    is_checked=True,
)
PERIOD = Parameter(
    "period",
    "path",
    "period",
    f"The period in one word, for example {_EXAMPLES}. Its days are counted on the calendar of the"
    " business, in its timezone, when the request is read.",
    _WORD_SCHEMA,
    example="2024-11",
    is_required=True,
    is_checked=True,
)
DATES = (FROM, TO)
PERIOD_QUERY = replace(
    PERIOD,
    component="period_query",
    where="query",
    description=f"{PERIOD.description} It stands instead of `from` and `to`.",
    example=None,
    is_required=False,
)

CONTENT_LOCATION = Header(
    "Content-Location",
    "The path and query that show the same period by its dates; present if the request named the"
    " period in one word.",
    "/api/v3/reports/customers/2024-11-01/2024-11-30",
)


def by_word(operation: Operation) -> Operation:
    """Return a call whose path has two dates as it is with one word in their place."""
    others = (each for each in operation.parameters if each not in DATES)
    return replace(
        operation,
        id=f"{operation.id}ByPeriod",
        summary=f"{operation.summary}, by a word for the period",
        description=f"Does the same as `{operation.id}`, with one word in the place of the two"
        f" dates; `Content-Location` has these dates. {operation.description}",
        parameters=(PERIOD, *others),
        answers={status: _located(answer) for status, answer in operation.answers.items()},
    )


def _located(answer: Answer) -> Answer:
    return replace(answer, headers=(*answer.headers, CONTENT_LOCATION))
