"""The kinds of value in an import file, and how each is written."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from shared import language_tag, timezones
from shared.mail.address import Address
from shared.mail.stored import stored_addresses

# Dates that are valid in every year: all but 29 February.
_YEAR = r"(?!0000)[0-9]{4}"
_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DAY_OF_EVERY_MONTH = r"(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_BIGINT = range(-(2**63), 2**63)
_WHOLE_DIGITS = 14
_DECIMALS = 4
_LONGEST_ADDRESS = 320
# A subset of the valid addresses.
_PLAIN_ADDRESS = (
    r"[A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*+@"
    r"(?:[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+\.)+[A-Za-z]{2,24}"
)


@dataclass(frozen=True)
class ColumnKind:
    """One kind of value.

    `plain` matches values that are certainly valid. `complaint` checks all others, and returns what
    is wrong with the value, or None. A value for which `is_doubtful` is true is accepted with a
    warning. `form` and `example` describe how to write a value.
    """

    sql_type: str
    plain: str
    complaint: Callable[[str], str | None]
    form: str
    example: str
    is_doubtful: Callable[[str], bool] | None = None


def _integer(text: str) -> str | None:
    if not re.fullmatch(r"-?[0-9]+", text):
        return "is not a whole number"
    # A number with more digits than 64 bits can hold is not converted: that takes quadratic time.
    small = len(text.lstrip("-0")) <= len(str(_BIGINT.stop)) and int(text) in _BIGINT
    return None if small else "does not fit into 64 bits"


def _identifier(text: str) -> str | None:
    return _integer(text) or ("is negative" if int(text) < 0 else None)


def _amount(text: str) -> str | None:
    match = re.fullmatch(r"-?([0-9]+)(?:\.([0-9]+))?", text)
    if match is None:
        return "is not an amount in plain digits like -1234.56"
    if len(match[2] or "") > _DECIMALS:
        return f"has more than {_DECIMALS} decimals"
    return "is 100 trillion or more" if len(match[1].lstrip("0")) > _WHOLE_DIGITS else None


def _amount_not_negative(text: str) -> str | None:
    return _amount(text) or ("is negative" if Decimal(text) < 0 else None)


def _date(text: str) -> str | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return "is not a date written YYYY-MM-DD"
    try:
        date.fromisoformat(text)
    except ValueError:
        return "is a date that does not exist"
    return None


def _time(text: str) -> str | None:
    if re.fullmatch("[0-9-]{10}", text):
        return _date(text)
    match = re.fullmatch(r"([0-9-]{10} [0-9:]{8})(?:\.[0-9]{1,6})?", text)
    if match is None:
        return "is not a time written YYYY-MM-DD HH:MM:SS"
    try:
        datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the ledger's times carry no zone
    except ValueError:
        return "is a time that does not exist"
    return None if re.fullmatch(f"{_YEAR}-.*", text) else "is a time that does not exist"


def _text(_: str) -> str | None:
    return None


def _currency(text: str) -> str | None:
    return None if re.fullmatch(r"[A-Z]{3}", text) else "is not a currency code like GHS (ISO 4217)"


def _timezone(text: str) -> str | None:
    return None if text in timezones.names() else "is not a time zone like Africa/Accra (IANA)"


def _fiscal_year_start(text: str) -> str | None:
    if re.fullmatch(_DAY_OF_EVERY_MONTH, text):
        return None
    return "is not a month and a day from 01 to 28, written MM-DD"


def _locale(text: str) -> str | None:
    if re.fullmatch(language_tag.FORM, text):
        return None
    return "is not a language tag like en or pt-BR (BCP 47)"


def _has_no_addresses(text: str) -> bool:
    """Return whether a text has a part, as a send reads it, that is no address.

    An empty text has none.
    """
    parts = stored_addresses(text)
    return bool(text) and not (parts and all(map(_is_address, parts)))


def _is_address(text: str) -> bool:
    if len(text) > _LONGEST_ADDRESS:
        return False
    try:
        Address.parse(text)
    except ValueError:
        return False
    return True


def choice(*allowed: str, sql_type: str = "text") -> ColumnKind:
    """Return the kind whose only values are these words."""

    def complaint(text: str) -> str | None:
        return None if text in allowed else f"is not one of {', '.join(allowed)}"

    form = " or ".join(f"`{word}`" for word in allowed)
    return ColumnKind(sql_type, "|".join(map(re.escape, allowed)), complaint, form, allowed[0])


ID = ColumnKind("bigint", "[0-9]{1,18}", _identifier, "whole number from 0", "17")
INTEGER = ColumnKind("bigint", "-?[0-9]{1,18}", _integer, "whole number", "17")
AMOUNT = ColumnKind(
    "numeric",
    r"-?[0-9]{1,14}(?:\.[0-9]{1,4})?",
    _amount,
    "amount with at most 4 decimals",
    "-1234.56",
)
AMOUNT_NOT_NEGATIVE = ColumnKind(
    "numeric",
    r"[0-9]{1,14}(?:\.[0-9]{1,4})?",
    _amount_not_negative,
    "amount from 0 with at most 4 decimals",
    "1234.56",
)
DATE = ColumnKind("date", f"{_YEAR}-{_DAY}", _date, "`YYYY-MM-DD`", "2026-01-31")
TIME = ColumnKind(
    "timestamp",
    f"{_YEAR}-{_DAY}(?: {_CLOCK})?",
    _time,
    "`YYYY-MM-DD HH:MM:SS`, or a date alone",
    "2026-01-31 09:30:00",
)
TEXT = ColumnKind("text", "(?!)", _text, "text", "Kente & Co")
EMAIL = ColumnKind(
    "text",
    _PLAIN_ADDRESS,
    _text,
    "one address, or a list",
    "ama@kente.example",
    _has_no_addresses,
)
CURRENCY = ColumnKind("text", "[A-Z]{3}", _currency, "currency code (ISO 4217)", "GHS")
TIMEZONE = ColumnKind("text", "(?!)", _timezone, "time zone (IANA)", "Africa/Accra")
FISCAL_YEAR_START = ColumnKind(
    "text", _DAY_OF_EVERY_MONTH, _fiscal_year_start, "`MM-DD`, the day at most 28", "04-01"
)
LOCALE = ColumnKind("text", language_tag.FORM, _locale, "language tag (BCP 47)", "pt-BR")
