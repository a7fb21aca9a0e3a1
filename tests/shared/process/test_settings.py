from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.process.settings import (
    ApiSettings,
    MailerSettings,
    RelaySettings,
    Settings,
    SettingsError,
)
from tests.shared.process.environs import API, DATABASE, MAILER


def test_every_other_setting_has_a_default() -> None:
    settings = ApiSettings.from_environ(API)
    assert (settings.api_host, settings.api_port, settings.api_workers) == ("127.0.0.1", 8080, 1)
    assert (settings.log_level, settings.log_format) == ("info", "json")
    assert settings.max_lateness == timedelta(hours=72)
    assert settings.max_recipients == 25
    mailer = MailerSettings.from_environ(MAILER)
    assert mailer.mail_redirect_to is None
    assert RelaySettings.from_environ(MAILER).in_doubt_policy == "hold"


def test_what_is_not_a_setting_is_left_alone() -> None:
    assert ApiSettings.from_environ({**API, "HOME": "/root", "API_PORTS": "x"}).api_port == 8080


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert ApiSettings.from_environ({**API, "API_PORT": ""}).api_port == 8080
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: is not set$"):
        ApiSettings.from_environ({"DATABASE_URL": ""})


def test_a_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(f"{DATABASE}\n", "utf-8")
    settings = ApiSettings.from_environ({"DATABASE_URL_FILE": str(secret)})
    assert settings.database_url == DATABASE


def test_a_setting_given_twice_or_in_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: set either"):
        ApiSettings.from_environ({**API, "DATABASE_URL_FILE": "x"})
    with pytest.raises(SettingsError, match=r"^DATABASE_URL_FILE: cannot be read: No such file"):
        ApiSettings.from_environ({"DATABASE_URL_FILE": str(tmp_path / "none")})
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL_FILE: cannot be read: not UTF-8$"):
        ApiSettings.from_environ({"DATABASE_URL_FILE": str(binary)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:s3cret@h/d"),
        ("DATABASE_URL", "s3cret"),
        ("API_PORT", "65536"),
        ("API_PORT", "-1"),
        ("API_PORT", "s3cret"),
        ("API_WORKERS", "0"),
        ("API_WORKERS", "1.5"),
        ("PUBLIC_URL", "ftp://s3cret"),
        ("MAX_LATENESS", "s3cret"),
        ("MAX_LATENESS", "72"),
        ("MAX_LATENESS", "0h"),
        ("DRAIN_DELAY", "-1s"),
        ("DRAIN_DELAY", "11m"),
        ("MAX_LATENESS", "-1h"),
        ("MAX_LATENESS", "9999999999d"),
        ("MAX_LATENESS", f"{'9' * 400}s"),
        ("DATABASE_URL", "postgresql://user:s3cret/x@127.0.0.1/ledger"),
        ("DATABASE_URL", "postgresql://user:pass@127.0.0.1:s3cret/ledger"),
        ("DATABASE_URL", "postgresql://user:p@127.0.0.1/ledger?s3cret"),
        ("DATABASE_URL", "postgresql://user:p@127.0.0.1/ledger?sslmode=s3cret"),
        ("MAX_RECIPIENTS", "0"),
        ("DAILY_QUOTA", "0"),
        ("RATE_LIMIT", "0"),
        ("UNSUBSCRIBE_SECRET", "s3cret"),
        ("RETURN_SECRET", "s3cret"),
        ("LOG_LEVEL", "s3cret"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ApiSettings.from_environ({**API, name: value})
    message = str(refused.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    assert "s3cret" not in message


@pytest.mark.parametrize("name", ["AMQP_URL", "SMTP_URL", "MAIL_FROM", "DATABASE_URL"])
def test_a_missing_setting_is_named(name: str) -> None:
    without = {key: value for key, value in MAILER.items() if key != name}
    with pytest.raises(SettingsError, match=f"^{name}: is not set$"):
        MailerSettings.from_environ(without)


LINKS = {
    "UNSUBSCRIBE_SECRET": "s3cret s3cret s3cret s3cret s3cret",
    "LIST_UNSUBSCRIBE": "on",
    "PUBLIC_URL": "https://ledgerpost.example",
}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("UNSUBSCRIBE_SECRET", "", "LIST_UNSUBSCRIBE: needs UNSUBSCRIBE_SECRET"),
        ("PUBLIC_URL", "", "LIST_UNSUBSCRIBE: needs a PUBLIC_URL that begins with https://"),
        ("PUBLIC_URL", "http://h", "LIST_UNSUBSCRIBE: needs a PUBLIC_URL"),
        ("PUBLIC_URL", "https://h/>,<x", "LIST_UNSUBSCRIBE: needs a PUBLIC_URL"),
        ("PUBLIC_URL", "https://h/" + "x" * 300, "LIST_UNSUBSCRIBE: needs a PUBLIC_URL"),
        ("LIST_UNSUBSCRIBE", "yes", "LIST_UNSUBSCRIBE: "),
        ("SMARTHOST_RATE", "0", "SMARTHOST_RATE: "),
        ("DOMAIN_RATE", "-1", "DOMAIN_RATE: "),
        ("DOMAIN_RATE", "nan", "DOMAIN_RATE: "),
    ],
)
def test_links_have_to_be_answerable_and_rates_possible(
    name: str, value: str, message: str
) -> None:
    good = MailerSettings.from_environ({**MAILER, **LINKS, "SMARTHOST_RATE": "0.5"})
    assert (good.list_unsubscribe, good.smarthost_rate, good.domain_rate) == ("on", 0.5, None)
    assert "s3cret" not in repr(good)
    with pytest.raises(SettingsError) as refused:
        MailerSettings.from_environ({**MAILER, **LINKS, name: value})
    assert str(refused.value).startswith(message)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RETURN_SECRET", "s3cret", "RETURN_SECRET: should have at least 32 characters"),
        ("BOUNCE_DOMAIN", "a@b", "BOUNCE_DOMAIN: should be the name of a domain, like "),
        ("BOUNCE_DOMAIN", "back example", "BOUNCE_DOMAIN: should be the name of a domain, like "),
        ("BOUNCE_DOMAIN", "x." * 102, "BOUNCE_DOMAIN: should be the name of a domain, like "),
        ("BOUNCE_DOMAIN", "x" + ".x" * 102, "RETURN_SECRET: needs a domain of at most 203 "),
        ("MAIL_FROM", "p@x" + ".x" * 102, "RETURN_SECRET: needs a domain of at most 203 "),
        ("MAIL_FROM", "nobody", "MAIL_FROM: the address "),
    ],
)
def test_return_paths_need_a_secret_and_a_short_domain(name: str, value: str, message: str) -> None:
    signed = {"RETURN_SECRET": "s3cret s3cret s3cret s3cret s3cret"}
    for kind, others in (
        (ApiSettings, API | {"MAIL_FROM": "p@b.example"}),
        (MailerSettings, MAILER),
    ):
        assert kind.from_environ(others).return_paths is None
        assert "s3cret" not in repr(kind.from_environ({**others, **signed}))
        with pytest.raises(SettingsError) as refused:
            kind.from_environ({**others, **signed, name: value})
        assert str(refused.value).startswith(message)
        assert "s3cret" not in str(refused.value)


