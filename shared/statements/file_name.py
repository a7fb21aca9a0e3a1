"""The names of a statement's files."""

import unicodedata
from functools import lru_cache
from typing import Final

from shared.period import Period
from shared.statements.wording import slug

_READ: Final = 200  # characters of a name that are read
_LONGEST: Final = 20  # characters of each name, so that even old systems keep the whole file name


def file_name(business: str, customer: str, period: Period) -> str:
    """Return the name of a statement's files without a suffix, of at most 76 characters.

    It tells the files of a business's customers and periods apart. Names are in ASCII if it has all
    of their letters, else in their own script.
    """
    parts = ("statement", _short(business), _short(customer), period.start, period.end)
    return "-".join(str(part) for part in parts if part)


# The mails of one business follow one another.
@lru_cache(maxsize=64)
def _short(name: str) -> str:
    # Cut first: the time to normalize many marks in a row grows with the square of their number.
    composed = unicodedata.normalize("NFC", name[:_READ].lower())
    lettered = "".join(sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in composed)
    own = "-".join(lettered.split())[:_LONGEST].strip("-")
    folded = slug(own)
    lost = sum(map(str.isalnum, own)) > sum(map(str.isalnum, folded))
    return own if lost else folded[:_LONGEST].strip("-")
