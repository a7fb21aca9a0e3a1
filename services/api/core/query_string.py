from collections.abc import Iterable
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from services.api.core.parsing import parse
from services.api.core.refusals import FieldError, InvalidInput


class QueryString(BaseModel):
    """The query parameters of a call. A field that is a tuple may be given more than once."""

    model_config = ConfigDict(frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any, info: ValidationInfo) -> Any:
        """Return the one value of a parameter, or the list of those that may be repeated."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        if not isinstance(value, list) or get_origin(annotation) is tuple:
            return value
        if len(set(value)) > 1:
            raise ValueError("should be given once")
        return value[0]


Model = TypeVar("Model", bound=QueryString)


def parse_query(model: type[Model], given: Iterable[tuple[str, str]]) -> Model:
    """Return the parameters of a query string as `model`, which ignores those that it lacks.

    Raises InvalidInput that names each invalid parameter.
    """
    values: dict[str, list[str]] = {}
    for name, value in given:
        if name in model.model_fields:
            values.setdefault(name, []).append(value)
    try:
        return parse(model, values)
    except InvalidInput as invalid:
        raise InvalidInput(_by_parameter(invalid)) from None


def _by_parameter(invalid: InvalidInput) -> Iterable[FieldError]:
    """Return the first fault of each parameter; an invalid item of `id` is a fault of `id`."""
    found: dict[str, FieldError] = {}
    for error in invalid.errors:
        name = error.field.partition(".")[0]
        found.setdefault(name, FieldError(name, error.message))
    return found.values()