def test_the_domain_of_return_paths_is_that_of_the_sender_or_its_own() -> None:
    signed = {**API, "RETURN_SECRET": "s" * 32}
    for given, domain in (
        ({"MAIL_FROM": "p@B.example"}, "b.example"),
        ({"MAIL_FROM": "p@b.example", "BOUNCE_DOMAIN": "back.example"}, "back.example"),
        ({"BOUNCE_DOMAIN": "zurück.example"}, "xn--zurck-mva.example"),
    ):
        paths = ApiSettings.from_environ(signed | given).return_paths
        assert paths is not None
        assert paths.domain == domain
    with pytest.raises(SettingsError, match=r"^RETURN_SECRET: needs MAIL_FROM or BOUNCE_DOMAIN$"):
        ApiSettings.from_environ(signed)


@pytest.mark.parametrize("name", ["RETURN_SECRET", "UNSUBSCRIBE_SECRET"])
def test_an_old_secret_follows_a_new_one_and_is_shown_nowhere(name: str) -> None:
    given = {
        **API,
        "BOUNCE_DOMAIN": "b.example",
        f"{name}_OLD": "s3cret s3cret s3cret s3cret s3cret",
    }
    settings = ApiSettings.from_environ({**given, name: "n" * 32})
    assert "s3cret" not in repr(settings)
    with pytest.raises(SettingsError) as alone:
        ApiSettings.from_environ(given)
    assert str(alone.value) == f"{name}_OLD: needs {name}, the secret that signs now"
    with pytest.raises(SettingsError) as short:
        ApiSettings.from_environ({**given, name: "n" * 32, f"{name}_OLD": "s3cret"})
    assert str(short.value) == f"{name}_OLD: should have at least 32 characters"
    # Compose gives an empty file while nothing is being changed.
    assert ApiSettings.from_environ({**API, f"{name}_OLD": ""}).return_paths is None


