"""Every setting passes through compose, and .env.example has each with its default."""

import re
from pathlib import Path

import pytest

from provision import env_example
from shared.process.environment import OLD_NAMES
from shared.process.returns_settings import ReturnsSettings
from shared.process.settings import (
    ApiSettings,
    MailerSettings,
    RelaySettings,
    Settings,
)
from tests.house.test_compose import SERVICES, SETTINGS, environment

ROOT = Path(__file__).parents[2]
PROCESSES = {
    "API": ApiSettings,
    "relay": RelaySettings,
    "mailer": MailerSettings,
    "listener": ReturnsSettings,
}
NEEDED = {
    "DATABASE_URL": "postgresql://h/d",
    "AMQP_URL": "amqp://h/",
    "SMTP_URL": "smtp://h",
    "MAIL_FROM": "a@b.example",
    "RETURN_SECRET": "0" * 64,
    "UNSUBSCRIBE_SECRET": "1" * 64,
    "BOUNCE_DOMAIN": "b.example",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_passes_but_hosts_and_ports(name: str) -> None:
    passed = {variable.removesuffix("_FILE") for variable in environment(name)}
    needed = {
        field.upper()
        for field in SETTINGS[name].model_fields
        if not field.endswith(("_host", "_port"))
    }
    # An override gives these as files, because they have passwords.
    needed -= {"DATABASE_URLS", "DATABASE_REPLICA_URL"}
    if name == "migrate":  # a command that says what it does on its standard output
        needed -= {"LOG_LEVEL", "LOG_FORMAT"}
    assert needed <= passed


def test_old_names_pass_too_while_they_work() -> None:
    passed = {variable for name in SERVICES for variable in environment(name)}
    assert set(OLD_NAMES.values()) <= passed


def test_the_example_is_up_to_date() -> None:
    written = (ROOT / ".env.example").read_text("utf-8")
    assert written == env_example.text(), "run make contract"


def test_nothing_that_compose_takes_is_missing_there() -> None:
    taken = env_example.taken()
    passed = {
        variable
        for name in SERVICES
        for variable, value in environment(name).items()
        if value is None
    }
    assert passed - set(OLD_NAMES.values()) <= set(taken)
    assert {"API_PORT", "MAILPIT_PORT", "PUBLIC_URL", "SMTP_URL_FILE", "MAIL_FROM"} <= set(taken)


def test_the_documented_defaults_are_those_of_the_code() -> None:
    documented = env_example.documented()
    models: list[type[Settings]] = list(SETTINGS.values())
    for model in models:
        for field, info in model.model_fields.items():
            text, meaning = documented[field.upper()]
            assert meaning
            # DATABASE_URL has no default, and is needed unless there is DATABASE_URLS.
            if not info.is_required() and field != "database_url":
                others = {name: value for name, value in NEEDED.items() if name != field.upper()}
                given = model.from_environ(others | {field.upper(): text})
                assert getattr(given, field) == getattr(model.from_environ(others), field), field


def test_the_table_says_which_processes_read_a_setting() -> None:
    table = env_example.ROW.findall((ROOT / "docs/configure.md").read_text("utf-8"))
    assert table
    for names, _, readers, _ in table:
        told = set(PROCESSES) if readers == "all" else set(readers.split(", ")) & set(PROCESSES)
        for name in re.findall("[A-Z_]+", names):
            reads = {who for who, model in PROCESSES.items() if name.lower() in model.model_fields}
            assert told == reads, name


def test_a_copy_of_the_example_with_everything_on_is_taken() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    pairs = (line[1:].partition("=") for line in lines if line[:1] == "#" and line[:2] != "# ")
    given = {name: value for name, _, value in pairs} | NEEDED
    del given["SMTP_URL_FILE"]
    for model in (*SETTINGS.values(), RelaySettings, MailerSettings):
        model.from_environ(given)


def test_a_copy_of_ones_own_is_in_no_commit() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
