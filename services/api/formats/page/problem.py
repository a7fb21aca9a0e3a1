"""A problem as a page, for a person who is signed in."""

import orjson
from aiohttp import hdrs, web

from services.api.formats.page import answers
from services.api.formats.page.templates import template


def page(problem: web.Response) -> web.Response:
    """Return the answer with the page of what `problem` says as JSON, with its status."""
    given = orjson.loads(problem.body) if isinstance(problem.body, bytes) else {}
    fields = {"title": "", "detail": "", "errors": (), "request_id": ""} | given
    response = answers.page(template("problem.html").render(problem=fields), status=problem.status)
    if hdrs.RETRY_AFTER in problem.headers:
        response.headers[hdrs.RETRY_AFTER] = problem.headers[hdrs.RETRY_AFTER]
    return response
