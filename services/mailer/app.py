"""The mailer's composition root."""

import asyncio
import os
from contextlib import AsyncExitStack
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Counter

from services.mailer import descriptors
from services.mailer.delivery.claims import Rows
from services.mailer.delivery.composer import Composer
from services.mailer.delivery.consumer import Consumer
from services.mailer.delivery.deliver import Deliver
from services.mailer.delivery.foreign import Strangers
from services.mailer.delivery.pacing import Pacing
from services.mailer.smtp import ehlo
from services.mailer.smtp.outcomes import SmarthostAtFault
from services.mailer.smtp.pool import Sessions
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from shared.amqp.breaker import Breaker
from shared.db import postgres
from shared.db.login import warned
from shared.db.readiness import check_postgres
from shared.deliveries.states import State
from shared.mail.address import wire_form
from shared.mail.mailbox import Mailbox
from shared.mail.unsubscribe import Links
from shared.process import metrics
from shared.process.health import Health
from shared.process.ops import serve_ops
from shared.process.settings import (
    LetterSettings,
    MailerSettings,
    SenderSettings,
    SettingsError,
    SmtpSettings,
)
from shared.rendering.queue import Letters
from shared.statements.printing import Flaw

_log = structlog.get_logger("ledgerpost.mailer")
DATABASE_CONNECTIONS = 6
# Deliveries claimed for each connection: while one is handed over, others are composed or recorded.
AHEAD = 4
# Each may take 0.65 GB while it sets 5,000 lines; whoever has more processors runs more mailers.
_MOST_COMPOSITORS = 2


class Attempts:
    """Counts recorded attempts by what they came to, and letters by what their PDF lacks."""

    def __init__(self, counted: CollectorRegistry) -> None:
        self._attempts = Counter(
            "ledgerpost_delivery_attempts",
            "Recorded attempts to hand a mail to the smarthost, by outcome",
            ["state"],
            registry=counted,
        )

        self._flaws = Counter(
            "ledgerpost_pdf_flaws",
            "Letters whose PDF lacks something: missing_letters, replaced_text, no_pdf",
            ["kind"],
            registry=counted,
        )

    def delivered(self, state: State) -> None:
        """Count one."""
        self._attempts.labels(state).inc()

    def flawed(self, flaw: Flaw) -> None:
        """Count a letter whose PDF lacks something."""
        self._flaws.labels(flaw.kind).inc()


async def run(settings: MailerSettings, stop: asyncio.Event) -> None:
    """Consume and deliver until `stop`, then finish what is at work."""
    sender, smarthost, redirect_to = (
        mail_from(settings),
        smarthost_from(settings),
        redirection(settings),
    )
    name = ehlo_name(settings)
    descriptors.provide(settings.mailer_concurrency)
    if smarthost.username is not None and smarthost.tls == "none" and not smarthost.is_local:
        _log.warning("the password goes to the smarthost unencrypted", setting="SMTP_URL")
    health, counted = Health(), metrics.registry()
    concurrency = settings.mailer_concurrency
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(warned(settings.database_url))
        pool = await stack.enter_async_context(
            postgres.pool(
                settings.database_url,
                name="ledgerpost-mailer",
                size=DATABASE_CONNECTIONS,
                by_key=True,
            )
        )
        timeouts = Timeouts(final=settings.smtp_reply_timeout.total_seconds())
        sessions = Sessions(smarthost, concurrency, timeouts, name)
        stack.push_async_callback(sessions.close)
        pdf = settings.attach_pdf == "on"
        # Without PDF one makes more letters than a mailer can hand over.
        most = min(os.cpu_count() or 1, concurrency, _MOST_COMPOSITORS) if pdf else 1
        attempts = Attempts(counted)
        letters = Letters(most, pdf=pdf, flawed=attempts.flawed)
        health.register("compositors", letters.check)
        rows = Rows(pool, settings.lease, Strangers(counted).met)
        links = unsubscribe_links(settings)
        # A quarter of the places for the mails of one business that wait for long.
        composer = Composer(
            rows, letters, sender, redirect_to, links, most_waiting=concurrency * AHEAD // 4
        )
        pacing = Pacing(settings.smarthost_rate, settings.domain_rate, concurrency // 2)
        breaker = Breaker("smarthost", sessions.probe, SmarthostAtFault)
        deliver = Deliver(rows, composer, pacing, sessions, breaker, settings.retry_delay, attempts)
        consumer = Consumer(
            settings.amqp_url,
            concurrency * AHEAD,
            deliver,
            breaker,
            health,
        )
        health.register("postgres", partial(check_postgres, pool))
        await stack.enter_async_context(
            serve_ops(
                "MAILER_OPS", settings.mailer_ops_host, settings.mailer_ops_port, health, counted
            )
        )
        await stack.enter_async_context(letters)
        for watcher in (rows.renew(), breaker.watch(), _dismiss(sessions, stop)):
            stack.callback(asyncio.create_task(watcher).cancel)
        await consumer.run(stop)


async def _dismiss(sessions: Sessions, stop: asyncio.Event) -> None:
    await stop.wait()
    sessions.dismiss()


def mail_from(settings: SenderSettings) -> Mailbox:
    """Return the sender of all mail, or raise a SettingsError."""
    try:
        return Mailbox.parse(settings.mail_from, bounces=settings.return_path == "bounce")
    except ValueError as error:
        raise SettingsError(f"MAIL_FROM: {error}") from None


def redirection(settings: MailerSettings) -> str | None:
    """Return the staging address that all mail goes to, None for none; or raise a SettingsError."""
    if settings.mail_redirect_to is not None:
        try:
            wire_form(settings.mail_redirect_to)
        except ValueError as error:
            raise SettingsError(f"MAIL_REDIRECT_TO: {error}") from None
    return settings.mail_redirect_to


def smarthost_from(settings: SmtpSettings) -> Smarthost:
    """Return the smarthost, or raise a SettingsError."""
    try:
        return Smarthost.from_url(settings.smtp_url)
    except ValueError as error:
        raise SettingsError(f"SMTP_URL: {error}") from None


def ehlo_name(settings: SmtpSettings) -> str | None:
    """Return the name to say in EHLO, None for the machine's own; or raise a SettingsError."""
    if settings.ehlo_name is not None and not ehlo.is_name(settings.ehlo_name):
        raise SettingsError(
            "EHLO_NAME: should be a fully-qualified name, [192.0.2.1] or [IPv6:2001:db8::1]"
        )
    return settings.ehlo_name


def unsubscribe_links(settings: LetterSettings) -> Links | None:
    """Return what makes the links by which recipients refuse mail; None where there are none."""
    if settings.list_unsubscribe == "off" or settings.unsubscribe_secret is None:
        return None
    return Links(settings.unsubscribe_secret, settings.public_url)
