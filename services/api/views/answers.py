"""The parts of an answer that all views have: its entity tags, and its JSON."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from http import HTTPStatus

from aiohttp import hdrs, web
from yarl import URL

from services.api.formats.json_value import dumps
from services.api.formats.negotiation import Format
from services.api.formats.report import Value
from services.api.http import conditional
from services.api.http.appkeys import CONTENT_LOCATION, LEDGER_VERSION
from services.api.http.periods import requested_business
from services.api.views.snapshot import State

Row = Sequence[Value]


def tags(request: web.Request, at: State, chosen: Format) -> tuple[str, str]:
    """Return the entity tags of an answer that shows this state, plain and with gzip.

    They cover the days of the period, every parameter, the format, and what an answer shows of the
    business, which may change without the ledger.
    """
    asked = request.get(CONTENT_LOCATION, request.path_qs)
    return conditional.entity_tags(f"{at.business} {at.version} {chosen.word} {asked}")


async def not_modified(request: web.Request, chosen: Format) -> web.Response | None:
    """Return the answer 304 if the caller has this one already, or None.

    The version of the ledger is that of the look-up of the key. A page has no entity tag.
    """
    version = request.get(LEDGER_VERSION)
    if version is None or chosen is Format.HTML or not request.if_none_match:
        return None
    at = State(version, await requested_business(request))
    had = conditional.had_already(request, tags(request, at, chosen))
    if had is None:
        return None
    return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=conditional.headers(had))


def json(
    request: web.Request,
    at: State,
    members: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return an answer in JSON that shows this state, with members that `dumps` can write."""
    plain, _ = tags(request, at, Format.JSON)
    return web.Response(
        body=dumps(members),
        content_type=Format.JSON.media,
        charset="utf-8",
        headers={**conditional.headers(plain), **(headers or {})},
    )


def pages(request: web.Request, next_cursor: str | None) -> Mapping[str, str | None]:
    """Return the URLs of the first page and of the next one, with the dates of the period."""
    here = URL(request.get(CONTENT_LOCATION, request.path_qs), encoded=True)
    first = here.without_query_params("cursor")
    following = None if next_cursor is None else str(first.extend_query(cursor=next_cursor))
    return {"first": str(first), "next": following}


def link(pages: Mapping[str, str | None]) -> Mapping[str, str]:
    """Return the header that names the pages around one (RFC 8288)."""
    links = (f'<{url}>; rel="{name}"' for name, url in pages.items() if url is not None)
    return {hdrs.LINK: ", ".join(links)}


def batch(rows: Sequence[Row]) -> Callable[[], AsyncIterator[Sequence[Row]]]:
    """Return the `rows` of a report that were read already."""

    async def read() -> AsyncIterator[Sequence[Row]]:
        yield rows

    return read
