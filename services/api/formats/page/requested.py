"""The navigation of a page, as far as its request says it."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from yarl import URL

from services.api.formats.negotiation import Format
from services.api.formats.page.navigation import Navigation, View
from services.api.http.appkeys import CONTENT_LOCATION, SESSION


def navigation(
    request: web.Request, view: View, formats: Sequence[Format], **given: Any
) -> Navigation:
    """Return the navigation of a page of `view` for the days and parameters of its request.

    `formats` are those in which the view can be downloaded, `given` the rest of the navigation.
    """
    location = request.get(CONTENT_LOCATION)
    url = request.rel_url if location is None else URL(location, encoded=True)
    return Navigation(
        view=view,
        path=url.raw_path,
        query=tuple(url.query.items()),
        word=request.match_info.get("period", ""),
        formats=tuple(each.word for each in formats),
        signed_in=SESSION in request,
        **given,
    )
