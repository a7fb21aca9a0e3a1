"""The list with options, in every format."""

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import hdrs, web

from services.api.businesses.model import Business
from services.api.formats.file_name import disposition
from services.api.formats.negotiation import OF_LISTS, Format
from services.api.http import conditional
from services.api.http.appkeys import CODING
from services.api.http.connections import database_of
from services.api.http.periods import requested_business
from services.api.reports.listing.model import Listing
from services.api.reports.listing.report import as_report
from services.api.reports.listing.report_answer import ReportAnswer
from services.api.reports.listing.request import requested_list, wanted_page
from services.api.reports.listing.text import WRITTEN, ListText
from services.api.reports.listing.text_answer import TextAnswer
from services.api.reports.version_cache import VersionCache
from services.api.reports.versions import ledger_version

OFFERED = OF_LISTS
# What is remembered of ledgers, for further pages of the same lists, by the name of the database.
LIST_CACHES = web.AppKey[Mapping[str, VersionCache]]("LIST_CACHES")


def list_cache(request: web.Request) -> VersionCache:
    """Return what is remembered of ledgers in the database of the request."""
    return request.app[LIST_CACHES][database_of(request).name]


async def show(request: web.Request, form: Format) -> web.StreamResponse:
    """Answer with the list that the parameters describe.

    The version of the tag is read before the rows. If the rows are newer than their tag, they are
    sent once more later; a tag that is newer than its rows would hide them from the caller.
    """
    listing = await requested_list(request)
    wanted = wanted_page(listing)
    text = ListText(listing, form)
    is_plain = form is Format.JSON and not text.is_object
    business = None if is_plain else await requested_business(request)
    version = await ledger_version(request)
    key = f"{listing.filtered} {form.word} {business} {request.rel_url.raw_query_string}"
    tags = conditional.entity_tags(f"{version} {key}")
    if form is not Format.HTML and (had := conditional.had_already(request, tags)):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=conditional.headers(had))
    cache = list_cache(request)
    if form not in WRITTEN and business is not None:
        return await ReportAnswer(request, listing, form, business, tags, cache).send(wanted)
    # A page is compressed by its length, and gets its other tag then.
    tag = tags[request[CODING].gzip and wanted is None]
    answer = TextAnswer(
        request=request,
        text=text,
        headers={**conditional.headers(tag), **_file(listing, business, form)},
        key=key,
        described=business if text.is_object else None,
        cache=cache,
    )
    return await (answer.whole() if wanted is None else answer.page(wanted, version))


def _file(listing: Listing, business: Business | None, form: Format) -> Mapping[str, str]:
    """Return the header with the name of the file, if the answer is one."""
    if form is Format.JSON or business is None:
        return {}
    return {hdrs.CONTENT_DISPOSITION: disposition(as_report(listing, business), form)}
