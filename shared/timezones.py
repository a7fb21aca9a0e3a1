"""The time zones that IANA names, whatever else this machine takes for one."""

from functools import cache
from importlib.resources import files
from typing import Final

# The one has no time, the other that of the machine.
_NONE: Final = {"Factory", "localtime"}


@cache
def names() -> frozenset[str]:
    """Return the names of all time zones and of their links."""
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split()) - _NONE