@pytest.mark.parametrize("text", ["9999999999d", "1e3s", f"{'9' * 400}h"])
def test_a_duration_that_nothing_can_hold_is_refused(text: str) -> None:
    for name in ("POLL_INTERVAL", "QUEUE_PATIENCE", "HISTORY_RETENTION"):
        with pytest.raises(SettingsError, match=f"^{name}: "):
            RelaySettings.from_environ({**MAILER, name: text})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("72h", 259_200), ("3d", 259_200), ("0.5s", 0.5)],
)
def test_durations_carry_their_unit(text: str, seconds: float) -> None:
    settings = ApiSettings.from_environ({**API, "MAX_LATENESS": text})
    assert settings.max_lateness == timedelta(seconds=seconds)


def test_the_delay_at_the_end_may_be_none() -> None:
    assert ApiSettings.from_environ({**API, "DRAIN_DELAY": "0s"}).drain_delay == timedelta(0)


def test_settings_cannot_change_and_show_no_secret() -> None:
    settings: Settings = MailerSettings.from_environ(MAILER)
    with pytest.raises(ValidationError):
        settings.log_level = "debug"  # type: ignore[misc]  # frozen
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RATE_LIMIT", "many", "should be a whole number between 1 and 10000000"),
        ("RATE_LIMIT", "0", "should be a whole number between 1 and 10000000"),
        ("RATE_LIMIT", "9" * 5000, "should be a whole number between 1 and 10000000"),
        ("DRAIN_DELAY", "11m", "should be at most 10m"),
        ("MAX_LATENESS", "0s", "should be more than 0s"),
        ("PUBLIC_URL", "ledgerpost", "should be a URL that begins with http:// or https://"),
        ("UNSUBSCRIBE_SECRET", "short", "should have at least 32 characters"),
        ("LOG_LEVEL", "loud", "should be debug, info, warning or error"),
    ],
)
def test_what_a_setting_should_be_is_said_in_plain_words(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ApiSettings.from_environ({**API, name: value})
    assert str(caught.value) == f"{name}: {said}"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HISTORY_RETENTION", "1d", "should be at least 2d"),
        ("AMQP_URL", "http://h", "should be a URL that begins with amqp:// or amqps://"),
        (
            "REPLY_TO_PREFIX",
            "no blank",
            "should be 3 to 100 letters, digits, dots, hyphens and underscores",
        ),
    ],
)
def test_and_so_is_one_of_the_relay(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        RelaySettings.from_environ({**MAILER, name: value})
    assert str(caught.value) == f"{name}: {said}"


def test_a_rate_is_a_number() -> None:
    with pytest.raises(SettingsError) as caught:
        MailerSettings.from_environ({**MAILER, "SMARTHOST_RATE": "fast"})
    assert str(caught.value) == "SMARTHOST_RATE: should be a number: more than 0 and at most 10000"


def test_an_old_name_works_and_errors_show_the_name_that_was_given(tmp_path: Path) -> None:
    old = MailerSettings.from_environ({**MAILER, "RELAY_RATE": "0.5"})
    assert (old.smarthost_rate, old.old_names) == (0.5, {"RELAY_RATE": "SMARTHOST_RATE"})
    rate = tmp_path / "rate"
    rate.write_text("2\n", "utf-8")
    assert MailerSettings.from_environ({**MAILER, "RELAY_RATE_FILE": str(rate)}).smarthost_rate == 2
    assert MailerSettings.from_environ({**MAILER, "SMARTHOST_RATE": "1"}).old_names == {}
    with pytest.raises(SettingsError, match=r"^RELAY_RATE: should be a number"):
        MailerSettings.from_environ({**MAILER, "RELAY_RATE": "fast"})


def test_a_setting_under_both_of_its_names_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        MailerSettings.from_environ({**MAILER, "RELAY_RATE": "1", "SMARTHOST_RATE": "1"})
    assert str(caught.value) == (
        "SMARTHOST_RATE, RELAY_RATE: set SMARTHOST_RATE alone, RELAY_RATE is its old name"
    )
