from importlib.metadata import version

from shared.process import start
from shared.process.settings import MailerSettings, Settings
from tests.logged import Logged


def test_the_first_line_names_the_neighbours_and_no_secret(logged: Logged) -> None:
    start.log_start(
        "relay",
        Settings(),
        Postgres="postgresql://user:s3cret@one:5432/ledger?password=s3cret",
        RabbitMQ="amqp://user:s3cret@a:5672,b:5672/%2Fmail",
    )
    (event,) = logged()
    assert event["event"] == "process_started"
    assert (event["program"], event["version"]) == ("relay", version("ledgerpost"))
    assert event["servers"] == ["Postgres at one:5432/ledger", "RabbitMQ at a:5672,b:5672//mail"]
    assert "s3cret" not in str(event)


def test_a_setting_under_its_old_name_is_logged_once(logged: Logged) -> None:
    given = {"DATABASE_URL": "postgresql://h/d", "AMQP_URL": "amqp://h/", "SMTP_URL": "smtp://h"}
    given |= {"MAIL_FROM": "a@b.example", "RELAY_RATE": "5"}
    start.log_start("mailer", MailerSettings.from_environ(given))
    _, warning = logged()
    assert (warning["level"], warning["setting"], warning["new_name"]) == (
        "warning",
        "RELAY_RATE",
        "SMARTHOST_RATE",
    )
    start.log_start(
        "mailer", MailerSettings.from_environ({**given, "SMARTHOST_RATE": "5", "RELAY_RATE": ""})
    )
    (event,) = logged()[2:]
    assert event["level"] == "info"


def test_a_socket_has_no_host() -> None:
    assert start.place("postgresql:///ledger?host=/run/postgresql") == "a socket/ledger"
