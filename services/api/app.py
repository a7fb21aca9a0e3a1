"""The composition root of the API: opens and closes its parts in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import asyncpg
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.api.access.attempts import Attempts
from services.api.access.borrowers import Borrowers
from services.api.access.key_databases import KeyDatabases
from services.api.access.rate_limit import Limits
from services.api.access.unread import Unread
from services.api.contract import openapi
from services.api.formats.answer import TYPESETTING
from services.api.formats.page import problem
from services.api.formats.pdf.typesetting import Typesetting
from services.api.http import headers, middlewares, replica, request_body, routing
from services.api.http.appkeys import (
    BORROWERS,
    DATABASES,
    DRY_RUNS,
    EXPOSE,
    FILES,
    HEALTH,
    INVALID_KEYS,
    KEY_DATABASES,
    LIMITS,
    METRICS,
    OPENAPI,
    OVERLAP,
    PREVIEW_TURNS,
    PROBLEM_PAGE,
    RELAY_SETTINGS,
    RETURN_METRICS,
    RETURN_PATHS,
    SETTINGS,
    STOPPING,
    STREAMS,
    UNREAD,
    UNSUBSCRIBE_LINKS,
)
from services.api.http.databases import OpenDatabase
from services.api.http.metrics import HttpMetrics, for_a_second
from services.api.http.replica import REPLICA, Replica
from services.api.http.tallies import Tallies
from services.api.preview.handlers import PREVIEWS
from services.api.preview.mails import Previews
from services.api.relay.app import relaying
from services.api.reports.listing.handlers import LIST_CACHES
from services.api.reports.version_cache import VersionCache
from services.api.routes import ROUTES
from services.api.verify import page as verify_page
from services.api.verify.handlers import ATTEMPTS
from shared.db import postgres
from shared.db.overlap import Overlap
from shared.db.pool_metrics import PoolMetrics
from shared.db.readiness import check_postgres
from shared.mail.unsubscribe import Links
from shared.process import metrics, tracing
from shared.process.descriptors import Watch
from shared.process.health import Health
from shared.process.resources import Resources
from shared.process.sampling import sampling
from shared.process.settings import ApiSettings, RelaySettings
from shared.returns.metrics import ReturnMetrics
from shared.turns import Turns

# The number of each, and the number of them that one business may hold at once. The connections
# are those with one database.
DATABASE_CONNECTIONS, _CONNECTIONS_EACH = 10, 8
_STREAMS, _STREAMS_EACH = 5, 2
# With a replica: connections that ask how far the log goes.
_CLOCKS = 2
# Of what each process remembers of ledgers, for the pages of their lists.
_LIST_CACHE_BYTES = 32 * 1024 * 1024
_FILES, _FILES_EACH = 2, 1
# Apart from files: a large export takes minutes, and nobody's preview should wait for it.
_PREVIEWS, _PREVIEWS_EACH = 2, 1
_DRY_RUNS, _DRY_RUNS_EACH = 2, 1


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
    app[STREAMS] = Turns(_STREAMS, _STREAMS_EACH)
    share = _LIST_CACHE_BYTES // len(settings.databases)
    app[LIST_CACHES] = {each.name: VersionCache(share) for each in settings.databases}
    app[FILES] = Turns(_FILES, _FILES_EACH)
    app[PREVIEW_TURNS] = Turns(_PREVIEWS, _PREVIEWS_EACH)
    app[DRY_RUNS] = Turns(_DRY_RUNS, _DRY_RUNS_EACH)
    app[BORROWERS] = Borrowers()
    app[KEY_DATABASES] = KeyDatabases()
    app[LIMITS] = Limits(settings.rate_limit)
    app[INVALID_KEYS] = Attempts()
    app[ATTEMPTS] = Attempts(said=verify_page.english()["too_often"])
    app[UNREAD] = Unread()
    secret, old = settings.unsubscribe_secret, settings.unsubscribe_secret_old
    app[UNSUBSCRIBE_LINKS] = Links(secret, settings.public_url, old=old) if secret else None
    app[RETURN_PATHS] = settings.return_paths
    counted = metrics.registry()
    app[METRICS] = HttpMetrics(counted)
    app[RETURN_METRICS] = ReturnMetrics(counted)
    databases = PoolMetrics(counted)

    def expose() -> bytes:
        return metrics.expose(counted) if tallies is None else tallies.expose(counted)

    app[EXPOSE] = for_a_second(expose)
    app.cleanup_ctx.append(_tracing)
    app.cleanup_ctx.append(partial(_gauges, counted=counted))
    app[PROBLEM_PAGE] = problem.page
    app[OPENAPI] = lambda: openapi.as_json(ROUTES)
    routing.add_to(app, ROUTES)
    app.on_response_prepare.append(headers.finish)
    app.on_response_prepare.append(replica.finish)
    app[REPLICA] = None
    app.cleanup_ctx.append(partial(_postgres, metrics=databases))
    app.cleanup_ctx.append(_typesetting)
    app.cleanup_ctx.append(_previews)
    if relay is not None:
        app[RELAY_SETTINGS] = relay
        app.cleanup_ctx.append(partial(_relay, counted=counted, databases=databases))
    return app


async def _tracing(app: web.Application) -> AsyncIterator[None]:
    async with tracing.recording(app[SETTINGS].otel_exporter_otlp_endpoint, "ledgerpost-api"):
        yield


async def _postgres(app: web.Application, *, metrics: PoolMetrics) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        opened = {}
        for each in app[SETTINGS].databases:
            pool = await stack.enter_async_context(
                postgres.pool(
                    each.url,
                    name=each.label("ledgerpost-api"),
                    size=DATABASE_CONNECTIONS,
                    metrics=metrics,
                )
            )
            turns = Turns(DATABASE_CONNECTIONS, _CONNECTIONS_EACH, spare=True)
            opened[each.name] = OpenDatabase(each.name, pool, turns)
            app[HEALTH].register(each.label("postgres"), partial(check_postgres, pool))
        app[DATABASES] = opened
        app[OVERLAP] = overlap = Overlap({name: each.pool for name, each in opened.items()})
        if len(opened) > 1:
            stack.callback(asyncio.create_task(overlap.watch()).cancel)
        app[REPLICA] = await _replica(app, stack, metrics)
        yield


async def _replica(
    app: web.Application, stack: AsyncExitStack, metrics: PoolMetrics
) -> Replica | None:
    """Return the replica, if there is one, with pools that are closed with the stack."""
    url = app[SETTINGS].database_replica_url
    if url is None:
        return None
    [primary] = app[DATABASES].values()

    async def opened(dsn: str, name: str, size: int, *, replica: bool) -> asyncpg.Pool:
        pool = postgres.pool(
            dsn, name=f"ledgerpost-{name}", size=size, metrics=metrics, replica=replica
        )
        return await stack.enter_async_context(pool)

    reading = await opened(url, "api-replica", DATABASE_CONNECTIONS, replica=True)
    turns = Turns(DATABASE_CONNECTIONS, _CONNECTIONS_EACH, spare=True)
    return Replica(
        primary,
        OpenDatabase(primary.name, reading, turns),
        await opened(app[SETTINGS].database.url, "api-clock", _CLOCKS, replica=False),
        await opened(url, "api-replica-clock", _CLOCKS, replica=True),
    )


async def _typesetting(app: web.Application) -> AsyncIterator[None]:
    async with Typesetting() as typesetting:
        app[TYPESETTING] = typesetting
        yield


async def _previews(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    async with Previews(settings.mail_from, pdf=settings.attach_pdf == "on") as previews:
        app[PREVIEWS] = previews
        yield


async def _gauges(app: web.Application, *, counted: CollectorRegistry) -> AsyncIterator[None]:
    async with sampling(Watch(counted).look), Resources(counted).watching(app[HEALTH]):
        yield


async def _relay(
    app: web.Application, *, counted: CollectorRegistry, databases: PoolMetrics
) -> AsyncIterator[None]:
    async with relaying(app[RELAY_SETTINGS], app[HEALTH], counted, databases):
        yield
