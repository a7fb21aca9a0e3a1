"""Says in one line what is wrong with the settings."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from shared.process import ranges
from shared.process.setting_checks import NOT_SET
from shared.validation import complaint


def _is_missing(fault: Mapping[str, Any]) -> bool:
    return fault["type"] == "missing" or complaint(fault) == NOT_SET


def first_line(
    error: ValidationError, fields: Mapping[str, FieldInfo], names: Mapping[str, str]
) -> str:
    """Return the names of all missing settings, or the first wrong one and what it should be."""
    faults = error.errors(include_input=False, include_url=False)
    missing = [str(each["loc"][0]).upper() for each in faults if _is_missing(each)]
    if missing:
        return f"{', '.join(missing)}: {'is' if len(missing) == 1 else 'are'} not set"
    first = faults[0]
    name = str(first["loc"][0])
    field = fields[name]
    range_ = None if first["type"] == "value_error" else ranges.requirement(field)
    return f"{names.get(name, name.upper())}: {range_ or complaint(first)}"
