import gc
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Literal

import pytest
import structlog
from aiohttp.multipart import parse_content_disposition
from structlog.contextvars import bound_contextvars

from shared.process import logs
from shared.process.settings import Settings

SECRET = "s3cret-of-the-house"
Configured = Callable[..., io.StringIO]


@pytest.fixture
def configured() -> Iterator[Configured]:
    """Configures logging into a text, and puts back what was before."""
    gc.collect()  # connections that earlier tests lost warn when they go, and not into the text
    root = logging.getLogger()
    handlers, level, shown = root.handlers[:], root.level, warnings.showwarning

    def configure(
        form: Literal["json", "console"] = "json",
        level: Literal["debug", "info", "warning", "error"] = "info",
    ) -> io.StringIO:
        stream = io.StringIO()
        logs.configure(Settings(log_level=level, log_format=form), stream)
        return stream

    yield configure
    warnings.showwarning = shown
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_fields(configured: Configured) -> None:
    stream = configured()
    structlog.stdlib.get_logger("here").info(
        "happened", amount=Decimal("1.10"), text="a\nb", name="Ɛsi", many=[1, None]
    )
    (event,) = events(stream)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "happened",
        "level": "info",
        "logger": "here",
        "amount": "1.10",
        "text": "a\nb",
        "name": "Ɛsi",
        "many": [1, None],
    }


def test_what_is_bound_to_the_context_is_in_every_event(configured: Configured) -> None:
    stream = configured()
    with bound_contextvars(request_id="r-1"):
        structlog.stdlib.get_logger("ours").info("one")
        logging.getLogger("aiohttp.theirs").warning("two %s", "words")
    structlog.stdlib.get_logger("ours").info("three")
    assert [(each["event"], each.get("request_id")) for each in events(stream)] == [
        ("one", "r-1"),
        ("library_message", "r-1"),
        ("three", None),
    ]
    assert events(stream)[1]["text"] == "two words"


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_warning_of_a_library_says_where_and_not_what_a_stranger_wrote(
    configured: Configured, capfd: pytest.CaptureFixture[str], form: Literal["json", "console"]
) -> None:
    stream = configured(form=form)
    warnings.simplefilter("always")
    parse_content_disposition("form-data; ana@client.example\x1b[2J; owes 918273.64")
    warnings.warn_explicit("a\nb@x.example", DeprecationWarning, "/there/here.py", 7)
    text = stream.getvalue()
    assert capfd.readouterr() == ("", "")
    assert "BadContentDispositionHeader at aiohttp/multipart.py:" in text
    assert "DeprecationWarning at there/here.py:7" in text
    assert len(text.splitlines()) == 2
    for said in ("client", "918273", "x.example", "\x1b"):
        assert said not in text


def test_the_level_is_kept_for_our_events_and_for_those_of_libraries(
    configured: Configured,
) -> None:
    stream = configured(level="warning")
    structlog.stdlib.get_logger("ours").info("quiet")
    logging.getLogger("asyncpg").info("quiet")
    structlog.stdlib.get_logger("ours").warning("loud")
    assert [each["event"] for each in events(stream)] == ["loud"]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "fields",
    [
        {"password": SECRET},
        {"Authorization": f"Bearer {SECRET}"},
        {"key": SECRET},
        {"api_key": SECRET},
        {"smtp_password": SECRET},
        {"header": {"authorization": SECRET}},
        {"headers": [{"Cookie": SECRET}]},
        {"url": f"postgresql://user:{SECRET}@127.0.0.1/db"},
        {"url": f"amqp://user:a@{SECRET}@127.0.0.1:5672/"},
        {"error": OSError(f"cannot reach smtp://me:{SECRET}@mail.example.com:25")},
        {"said": f"Authorization: Bearer {SECRET}"},
        {"said": f"the key ledgerpost_abcdefgh{SECRET.replace('-', '')}0123456789 is unknown"},
        {"said": f"postgresql://127.0.0.1/db?password={SECRET}&x=1"},
    ],
    ids=str,
)
def test_no_secret_gets_into_a_log(
    configured: Configured, form: Literal["json", "console"], fields: dict[str, Any]
) -> None:
    stream = configured(form)
    structlog.stdlib.get_logger("ours").error("event", **fields)
    try:
        raise RuntimeError(next(iter(fields.values()))) if "said" in fields else RuntimeError
    except RuntimeError:
        structlog.stdlib.get_logger("ours").exception("failed")
    text = stream.getvalue()
    assert "***" in text
    assert SECRET not in text
    assert SECRET.replace("-", "") not in text


def test_what_is_no_secret_stays_legible(configured: Configured) -> None:
    stream = configured()
    structlog.stdlib.get_logger("ours").info(
        "kept", token=7, key_id="k-1", url="http://127.0.0.1:80/a?b=c@d", password=None
    )
    (event,) = events(stream)
    assert event["token"] == 7
    assert event["key_id"] == "k-1"
    assert event["url"] == "http://127.0.0.1:80/a?b=c@d"
    assert event["password"] is None


def test_a_trace_is_a_field_and_shows_no_variables(configured: Configured) -> None:
    for form in ("json", "console"):
        stream = configured(form)
        hidden = SECRET
        try:
            int("broken")
        except ValueError:
            structlog.stdlib.get_logger("ours").exception("failed")
        assert "ValueError: invalid literal" in stream.getvalue()
        assert hidden not in stream.getvalue()
        if form == "json":
            assert len(events(stream)) == 1


def test_half_a_character_is_logged_like_any_other(configured: Configured) -> None:
    stream = configured()
    structlog.stdlib.get_logger("here").info("request", path="\udc80", many=["\ud800"])
    (event,) = events(stream)
    assert (event["path"], event["many"]) == ("\udc80", ["\ud800"])


@pytest.mark.parametrize("name", ["aiormq.connection", "aio_pika.robust_connection"])
def test_what_libraries_say_of_a_broker_that_is_away_is_left_out(
    configured: Configured, name: str
) -> None:
    stream = configured()
    logging.getLogger(name).warning("Connection refused, %s", "again")
    assert stream.getvalue() == ""
