"""What the document says of one call beyond what its route and its models say already."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
HTML = "text/html"

Handler = Callable[..., Awaitable[Any]]
Example = Any


@dataclass(frozen=True)
class Answer:
    """A success: what it means, and its content by media type (none: it has no body)."""

    description: str
    schema: dict[str, Any] | None = None
    media: str = JSON
    examples: dict[str, Example] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    links: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Body:
    """A request's body: a model by name, taken as JSON and as a form."""

    model: str
    examples: dict[str, Example]
    required: bool = False
    description: str = ""


@dataclass(frozen=True)
class Operation:
    """A call: `ids` has one name for each route of its handler, in the order of routes.py.

    Of several, `preferred` is the id of the one for new clients; the others are aliases.
    What a key, a body or the database may lead to is added to `refusals` by document.py.
    """

    ids: tuple[str, ...]
    tag: str
    summary: str
    description: str
    answers: dict[int, Answer]
    parameters: tuple[str, ...] = ()
    body: Body | None = None
    refusals: tuple[int, ...] = ()
    preferred: str | None = None


def ref(model: str) -> dict[str, str]:
    """Return the reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{model}"}
