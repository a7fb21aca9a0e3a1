"""Messages for pydantic's validation errors.

pydantic's own messages are written for programmers, and change with its versions.
"""

from collections.abc import Mapping
from typing import Any

_TEXT, _WHOLE, _NUMBER = "should be text", "should be a whole number", "should be a number"
_OBJECT, _LIST, _UUID = "should be a JSON object", "should be a list", "should be a UUID"
_FLAG = "should be true or false"
_DATE = "should be a date, as in 2024-11-30"
_TIME = "should be a time with its offset, as in 2024-11-30T09:00:00Z"
_DIGITS = "should have at most {max_digits} digits"

# By type of error; pydantic puts the values of {names} into the error's context.
_WORDS = {
    "missing": "is missing",
    "string_type": _TEXT,
    "string_unicode": "contains an unpaired surrogate",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "does not have the form {pattern}",
    "literal_error": "should be {expected}",
    "enum": "should be {expected}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "has too many digits",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_digits": _DIGITS,
    "is_instance_of": _NUMBER,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "too_long": "should be given at most {max_length} times",
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": _TIME,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "json_invalid": "is not JSON",
    "extra_forbidden": "is not a known field",
}
_UNKNOWN = "is not valid"


def complaint(fault: Mapping[str, Any]) -> str:
    """Return the message for one of the errors of a ValidationError, listed with its context."""
    kind, context = str(fault["type"]), fault.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        context = {"expected": str(context["expected"]).replace("'", "")}
    return _WORDS.get(kind, _UNKNOWN).format_map(context)
