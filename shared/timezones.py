"""The time zones in IANA's list, without others that this machine knows."""

from functools import cache
from importlib.resources import files
from typing import Final

# "Factory" has no time, "localtime" that of the machine.
_NONE: Final = {"Factory", "localtime"}


@cache
def names() -> frozenset[str]:
    """Return the names of all time zones and of their links."""
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split()) - _NONE
