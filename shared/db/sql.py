"""Named queries, kept in an SQL file beside the module that runs them.

Postgres numbers the parameters of a query. If there are more than five, the file names them
(`$business`), and `call` puts the arguments in order.
"""

import re
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
# Not the quotes $$ and $tag$.
_PARAMETER = re.compile(r"(?<![\w$])\$([a-z_]\w*)(?![\w$])")
_PLACE = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"(?<![\w$])\$[0-9]")


class Queries:
    """The named queries of one file, read at first use.

    Raises AttributeError if a name is unknown.
    """

    def __init__(self, package: str, file: str) -> None:
        self._package = package
        self._file = file

    @cached_property
    def _texts(self) -> dict[str, str]:
        text = files(self._package).joinpath(self._file).read_text("utf-8")
        _, *parts = _NAME.split(text)
        names = parts[::2]
        if len(set(names)) < len(names):
            raise ValueError(f"{self._package}/{self._file}: a query's name is given twice")
        return dict(zip(names, (body.strip() for body in parts[1::2]), strict=True))

    def __getattr__(self, name: str) -> str:
        try:
            text = self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._package}/{self._file} has no query {name}") from None
        setattr(self, name, text)  # and the next time this method is not called
        return text


def load(package: str, file: str = "queries.sql") -> Queries:
    """Return the queries of a file of `package`, each under its `-- name:` as an attribute."""
    return Queries(package, file)


def filled(fragment: str, /, **parts: str) -> str:
    """Return a fragment with each of these texts in its place, which is its name in braces.

    Raises KeyError if a place has no text.
    """
    return _PLACE.sub(lambda place: parts[place[1]], fragment)


def call(query: str, /, **given: Any) -> tuple[Any, ...]:
    """Return a query with named parameters as Postgres takes it, and its arguments in order.

    The result is what a method of a connection takes: `await conn.fetchrow(*call(query, id=1))`.
    Raises TypeError if the names given are not exactly those of the query.
    """
    text, names = numbered(query)
    if given.keys() != set(names):
        wrong = ", ".join(sorted(given.keys() ^ set(names)))
        raise TypeError(f"the query's parameters and the arguments differ in: {wrong}")
    return (text, *(given[name] for name in names))


@cache
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a query with numbers for the names of its parameters, and the names in that order.

    Raises ValueError if some parameters have names and others numbers.
    """
    names = tuple(dict.fromkeys(_PARAMETER.findall(query)))
    if names and _NUMBER.search(query):
        raise ValueError("a query's parameters have names or numbers, not both")
    numbers = {name: f"${number}" for number, name in enumerate(names, start=1)}
    return _PARAMETER.sub(lambda found: numbers[found[1]], query), names
