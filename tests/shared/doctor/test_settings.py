"""Settings that contradict each other, each combination against one that does not."""

import re
from datetime import timedelta
from typing import Any

import pytest

from services.mailer.delivery import retries
from shared.doctor import settings as doctor
from shared.doctor.finding import Status
from shared.process.settings import ApiSettings, MailerSettings, RelaySettings

API = {"DATABASE_URL": "postgresql://h/d"}
RELAY = API | {"AMQP_URL": "amqp://h"}
MAILER = RELAY | {"SMTP_URL": "smtp://h", "MAIL_FROM": "a@b.example", "RETURN_SECRET": "r" * 32}


def found(kind: Any, environ: dict[str, str]) -> list[tuple[Status, str]]:
    said = doctor.contradictions(kind.from_environ(environ))
    assert all(each.advice for each in said if each.status is not Status.OK)
    return [(each.status, each.found) for each in said]


@pytest.mark.parametrize(
    ("kind", "environ"), [(ApiSettings, API), (RelaySettings, RELAY), (MailerSettings, MAILER)]
)
def test_the_defaults_contradict_nothing(kind: Any, environ: dict[str, str]) -> None:
    assert found(kind, environ) == [(Status.OK, "no settings contradict each other")]


@pytest.mark.parametrize(
    ("kind", "environ", "words"),
    [
        (ApiSettings, {"BOUNCE_DOMAIN": "b.example"}, "BOUNCE_DOMAIN is set without RETURN_SECRET"),
        (ApiSettings, {"PUBLIC_URL": "http://api.example"}, "nobody can sign in"),
        (ApiSettings, {"PUBLIC_URL": "https://api.example"}, "TRUSTED_PROXIES is not set"),
        (ApiSettings, {"MAX_LATENESS": "5h"}, "MAX_LATENESS=5h ends before .* 5h 12m 30s"),
        (ApiSettings, {"DAILY_QUOTA": "24"}, "DAILY_QUOTA=24 is below MAX_RECIPIENTS=25"),
        (ApiSettings, {"SMARTHOST_RATE": "5", "DOMAIN_RATE": "6"}, "DOMAIN_RATE=6 .* no effect"),
        (ApiSettings, {"RELAY_RATE": "20"}, "RELAY_RATE is the old name of SMARTHOST_RATE"),
        (MailerSettings, {"SMARTHOST_RATE": "0.5", "MAILER_CONCURRENCY": "11"}, "more connections"),
        (MailerSettings, {"MAIL_REDIRECT_TO": "me@x.example"}, "no customer gets a mail"),
        (MailerSettings, {"RETURN_SECRET": ""}, "RETURN_SECRET is not set"),
        (MailerSettings, {"RETURN_PATH": "plain"}, "no signed return path"),
        (MailerSettings, {"SMTP_REPLY_TIMEOUT": "9m"}, "shorter than RFC 5321"),
        (MailerSettings, {"SMTP_URL": "smtp://u:p@h?starttls=never"}, "unencrypted"),
        (RelaySettings, {"IN_DOUBT_POLICY": "resend"}, "a second time"),
        (RelaySettings, {"QUEUE_PATIENCE": "1s"}, "QUEUE_PATIENCE is not longer"),
        (RelaySettings, {"RETURN_RETENTION": "401d"}, "RETURN_RETENTION is longer"),
    ],
)
def test_a_contradiction_is_found(kind: Any, environ: dict[str, str], words: str) -> None:
    usual = {ApiSettings: API, RelaySettings: RELAY, MailerSettings: MAILER}[kind]
    [(status, text)] = found(kind, usual | environ)
    assert status is (Status.FAILURE if "DAILY" in words else Status.WARNING)
    assert re.search(words, text)


@pytest.mark.parametrize(
    ("kind", "environ"),
    [
        (ApiSettings, {"PUBLIC_URL": "http://127.0.0.1:9"}),
        (ApiSettings, {"PUBLIC_URL": "https://a.example", "TRUSTED_PROXIES": "10.0.0.0/8"}),
        (ApiSettings, {"MAX_LATENESS": "6h"}),
        (MailerSettings, {"SMTP_URL": "smtp://u:p@127.0.0.1?starttls=never"}),
        (MailerSettings, {"SMARTHOST_RATE": "5", "DOMAIN_RATE": "5"}),
    ],
)
def test_what_goes_together_is_ok(kind: Any, environ: dict[str, str]) -> None:
    usual = {ApiSettings: API, MailerSettings: MAILER}[kind]
    assert [status for status, _ in found(kind, usual | environ)] == [Status.OK]


def test_the_steps_of_the_retries_are_those_of_the_mailer() -> None:
    assert sum(retries._STEPS) == doctor.RETRY_STEPS
    assert timedelta(seconds=30) == MailerSettings.model_fields["retry_delay"].default
