"""What a caller wrote, as JSON and as models; the refusals that name what is wrong with it."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from services.api.refusals import FieldError, Invalid, InvalidInput, Malformed

MAX_FIELDS = 1000
_LONGEST_NAME = 200  # of a field's name that is repeated; the caller chose it
_MAX_DEPTH = 20  # of JSON; nothing that is asked for is deeper than a list in an object

Model = TypeVar("Model", bound=BaseModel)


def json_value(raw: bytes) -> Any:
    """Return what `raw` says as JSON, or raise Malformed; Invalid where a NUL is in it."""
    if b"\0" in raw:
        raise Invalid("body", "should not have a NUL")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None


def within_bounds(given: Mapping[str, Any]) -> None:
    """Raise Invalid for more fields or levels than any request has, and for a NUL anywhere."""
    if len(given) > MAX_FIELDS:
        raise Invalid("body", f"should have at most {MAX_FIELDS} fields")
    for name, value in given.items():
        _check(name, value)


def parse(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Return `given` as `model`, or raise InvalidInput that names each field at fault."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(
            FieldError(
                _cut(".".join(str(step) for step in each["loc"])) or "body",
                each["msg"].removeprefix("Value error, "),
            )
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        ) from None


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _check(name: str, value: object) -> None:
    level: list[object] = [name, value]
    for _ in range(_MAX_DEPTH):
        if any("\0" in each for each in level if isinstance(each, str)):
            raise Invalid(_cut(name), "should not have a NUL")
        level = [inner for each in level for inner in _within(each)]
        if not level:
            return
    raise Invalid(_cut(name), f"should not be nested more than {_MAX_DEPTH} levels deep")


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return (each for pair in value.items() for each in pair)
    return value if isinstance(value, list) else ()
