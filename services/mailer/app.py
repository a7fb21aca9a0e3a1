"""The mailer's composition root."""

import asyncio
import os
from contextlib import AsyncExitStack
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Counter

from services.mailer.delivery.claims import Claims
from services.mailer.delivery.composer import Composer
from services.mailer.delivery.consumer import Consumer
from services.mailer.delivery.foreign import ForeignWakeups
from services.mailer.delivery.pacing import Pacing
from services.mailer.delivery.worker import Worker
from services.mailer.smtp import ehlo
from services.mailer.smtp.outcomes import SmarthostAtFault
from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from shared.amqp.breaker import Breaker
from shared.db import postgres
from shared.db.login import warned
from shared.db.readiness import check_postgres
from shared.deliveries.states import State
from shared.mail.address import wire_form
from shared.mail.mailbox import Mailbox
from shared.mail.unsubscribe import Links
from shared.process import descriptors, metrics
from shared.process.health import Health
from shared.process.ops import serve_ops
from shared.process.settings import (
    MailerSettings,
    MessageSettings,
    SenderSettings,
    SettingsError,
    SmtpSettings,
)
from shared.rendering.queue import RenderQueue
from shared.statements.attachment import Flaw

_log = structlog.get_logger("ledgerpost.mailer")
DATABASE_CONNECTIONS = 6
# Deliveries claimed for each session: while one is handed over, others are composed or recorded.
AHEAD = 4
# One more is for long statements: it may take 0.65 GB for 5,000 lines. On more processors, run more
# mailers.
_PROCESSES_MAX = 2
# File descriptors of Postgres, RabbitMQ, rendering processes, the ops port, the log, and of
# sessions that are being closed.
_OTHER_DESCRIPTORS = 64


class Metrics:
    """Counts recorded attempts by their state, and mails by the flaws of their PDF."""

    def __init__(self, counted: CollectorRegistry) -> None:
        self._attempts = Counter(
            "ledgerpost_delivery_attempts",
            "Recorded attempts to hand a mail to the smarthost, by outcome",
            ["state"],
            registry=counted,
        )
        self._flaws = Counter(
            "ledgerpost_pdf_flaws",
            "Mails whose PDF lacks something: missing_letters, replaced_text, no_pdf",
            ["kind"],
            registry=counted,
        )

    def delivered(self, state: State) -> None:
        """Count a recorded attempt."""
        self._attempts.labels(state).inc()

    def flawed(self, flaw: Flaw) -> None:
        """Count a message whose PDF lacks something."""
        self._flaws.labels(flaw.kind).inc()


async def run(settings: MailerSettings, stop: asyncio.Event) -> None:
    """Consume and deliver until `stop`, then finish the deliveries in flight."""
    sender, redirect_to = mail_from(settings), redirection(settings)
    smarthost, name = smarthost_from(settings), ehlo_name(settings)
    concurrency = settings.mailer_concurrency
    provide_descriptors(concurrency)
    if smarthost.username is not None and smarthost.tls == "none" and not smarthost.is_local:
        _log.warning("the password goes to the smarthost unencrypted", setting="SMTP_URL")
    health, counted = Health(), metrics.registry()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(warned(settings.database_url))
        database = await stack.enter_async_context(
            postgres.pool(
                settings.database_url,
                name="ledgerpost-mailer",
                size=DATABASE_CONNECTIONS,
                by_key=True,
            )
        )
        timeouts = Timeouts(final=settings.smtp_reply_timeout.total_seconds())
        sessions = SessionPool(smarthost, concurrency, timeouts, name)
        stack.push_async_callback(sessions.close)
        counts = Metrics(counted)
        rendering = _render_queue(settings, counts)
        health.register("rendering", rendering.check, old_name="compositors")
        claims = Claims(database, settings.lease, ForeignWakeups(counted).count)
        links = unsubscribe_links(settings)
        # The long waits of one business take at most a quarter of the places.
        composer = Composer(
            claims, rendering, sender, redirect_to, links, most_waiting=concurrency * AHEAD // 4
        )
        pacing = Pacing(settings.smarthost_rate, settings.domain_rate, concurrency // 2)
        breaker = Breaker("smarthost", sessions.probe, SmarthostAtFault)
        worker = Worker(claims, composer, pacing, sessions, breaker, settings.retry_delay, counts)
        consumer = Consumer(settings.amqp_url, concurrency * AHEAD, worker, breaker, health)
        health.register("postgres", partial(check_postgres, database))
        await stack.enter_async_context(
            serve_ops(
                "MAILER_OPS", settings.mailer_ops_host, settings.mailer_ops_port, health, counted
            )
        )
        await stack.enter_async_context(rendering)
        for watcher in (claims.renew(), breaker.watch(), _stop_sessions(sessions, stop)):
            stack.callback(asyncio.create_task(watcher).cancel)
        await consumer.run(stop)


def _render_queue(settings: MailerSettings, counts: Metrics) -> RenderQueue:
    pdf = settings.attach_pdf == "on"
    # Without PDF, one process makes more messages than a mailer can hand over.
    most = min(os.cpu_count() or 1, settings.mailer_concurrency, _PROCESSES_MAX) if pdf else 1
    return RenderQueue(most, pdf=pdf, flawed=counts.flawed)


async def _stop_sessions(sessions: SessionPool, stop: asyncio.Event) -> None:
    await stop.wait()
    sessions.stop()


def mail_from(settings: SenderSettings) -> Mailbox:
    """Return the sender of all mail. Raises SettingsError if it is no address."""
    try:
        return Mailbox.parse(settings.mail_from, bounces=settings.return_path == "bounce")
    except ValueError as error:
        raise SettingsError(f"MAIL_FROM: {error}") from None


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


def provide_descriptors(concurrency: int) -> None:
    """Raise the limit of file descriptors to what so many sessions need, or raise a SettingsError.

    Without any left the ops port would not answer.
    """
    try:
        descriptors.raise_limit(2 * concurrency + _OTHER_DESCRIPTORS)
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
