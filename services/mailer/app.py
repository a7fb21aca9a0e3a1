"""The mailer's composition root."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg
import structlog

from services.mailer.delivery.claims import Claims
from services.mailer.delivery.composer import Composer
from services.mailer.delivery.consumer import MESSAGES_PER_PLACE, Consumer
from services.mailer.delivery.foreign import ForeignWakeups
from services.mailer.delivery.pacing import Pacing
from services.mailer.delivery.worker import Worker
from services.mailer.metrics import MailerMetrics
from services.mailer.smtp import ehlo
from services.mailer.smtp.outcomes import SmarthostAtFault
from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from services.mailer.smtp.trial import Trial
from shared.amqp.breaker import Breaker
from shared.db import postgres
from shared.db.databases import Database
from shared.db.login import warned
from shared.db.pool_metrics import PoolMetrics
from shared.db.readiness import check_postgres
from shared.mail.address import wire_form
from shared.mail.mailbox import Mailbox
from shared.mail.unsubscribe import Links
from shared.process import descriptors, metrics, tracing
from shared.process.health import Health
from shared.process.ops import serve_ops
from shared.process.resources import Resources
from shared.process.sampling import sampling
from shared.process.settings import (
    MailerSettings,
    MessageSettings,
    SenderSettings,
    SettingsError,
    SmtpSettings,
)
from shared.rendering.queue import RenderQueue

_log = structlog.get_logger("ledgerpost.mailer")
DATABASE_CONNECTIONS = 6
# Deliveries claimed for each session: while one is handed over, others are composed or recorded.
AHEAD = 4
# Messages for each session that are not acknowledged: those of claimed deliveries, and those that
# wait for the turn of their business.
PREFETCH = AHEAD * MESSAGES_PER_PLACE
# One more is for long statements: it may take 0.65 GB for 5,000 lines. On more processors, run more
# mailers.
_PROCESSES_MAX = 2
# File descriptors of Postgres, RabbitMQ, rendering processes, the ops port, the log, and of
# sessions that are being closed.
_OTHER_DESCRIPTORS = 64


async def run(settings: MailerSettings, stop: asyncio.Event) -> None:
    """Consume and deliver until `stop`, then finish the deliveries in flight."""
    sender, redirect_to = mail_from(settings), redirection(settings)
    smarthost, name = smarthost_from(settings), ehlo_name(settings)
    concurrency = settings.mailer_concurrency
    provide_descriptors(concurrency)
    if smarthost.username is not None and smarthost.tls == "none" and not smarthost.is_local:
        _log.warning("smarthost_password_unencrypted", setting="SMTP_URL")
    if settings.return_path == "bounce" and sender.paths is None:
        _log.warning(
            "return_path_unsigned",
            setting="RETURN_SECRET",
            hint="mails that come back go to MAIL_FROM",
        )
    if (signer := settings.signer) is not None:
        names = [f"{key.selector}._domainkey.{key.domain}" for key in signer.keys]
        _log.info("mails_signed", keys=names)
    health, counted = Health(), metrics.registry()
    async with AsyncExitStack() as stack:
        endpoint = settings.otel_exporter_otlp_endpoint
        await stack.enter_async_context(tracing.recording(endpoint, "ledgerpost-mailer"))
        sessions = SessionPool(smarthost, concurrency, timeouts_from(settings), name)
        stack.push_async_callback(sessions.close)
        counts = MailerMetrics(counted)
        rendering = _render_queue(settings, counts)
        health.register("rendering", rendering.check, old_name="compositors")
        links = unsubscribe_links(settings)
        pacing = Pacing(settings.smarthost_rate, settings.domain_rate, concurrency // 2)
        breaker = Breaker("smarthost", sessions.probe, SmarthostAtFault)
        health.register("smarthost", breaker.check, old_name="relay")
        foreign, trial, consumers = ForeignWakeups(counted), Trial(breaker), []
        pools = PoolMetrics(counted)
        for database in settings.databases:
            pool = await stack.enter_async_context(_opened(database, pools))
            health.register(database.label("postgres"), partial(check_postgres, pool))
            claims = Claims(pool, settings.lease, foreign.count)
            stack.callback(asyncio.create_task(claims.renew()).cancel)
            # The long waits of one business take at most a quarter of the places.
            most = concurrency * AHEAD // 4
            composer = Composer(
                claims, rendering, sender, redirect_to, links, signer=signer, most_waiting=most
            )
            worker = Worker(
                claims, composer, pacing, sessions, breaker, settings.retry_delay, counts, trial
            )
            places = concurrency * AHEAD
            consumers.append(Consumer(settings.amqp_url, places, worker, breaker, health, database))
        await stack.enter_async_context(
            serve_ops(
                "MAILER_OPS", settings.mailer_ops_host, settings.mailer_ops_port, health, counted
            )
        )
        await stack.enter_async_context(rendering)
        looks = descriptors.Watch(counted).look, partial(counts.look, sessions, rendering)
        await stack.enter_async_context(sampling(*looks))
        await stack.enter_async_context(Resources(counted).watching(health))
        for watcher in (breaker.watch(), _stop_sessions(sessions, stop)):
            stack.callback(asyncio.create_task(watcher).cancel)
        await asyncio.gather(*(consumer.run(stop) for consumer in consumers))


@asynccontextmanager
async def _opened(database: Database, metrics: PoolMetrics) -> AsyncIterator[asyncpg.Pool]:
    """Yield a pool, and warn of a login that has too many rights."""
    async with (
        warned(database.url),
        postgres.pool(
            database.url,
            name=database.label("ledgerpost-mailer"),
            size=DATABASE_CONNECTIONS,
            by_key=True,
            metrics=metrics,
        ) as pool,
    ):
        yield pool


def _render_queue(settings: MailerSettings, counts: MailerMetrics) -> RenderQueue:
    pdf = settings.attach_pdf == "on"
    # Without PDF, one process makes more messages than a mailer can hand over.
    most = min(os.cpu_count() or 1, settings.mailer_concurrency, _PROCESSES_MAX) if pdf else 1
    return RenderQueue(
        most,
        pdf=pdf,
        public_url=settings.public_url,
        flawed=counts.flawed,
        started=counts.started,
    )


async def _stop_sessions(sessions: SessionPool, stop: asyncio.Event) -> None:
    await stop.wait()
    sessions.stop()


def mail_from(settings: SenderSettings) -> Mailbox:
    """Return the sender of all mail; with RETURN_SECRET, each mail has its own return path."""
    paths = settings.return_paths if settings.return_path == "bounce" else None
    return Mailbox.parse(settings.mail_from, paths=paths)


def redirection(settings: MailerSettings) -> str | None:
    """Return the staging address to which all mail goes, or None.

    Raises SettingsError if it is no address.
    """
    if settings.mail_redirect_to is not None:
        try:
            wire_form(settings.mail_redirect_to)
        except ValueError as error:
            raise SettingsError(f"MAIL_REDIRECT_TO: {error}") from None
    return settings.mail_redirect_to


def smarthost_from(settings: SmtpSettings) -> Smarthost:
    """Return the smarthost. Raises SettingsError if SMTP_URL names none."""
    try:
        return Smarthost.from_url(settings.smtp_url)
    except ValueError as error:
        raise SettingsError(f"SMTP_URL: {error}") from None


def timeouts_from(settings: MailerSettings) -> Timeouts:
    """Return how long each step of a mail may take."""
    return Timeouts(final=settings.smtp_reply_timeout.total_seconds())


def longest_hold(timeouts: Timeouts, databases: int) -> timedelta:
    """Return how long a mailer may hold a message if each mail before it takes all its time.

    The queue of each database has messages of its own, and the mails of all share the sessions.
    """
    mail = timedelta(seconds=timeouts.to_gate + timeouts.gate + timeouts.final)
    return databases * PREFETCH * mail


def descriptors_needed(concurrency: int) -> int:
    """Return how many file descriptors a mailer with so many sessions may need."""
    return 2 * concurrency + _OTHER_DESCRIPTORS


def provide_descriptors(concurrency: int) -> None:
    """Raise the limit of file descriptors to what so many sessions need, or raise a SettingsError.

    Without any left the ops port would not answer.
    """
    try:
        descriptors.raise_limit(descriptors_needed(concurrency))
    except descriptors.TooFew as error:
        raise SettingsError(f"MAILER_CONCURRENCY: for {concurrency} sessions {error}") from None


def ehlo_name(settings: SmtpSettings) -> str | None:
    """Return the name for EHLO, None for the machine's own. Raises SettingsError if it is none."""
    if settings.ehlo_name is not None and not ehlo.is_name(settings.ehlo_name):
        raise SettingsError(
            "EHLO_NAME: should be a fully-qualified name, [192.0.2.1] or [IPv6:2001:db8::1]"
        )
    return settings.ehlo_name


def unsubscribe_links(settings: MessageSettings) -> Links | None:
    """Return the maker of the links for unsubscribing; None if mails have no such link."""
    if settings.list_unsubscribe == "off" or settings.unsubscribe_secret is None:
        return None
    return Links(settings.unsubscribe_secret, settings.public_url)
