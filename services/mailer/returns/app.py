"""The composition root of the process that receives returned mail from mail servers."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import Gauge

from services.mailer.returns.answers import Answers
from services.mailer.returns.limits import Limits
from services.mailer.returns.listener import Listener, NotListening
from services.mailer.returns.maildir import Maildir
from shared.db import postgres
from shared.db.login import warned
from shared.db.pool_metrics import PoolMetrics
from shared.db.readiness import check_postgres
from shared.process import descriptors, metrics
from shared.process.health import Health
from shared.process.ops import serve_ops
from shared.process.resources import Resources
from shared.process.returns_settings import ReturnsSettings
from shared.process.sampling import sampling
from shared.process.settings import SettingsError
from shared.process.trouble import Trouble
from shared.returns.about_us import Warnings
from shared.returns.metrics import ReturnMetrics
from shared.returns.receiving import Receiver

_log = structlog.get_logger("ledgerpost.returns")
DATABASE_CONNECTIONS = 8
# File descriptors of Postgres, the ops port, the log, and connections that are being refused.
_OTHER_DESCRIPTORS = 64


async def run(settings: ReturnsSettings, stop: asyncio.Event) -> None:
    """Receive returned mail until `stop`, then finish the mails that are being received."""
    limits, health, counted = Limits(), Health(), metrics.registry()
    try:
        descriptors.raise_limit(limits.connections + _OTHER_DESCRIPTORS)
    except descriptors.TooFew as error:
        raise SettingsError(f"RETURNS_LISTEN: for {limits.connections} of them {error}") from None
    paths, tls = settings.return_paths, _tls(settings)
    async with AsyncExitStack() as stack:
        pools, seen = [], PoolMetrics(counted)
        for each in settings.databases:
            await stack.enter_async_context(warned(each.url))
            pool = await stack.enter_async_context(
                postgres.pool(
                    each.url,
                    name=each.label("ledgerpost-returns"),
                    size=DATABASE_CONNECTIONS,
                    by_key=True,
                    idle="30s",
                    metrics=seen,
                )
            )
            pools.append(pool)
            health.register(each.label("postgres"), partial(check_postgres, pool))
            health.warn(each.label("returns"), Warnings(pool).said)
        trouble = Trouble("returned_mail_waits")
        receiver = Receiver(pools, paths, ReturnMetrics(counted))
        answers = Answers(receiver, limits, trouble, counted)
        listener = Listener(answers, limits, paths.domain, tls)
        Gauge(
            "ledgerpost_return_connections", "Open connections of mail servers.", registry=counted
        ).set_function(lambda: listener.connections.number)
        await stack.enter_async_context(sampling(descriptors.Watch(counted).look))
        await stack.enter_async_context(Resources(counted).watching(health))
        await stack.enter_async_context(
            serve_ops(
                "RETURNS_OPS", settings.returns_ops_host, settings.returns_ops_port, health, counted
            )
        )
        try:
            await stack.enter_async_context(listener.listening(settings.returns_listen))
        except NotListening as error:
            raise SettingsError(f"RETURNS_LISTEN: {error}") from None
        _log.info("returns_listening", addresses=[str(each) for each in settings.returns_listen])
        if settings.returns_maildir is not None:
            path, waits = _maildir(settings.returns_maildir), Trouble("maildir_waits")
            health.register("maildir", waits.check)
            await stack.enter_async_context(_running(Maildir(path, receiver, paths, waits)))
        await stop.wait()


def _maildir(setting: str) -> Path:
    """Return the path of the Maildir. Raises SettingsError if it is none."""
    path = Path(setting)
    if not (path / "new").is_dir():
        raise SettingsError(
            "RETURNS_MAILDIR: should be the path of a Maildir, which has a folder new"
        )
    return path


@asynccontextmanager
async def _running(maildir: Maildir) -> AsyncIterator[None]:
    """Within the `with`, what comes into the Maildir is taken in."""
    task = asyncio.create_task(maildir.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _tls(settings: ReturnsSettings) -> ssl.SSLContext | None:
    """Return the certificate for STARTTLS, None if there is none. Raises SettingsError."""
    if settings.returns_tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.returns_tls_cert, settings.returns_tls_key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"RETURNS_TLS_CERT, RETURNS_TLS_KEY: {reason}") from None
    return context
