"""The links of a page to the pages around it (RFC 8288), with the dates of its period."""

from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

from services.api.http.appkeys import CONTENT_LOCATION
from services.api.reports.paging import Paging

_PLACES = ("cursor", "page")


@dataclass(frozen=True)
class Cursors:
    """The cursors of the pages around a page; None if there is no such page."""

    prev: str | None
    next: str | None
    last: str


@dataclass(frozen=True)
class Links:
    """The paths of the pages around a page; None if there is no such page."""

    first: str
    prev: str | None
    next: str | None
    last: str

    def header(self) -> str:
        """Return the value of the header Link."""
        return ", ".join(self._values())

    def _values(self) -> Iterator[str]:
        for name in ("first", "prev", "next", "last"):
            if target := getattr(self, name):
                yield f'<{target}>; rel="{name}"'


def links(request: web.Request, paging: Paging, total: int, cursors: Cursors) -> Links:
    """Return the links of a page of `total` rows, by numbers if it was asked for by its number."""
    url = _without_place(request)
    if paging.page is None:
        return Links(
            str(url),
            _to(url, cursors.prev),
            _to(url, cursors.next),
            _at(url, "cursor", cursors.last),
        )
    last = max(1, -(-total // paging.rows))
    before, after = min(paging.page - 1, last), paging.page + 1
    return Links(
        _at(url, "page", "1"),
        _at(url, "page", str(before)) if before else None,
        _at(url, "page", str(after)) if after <= last else None,
        _at(url, "page", str(last)),
    )


def _without_place(request: web.Request) -> URL:
    location = request.get(CONTENT_LOCATION)
    url = request.rel_url if location is None else URL(location, encoded=True)
    return url.without_query_params(*_PLACES)


def _to(url: URL, cursor: str | None) -> str | None:
    return None if cursor is None else _at(url, "cursor", cursor)


def _at(url: URL, name: str, value: str) -> str:
    return str(url.extend_query({name: value}))
