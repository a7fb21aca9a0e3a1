"""What several calls take, read from the text in which a caller writes it."""

import re
from datetime import date
from typing import Any

from services.api.core.refusals import FieldError, Invalid, InvalidInput, NotFound
from shared.period import Period

_CUSTOMER_ID_MAX = 2**63 - 1
_FLAGS = {"0": False, "1": True, "false": False, "true": True}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def period(start: str, end: str) -> Period:
    """Read two days, which callers name `from` and `to`.

    Raises InvalidInput if one of them is no day, or `from` is after `to`.
    """
    days: dict[str, date] = {}
    wrong: list[FieldError] = []
    for field, text in (("from", start), ("to", end)):
        try:
            days[field] = day(text)
        except ValueError as error:
            wrong.append(FieldError(field, str(error)))
    if wrong:
        raise InvalidInput(wrong)
    if days["from"] > days["to"]:
        raise Invalid("from", "should not be after to")
    return Period(days["from"], days["to"])


def dates_or_word(start: str, end: str, word: str) -> Period | str:
    """Return the period of two days, or the word of the period language that stands for them.

    Whatever is "" was not given. Raises InvalidInput if a word stands beside a day, or as period().
    """
    if not word:
        return period(start, end)
    days = {"from": start, "to": end}
    if beside := [field for field, text in days.items() if text]:
        raise InvalidInput(
            FieldError(field, "should not be given beside period") for field in beside
        )
    return word


def day(text: object) -> date:
    """Read a day written YYYY-MM-DD. Raises ValueError if it is none."""
    if text == "":
        raise ValueError("is missing; it should be a date written YYYY-MM-DD")
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("should be a date written YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is a date that does not exist") from None


def customer_id(digits: str) -> int:
    """Read a customer's id. Raises NotFound if it is too large for one, as for an unknown id."""
    significant = digits.lstrip("0") or "0"
    # Python refuses to read numbers of thousands of digits, so their length is checked first.
    if len(significant) > len(str(_CUSTOMER_ID_MAX)) or int(significant) > _CUSTOMER_ID_MAX:
        raise NotFound("customer")
    return int(significant)


def flag(value: Any) -> bool | None:
    """Return a flag written as 0, 1, true or false, in any case; None for null and "".

    Raises ValueError if it is anything else.
    """
    found = written_flag(value)
    if found is None and not is_absent(value):
        raise ValueError("should be 0, 1, true or false")
    return found


def written_flag(value: Any) -> bool | None:
    """Return a flag written as flag() takes it; None for anything else."""
    if isinstance(value, str):
        return _FLAGS.get(value.lower())
    # 1.0 equals 1 but is not a flag.
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


def is_absent(value: Any) -> bool:
    """Return whether a field is left out: null in JSON, or empty in a form."""
    return value is None or value == ""
