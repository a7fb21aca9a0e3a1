"""Named queries, kept in an SQL file beside the module that runs them."""

import re
from functools import cached_property
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


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
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._package}/{self._file} has no query {name}") from None


def load(package: str, file: str = "queries.sql") -> Queries:
    """Return the queries of a file of `package`, each under its `-- name:` as an attribute."""
    return Queries(package, file)
