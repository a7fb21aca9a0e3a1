"""The URLs of servers in settings: every way to write them, and what is refused."""

import pytest

from shared.process.settings import ApiSettings, MailerSettings, SettingsError
from tests.shared.process.environs import API, MAILER


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@[::1]:5432/d",
        "postgresql://u:p@one:1,two:2,three/d",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://u:p%2Fw%3A@h/d",
        "postgresql://u:p@h/d?sslmode=verify-full&target_session_attrs=read-write",
        "postgresql://u:p@h/d?options=-c%20search_path%3Dlp&application_name=us",
    ],
)
def test_every_way_to_write_a_host_is_taken(url: str) -> None:
    assert ApiSettings.from_environ({"DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize(
    "parameter",
    ["connect_timeout", "channel_binding", "gssencmode", "keepalives", "pgbouncer", "schema"],
)
def test_a_parameter_that_asyncpg_does_not_know_is_named(parameter: str) -> None:
    url = f"postgresql://user:s3cret@127.0.0.1/ledger?sslmode=require&{parameter}=1"
    for kind, others in ((ApiSettings, API), (MailerSettings, MAILER)):
        with pytest.raises(SettingsError, match=f"^DATABASE_URL: has the parameter {parameter}, "):
            kind.from_environ({**others, "DATABASE_URL": url})


@pytest.mark.parametrize("hosts", ["a", "a:1,b:2,c:3", "[::1]:5672,b"])
def test_rabbitmq_may_be_a_cluster(hosts: str) -> None:
    url = f"amqp://user:s3cret@{hosts}/vhost"
    assert MailerSettings.from_environ({**MAILER, "AMQP_URL": url}).amqp_url == url
    for wrong in (f"{hosts},", f"{hosts},:5672", f"{hosts},b:x"):
        with pytest.raises(SettingsError, match=r"^AMQP_URL: has ") as refused:
            MailerSettings.from_environ({**MAILER, "AMQP_URL": f"amqp://user:s3cret@{wrong}/"})
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://user:12/s3cret@h/ledger"),
        ("DATABASE_URL", "postgresql://user:12#s3cret@h/ledger"),
        ("AMQP_URL", "amqp://user:12/s3cret@h/v"),
        ("AMQP_URL", "amqp://user:12?s3cret@h/v"),
        ("AMQP_URL", "amqp://user:12#s3cret@h/v"),
        ("SMTP_URL", "smtp://user:12/s3cret@h"),
        ("SMTP_URL", "smtp://user:12?s3cret@h"),
        ("SMTP_URL", "smtp://user:12#s3cret@h"),
    ],
)
def test_a_password_that_looks_like_a_port_and_a_path_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: ") as refused:
        MailerSettings.from_environ({**MAILER, name: value})
    assert "s3cret" not in str(refused.value)
