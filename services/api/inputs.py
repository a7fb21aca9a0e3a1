"""What a caller wrote, as JSON and as models; the refusals that name what is wrong with it."""

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from services.api.refusals import FieldError, Invalid, InvalidInput, Malformed

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


def refuse_nul(given: Mapping[str, Any]) -> None:
    """Raise Invalid for the first field that has a NUL anywhere."""
    for name, value in given.items():
        if _has_nul(name) or _has_nul(value):
            raise Invalid(name, "should not have a NUL")


def parse(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Return `given` as `model`, or raise InvalidInput that names each field at fault."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(
            FieldError(
                ".".join(str(step) for step in each["loc"]) or "body",
                each["msg"].removeprefix("Value error, "),
            )
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        ) from None


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(_has_nul(each) for each in value)
