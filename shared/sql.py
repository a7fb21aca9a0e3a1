"""Named queries, kept in a `queries.sql` beside the store that runs them."""

import re
from functools import cached_property
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class Queries:
    """The named queries of one package, read at first use; an unknown name is an AttributeError."""

    def __init__(self, package: str) -> None:
        self._package = package

    @cached_property
    def _texts(self) -> dict[str, str]:
        text = files(self._package).joinpath("queries.sql").read_text("utf-8")
        _, *parts = _NAME.split(text)
        names = parts[::2]
        if len(set(names)) < len(names):
            raise ValueError(f"{self._package}: a query's name is given twice")
        return dict(zip(names, (body.strip() for body in parts[1::2]), strict=True))

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._package}/queries.sql has no query {name}") from None


def load(package: str) -> Queries:
    """Return the queries of `package`, each under its `-- name:` as an attribute."""
    return Queries(package)
