"""Reads JSON and models from a caller's input; its refusals name what is wrong."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from services.api.core.refusals import FieldError, Invalid, InvalidInput, Malformed
from shared.validation import complaint

MAX_FIELDS = 1000
_MAX_DEPTH = 20  # of JSON; no request needs more than a list in an object
_MAX_VALUES = 10_000  # in one field; the longest list of a request has 900
_INTEGER_DIGITS_MAX = 19  # of a bigint; Python refuses to read numbers of thousands of digits

Model = TypeVar("Model", bound=BaseModel)


def json_value(raw: bytes) -> Any:
    """Return the value of the JSON text `raw`.

    Raises Malformed if it is not JSON, and Invalid if it contains a NUL.
    """
    if b"\0" in raw:
        raise Invalid("body", "should not contain a NUL character")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None


def within_bounds(given: Mapping[str, Any]) -> None:
    """Raise Invalid if `given` has too many fields, values or levels, or contains a NUL."""
    if len(given) > MAX_FIELDS:
        raise Invalid("body", f"should have at most {MAX_FIELDS} fields")
    for name, value in given.items():
        _check(name, value)


def parse(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Return `given` as `model`. Raises InvalidInput that names each invalid field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(
            FieldError(".".join(str(step) for step in each["loc"]) or "body", _said(each, model))
            for each in error.errors(include_input=False, include_url=False)
        ) from None


def whole_number(value: object) -> object:
    """Return `value`. Raises ValueError if it is a text of anything but decimal digits.

    This runs before pydantic's own validator, which also accepts signs, spaces and fractions.
    """
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("should be a whole number")
    if isinstance(value, str) and len(value) > _INTEGER_DIGITS_MAX:
        raise ValueError("has too many digits")
    return value


def _said(fault: Mapping[str, Any], model: type[BaseModel]) -> str:
    if fault["type"] != "extra_forbidden":
        return complaint(fault)
    for step in fault["loc"][:-1]:
        model = _inner(model, str(step))
    names = ", ".join(field.alias or name for name, field in model.model_fields.items())
    return f"is not a field of this request; its fields are {names}"


def _inner(model: type[BaseModel], name: str) -> type[BaseModel]:
    inner = model.model_fields[name].annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else model


def _check(name: str, value: object) -> None:
    level: list[object] = [name, value]
    left = _MAX_VALUES
    for _ in range(_MAX_DEPTH):
        if any("\0" in each for each in level if isinstance(each, str)):
            raise Invalid(name, "should not contain a NUL character")
        level = list(islice((inner for each in level for inner in _within(each)), left + 1))
        if not level:
            return
        left -= len(level)
        if left < 0:
            raise Invalid(name, f"should have at most {_MAX_VALUES} values")
    raise Invalid(name, f"should not be nested more than {_MAX_DEPTH} levels deep")


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return (each for pair in value.items() for each in pair)
    return value if isinstance(value, list) else ()
