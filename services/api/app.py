"""The composition root of the API: opens and closes its parts in order."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web
from prometheus_client import CollectorRegistry

from services.api.access.borrowers import Borrowers
from services.api.access.invalid_keys import InvalidKeys
from services.api.access.rate_limit import Limits
from services.api.access.unread import Unread
from services.api.contract import openapi
from services.api.formats.answer import TYPESETTING
from services.api.formats.page import problem
from services.api.formats.pdf.typesetting import Typesetting
from services.api.http import headers, middlewares, request_body, routing
from services.api.http.appkeys import (
    BORROWERS,
    CONNECTIONS,
    DATABASE_TROUBLE,
    EXPOSE,
    FILES,
    HEALTH,
    INVALID_KEYS,
    LIMITS,
    METRICS,
    OPENAPI,
    POOL,
    PROBLEM_PAGE,
    RELAY_SETTINGS,
    SETTINGS,
    STOPPING,
    STREAMS,
    UNREAD,
    UNSUBSCRIBE_LINKS,
)
from services.api.http.metrics import HttpMetrics, for_a_second
from services.api.http.tallies import Tallies
from services.api.relay.app import relaying
from services.api.reports.listing.handlers import LIST_CACHE
from services.api.reports.version_cache import VersionCache
from services.api.routes import ROUTES
from shared.db import postgres
from shared.db.readiness import check_postgres
from shared.mail.unsubscribe import Links
from shared.process import metrics
from shared.process.descriptors import Watch
from shared.process.health import Health
from shared.process.settings import ApiSettings, RelaySettings
from shared.process.trouble import Trouble
from shared.turns import Turns

# The number of each, and the number of them that one business may hold at once.
DATABASE_CONNECTIONS, _CONNECTIONS_EACH = 10, 8
_STREAMS, _STREAMS_EACH = 5, 2
# Of what each process remembers of ledgers, for the pages of their lists.
_LIST_CACHE_BYTES = 32 * 1024 * 1024
_FILES, _FILES_EACH = 2, 1


def create_app(
    settings: ApiSettings,
    *,
    relay: RelaySettings | None = None,
    tallies: Tallies | None = None,
) -> web.Application:
    """Return the API, with a relay inside if `relay` is given.

    It starts while Postgres is unavailable, and answers 503 until it is available. Workers that
    count in `tallies` expose their metrics together.
    """
    app = web.Application(
        middlewares=list(middlewares.AROUND), client_max_size=request_body.BODY_BYTES_MAX
    )
    app[SETTINGS] = settings
    app[HEALTH] = Health()
    app[STOPPING] = asyncio.Event()
    app[CONNECTIONS] = Turns(DATABASE_CONNECTIONS, _CONNECTIONS_EACH, spare=True)
    app[STREAMS] = Turns(_STREAMS, _STREAMS_EACH)
    app[LIST_CACHE] = VersionCache(_LIST_CACHE_BYTES)
    app[FILES] = Turns(_FILES, _FILES_EACH)
    app[BORROWERS] = Borrowers()
    app[LIMITS] = Limits(settings.rate_limit)
    app[INVALID_KEYS] = InvalidKeys()
    app[DATABASE_TROUBLE] = Trouble("database_unavailable")
    app[UNREAD] = Unread()
    secret = settings.unsubscribe_secret
    app[UNSUBSCRIBE_LINKS] = Links(secret, settings.public_url) if secret else None
    counted = metrics.registry()
    app[METRICS] = HttpMetrics(counted)

    def expose() -> bytes:
        return metrics.expose(counted) if tallies is None else tallies.expose(counted)

    app[EXPOSE] = for_a_second(expose)
    app.cleanup_ctx.append(partial(_descriptors, counted=counted))
    app[PROBLEM_PAGE] = problem.page
    app[OPENAPI] = lambda: openapi.as_json(ROUTES)
    routing.add_to(app, ROUTES)
    app.on_response_prepare.append(headers.finish)
    app.cleanup_ctx.append(_postgres)
    app.cleanup_ctx.append(_typesetting)
    if relay is not None:
        app[RELAY_SETTINGS] = relay
        app.cleanup_ctx.append(partial(_relay, counted=counted))
    return app


async def _postgres(app: web.Application) -> AsyncIterator[None]:
    async with postgres.pool(
        app[SETTINGS].database_url, name="ledgerpost-api", size=DATABASE_CONNECTIONS
    ) as pool:
        app[POOL] = pool
        app[HEALTH].register("postgres", partial(check_postgres, pool))
        yield


async def _typesetting(app: web.Application) -> AsyncIterator[None]:
    async with Typesetting() as typesetting:
        app[TYPESETTING] = typesetting
        yield


async def _descriptors(_: web.Application, *, counted: CollectorRegistry) -> AsyncIterator[None]:
    async with Watch(counted).watching():
        yield


async def _relay(app: web.Application, *, counted: CollectorRegistry) -> AsyncIterator[None]:
    async with relaying(app[RELAY_SETTINGS], app[HEALTH], counted):
        yield
