"""The description of one call in the OpenAPI document, beside its route and its models."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

JSON = "application/json"
HTML = "text/html"

Example = Any
Model = type[BaseModel]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a request; `component` is its name among the document's components.

    Its values are described by `schema`, or by the field of a model that `values_of` names. If a
    parameter `is_checked`, an invalid value is a 422; the others are only looked up. Optional
    headers have no example: the page at /docs would fill it in and send it each time.
    """

    component: str
    where: Literal["path", "query", "header"]
    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=dict)
    values_of: tuple[Model, str] | None = None
    example: Example | None = None
    is_required: bool = False
    is_checked: bool = False


@dataclass(frozen=True)
class Header:
    """A header of an answer."""

    name: str
    description: str
    example: Example
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True)
class Answer:
    """A successful answer: its meaning, and its content: a `model`, or an array if it `is_list`.

    `schema` describes content that has no model. Without both, the answer has no body. `files` are
    further media types of the answer, whose content is not described.
    """

    description: str
    model: Model | None = None
    is_list: bool = False
    schema: dict[str, Any] | None = None
    media: str = JSON
    files: tuple[str, ...] = ()
    examples: dict[str, Example] = field(default_factory=dict)
    headers: tuple[Header, ...] = ()
    links: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Body:
    """A request's body, which callers send as JSON or, if it `has_forms`, as a form."""

    model: Model
    examples: dict[str, Example]
    is_required: bool = False
    has_forms: bool = True


@dataclass(frozen=True)
class Operation:
    """A call. `id` is its `operationId`; a route that is an alias has another one.

    Its body is described by `body`, or is a file of one of the media types `upload`,
    with an example if it is a text.

    contract/openapi.py adds the refusals that a key, a body or the database can cause.
    """

    id: str
    tag: str
    summary: str
    description: str
    answers: dict[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    upload: tuple[str, ...] = ()
    upload_example: str = ""
    refusals: tuple[int, ...] = ()


def ref(model: Model) -> dict[str, str]:
    """Return the reference to the schema of `model`."""
    return named(model.__name__)


def named(schema: str) -> dict[str, str]:
    """Return the reference to the schema of this name."""
    return {"$ref": f"#/components/schemas/{schema}"}


def page(*items: dict[str, Any]) -> dict[str, Any]:
    """Return an example of the last page of a list."""
    return {"data": list(items), "next_cursor": None}
