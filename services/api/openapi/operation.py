"""The description of one call in the document, beside its route and its models."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
HTML = "text/html"

Handler = Callable[..., Awaitable[Any]]
Example = Any


@dataclass(frozen=True)
class Answer:
    """A successful answer: its meaning, and its content (no body if `schema` is None)."""

    description: str
    schema: dict[str, Any] | None = None
    media: str = JSON
    examples: dict[str, Example] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    links: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Body:
    """A request's body: the name of its model, which callers send as JSON or as a form."""

    model: str
    examples: dict[str, Example]
    required: bool = False
    description: str = ""


@dataclass(frozen=True)
class Operation:
    """A call: `ids` has one name for each route of its handler, in the order of routes.py.

    `preferred` is the id of the route for new clients, if there are several; the others are
    aliases. contract/openapi.py adds the refusals that a key, a body or the database can cause.
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
