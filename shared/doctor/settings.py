"""Finds settings that contradict each other, or a promise of the README."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from shared.doctor.checkup import Checkup
from shared.doctor.finding import Said, failure, ok, warning
from shared.process.settings import (
    ApiSettings,
    MailerSettings,
    PaceSettings,
    RelaySettings,
    ReturnSettings,
    SendSettings,
    Settings,
)

# From the first attempt to the last step of the retries, of RETRY_DELAY: 1 + 4 + 20 + 120 + 480.
RETRY_STEPS = 625
_RETRY_DELAY = timedelta(seconds=30)
_RFC_5321_REPLY = timedelta(minutes=10)
_LOCAL = {"localhost", "127.0.0.1", "::1"}


async def consistency(checkup: Checkup, *settings: Settings) -> None:
    """Note all contradictions."""
    checkup.note("settings.contradictions", contradictions(*settings))


def contradictions(*settings: Settings) -> list[Said]:
    """Return a warning for each contradiction, or one finding that there is none."""
    found: dict[str, Said] = {}
    for each in settings:
        for said in _all(each):
            # API and relay have settings in common.
            found.setdefault(said.found, said)
    return list(found.values()) or [ok("no settings contradict each other")]


def _all(settings: Settings) -> Iterator[Said]:
    yield from _old_names(settings)
    if isinstance(settings, PaceSettings):
        yield from _pace(settings)
    if isinstance(settings, ReturnSettings):
        yield from _returns(settings)
    if isinstance(settings, SendSettings):
        yield from _sends(settings)
    if isinstance(settings, ApiSettings):
        yield from _api(settings)
    if isinstance(settings, RelaySettings):
        yield from _relay(settings)
    if isinstance(settings, MailerSettings):
        yield from _mailer(settings)
    if isinstance(settings, ApiSettings | MailerSettings):
        yield from _public_url(settings.public_url)


def _old_names(settings: Settings) -> Iterator[Said]:
    for old, new in settings.old_names.items():
        yield warning(f"{old} is the old name of {new}", f"set {new}; the next release drops {old}")


def _pace(settings: PaceSettings) -> Iterator[Said]:
    total, each = settings.smarthost_rate, settings.domain_rate
    if total is not None and each is not None and each > total:
        yield warning(
            f"DOMAIN_RATE={each:g} is above SMARTHOST_RATE={total:g}, and has no effect",
            "lower DOMAIN_RATE, or leave it out",
        )
    if total is not None and settings.mailer_concurrency > 10 * max(total, 1):
        yield warning(
            f"MAILER_CONCURRENCY={settings.mailer_concurrency} opens more connections than"
            f" SMARTHOST_RATE={total:g} can use",
            "lower MAILER_CONCURRENCY, or raise SMARTHOST_RATE",
        )


def _returns(settings: ReturnSettings) -> Iterator[Said]:
    if settings.bounce_domain is not None and settings.return_secret is None:
        yield warning(
            "BOUNCE_DOMAIN is set without RETURN_SECRET, and has no effect",
            "set RETURN_SECRET, the same for API and mailer, or leave BOUNCE_DOMAIN out",
        )


def _sends(settings: SendSettings) -> Iterator[Said]:
    if settings.daily_quota < settings.max_recipients:
        yield failure(
            f"DAILY_QUOTA={settings.daily_quota} is below MAX_RECIPIENTS="
            f"{settings.max_recipients}: a send to that many is always refused",
            "raise DAILY_QUOTA, or lower MAX_RECIPIENTS",
        )
    last = RETRY_STEPS * _RETRY_DELAY
    if settings.max_lateness < last:
        yield warning(
            f"MAX_LATENESS={_written(settings.max_lateness)} ends before the last step of the"
            f" retries, {_written(last)} after the first attempt (with RETRY_DELAY=30s)",
            "raise MAX_LATENESS, or lower RETRY_DELAY; see docs/sending.md",
        )


def _api(settings: ApiSettings) -> Iterator[Said]:
    if settings.public_url.startswith("https://") and not settings.trusted_proxies:
        yield warning(
            "PUBLIC_URL is https://, so there is a proxy, but TRUSTED_PROXIES is not set: the log"
            " has the proxy's address for each request",
            "set TRUSTED_PROXIES to the networks of your proxies",
        )


def _relay(settings: RelaySettings) -> Iterator[Said]:
    if settings.return_retention > settings.history_retention:
        yield warning(
            "RETURN_RETENTION is longer than HISTORY_RETENTION: returned mails would be kept longer"
            " than what they are about",
            "lower RETURN_RETENTION",
        )
    if settings.queue_patience <= settings.poll_interval:
        yield warning(
            "QUEUE_PATIENCE is not longer than POLL_INTERVAL: wake-ups are published again and"
            " again",
            "raise QUEUE_PATIENCE; its default is 30s",
        )
    if settings.in_doubt_policy == "resend":
        yield warning(
            "IN_DOUBT_POLICY=resend: a mail whose outcome is unknown is sent a second time",
            "use hold, if nobody may get a mail twice",
        )
    yield from _reply_timeout(settings.smtp_reply_timeout)


def _mailer(settings: MailerSettings) -> Iterator[Said]:
    if settings.mail_redirect_to is not None:
        yield warning(
            "MAIL_REDIRECT_TO is set: no customer gets a mail, all go to that address",
            "leave it out in production",
        )
    if settings.return_path == "bounce" and settings.return_secret is None:
        yield warning(
            "RETURN_SECRET is not set: returned mails go to MAIL_FROM, and no bounce is matched",
            "set RETURN_SECRET, the same for API and mailer; see docs/smarthost.md",
        )
    if settings.return_path == "plain" and settings.return_secret is not None:
        yield warning(
            "RETURN_PATH=plain: mails have no signed return path, although RETURN_SECRET is set",
            "leave RETURN_PATH out, or RETURN_SECRET",
        )
    yield from _password(settings.smtp_url)
    yield from _reply_timeout(settings.smtp_reply_timeout)


def _password(smtp_url: str) -> Iterator[Said]:
    parts = urlsplit(smtp_url)
    in_clear = parts.scheme == "smtp" and "starttls=never" in parts.query
    if parts.username and in_clear and parts.hostname not in _LOCAL:
        yield warning(
            "SMTP_URL has a password and starttls=never: the password goes unencrypted",
            "use starttls=required, or smtps://",
        )


def _reply_timeout(timeout: timedelta) -> Iterator[Said]:
    if timeout < _RFC_5321_REPLY:
        yield warning(
            f"SMTP_REPLY_TIMEOUT={_written(timeout)} is shorter than RFC 5321 asks for: mails are"
            " in doubt that the smarthost was about to accept",
            "leave it out; its default is 10m",
        )


def _public_url(url: str) -> Iterator[Said]:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        yield warning(
            f"PUBLIC_URL is http:// on {parts.hostname}: browsers do not send the cookie of a"
            " session over HTTP, so nobody can sign in",
            "put a proxy with TLS before the API, and set PUBLIC_URL to its https:// address",
        )


def _written(duration: timedelta) -> str:
    hours, rest = divmod(int(duration.total_seconds()), 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "m"), (seconds, "s")]
    return " ".join(f"{number}{unit}" for number, unit in parts if number)
