"""The databases of an installation, each with whole businesses, and their names."""

import re
from dataclasses import dataclass, field
from typing import Final

#: The name of the database in DATABASE_URL.
MAIN: Final = "main"
#: So that the connections of a process are bounded, too.
MOST: Final = 16

_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")


@dataclass(frozen=True)
class Database:
    """A database and its name, which stays the same when the database moves to another host.

    It is `alone` if the process uses no other one.
    """

    name: str
    url: str = field(repr=False)
    alone: bool = True

    def label(self, noun: str) -> str:
        """Return the name of something of this database, as `postgres` or `postgres.east`."""
        return noun if self.alone else f"{noun}.{self.name}"


def entries(text: str) -> dict[str, str]:
    """Return the URL of each name in entries like `main=postgresql://…`, with spaces between them.

    Raises ValueError if there are too many, or a name is missing, malformed or given twice.
    """
    found: dict[str, str] = {}
    for entry in text.split():
        name, _, url = entry.partition("=")
        if not _NAME.fullmatch(name) or "://" not in url:
            # Not shown: without a name, a part of the URL would be taken for it.
            raise ValueError(
                "should be entries like main=postgresql://…, with spaces between them; a name has"
                " at most 20 lower-case letters, digits and underscores"
            )
        if name in found:
            raise ValueError(f"names {name} twice")
        found[name] = url
    if len(found) > MOST:
        raise ValueError(f"should name at most {MOST} databases")
    return found
