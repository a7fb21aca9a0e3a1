"""Reads the body of a message that requests a send or a batch."""

from dataclasses import dataclass
from typing import Any, Self

from services.api.core import parsing
from services.api.core.refusals import FieldError, Invalid, InvalidInput, Malformed
from services.api.intake.messages import LONGEST_NAME, BatchRequested, SendRequested

_LARGEST = 1024 * 1024  # bytes, as over HTTP
_MODELS: dict[object, type[SendRequested | BatchRequested]] = {
    "com.ledgerpost.send-request.v1": SendRequested,
    "com.ledgerpost.batch-request.v1": BatchRequested,
}


@dataclass(frozen=True)
class Named:
    """The `id` and `source` of a request, and whether it is for a batch, if they could be read."""

    id: str | None = None
    source: str | None = None
    is_batch: bool = False

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """Return what `given` says of itself, whether it is valid or not."""
        type_ = given.get("type")
        return cls(
            _name(given.get("id")),
            _name(given.get("source")),
            isinstance(type_, str) and type_.startswith("com.ledgerpost.batch-request."),
        )


def json_object(body: bytes) -> dict[str, Any]:
    """Return a body as a JSON object. Raises Malformed or Invalid if it is none."""
    if len(body) > _LARGEST:
        raise Malformed(f"The body has more than {_LARGEST} bytes.")
    value = parsing.json_value(body)
    if not isinstance(value, dict):
        raise Invalid("body", "should be a JSON object")
    return value


def event(given: dict[str, Any]) -> SendRequested | BatchRequested:
    """Return the request. Raises InvalidInput that names the fields as in the POST."""
    data = given.get("data")
    parsing.within_bounds(data if isinstance(data, dict) else {})
    parsing.within_bounds(given)
    type_ = given.get("type")
    model = _MODELS.get(type_) if isinstance(type_, str) else None
    if model is None:
        raise Invalid("type", f"should be one of {', '.join(map(str, _MODELS))}")
    # An attribute that is null counts as absent (CloudEvents, JSON Event Format, 2.2).
    there = {name: value for name, value in given.items() if value is not None}
    try:
        return parsing.parse(model, there)
    except InvalidInput as error:
        raise InvalidInput(
            FieldError(each.field.removeprefix("data."), each.message) for each in error.errors
        ) from None


def _name(value: object) -> str | None:
    if isinstance(value, str) and len(value) <= LONGEST_NAME and "\0" not in value:
        return value
    return None
