"""The answer to a request for a batch that is a dry run."""

from typing import Final

from aiohttp import web

from services.api.batches.dry_run import dry_run
from services.api.batches.estimate import Rates
from services.api.batches.planned import DryRun
from services.api.batches.request import BatchRequest
from services.api.core.deadline import promptly
from services.api.http.appkeys import DRY_RUNS, PRINCIPAL, SETTINGS
from services.api.http.connections import connection
from services.api.http.content_location import tell_dates
from services.api.http.making import made_while_wanted
from services.api.http.problem_json import NO_ANSWER, BrokenOff
from services.api.sends.terms import Terms

_S_MAX: Final = 60.0
_ADVICE: Final = "Use filters that select fewer customers."


async def show(request: web.Request, asked: BatchRequest) -> web.StreamResponse:
    """Answer with the batch that the request would make, and with a frozen list.

    All businesses together have two dry runs at a time in a process, because each holds a
    connection and keeps Postgres busy; a business has one. It ends if its caller leaves.
    """
    settings, business = request.app[SETTINGS], request[PRINCIPAL].business_id

    async def make() -> DryRun:
        async with connection(request) as conn, promptly(_S_MAX, "The dry run", _ADVICE):
            return await dry_run(conn, business, asked, Terms.of(settings), Rates.of(settings))

    made = await made_while_wanted(request, make, DRY_RUNS)
    if made is None:
        return BrokenOff(request, NO_ANSWER)
    tell_dates(request, asked.period, made.start, made.end)
    return web.Response(text=made.to_json(), content_type="application/json")
