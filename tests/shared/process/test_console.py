import io
import logging
import re
from collections.abc import Callable, Iterator

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from shared.process import logs
from shared.process.settings import Settings

FORGED = "/x\n2026-11-25 00:00:00 [info     ] forged\r\x1b[2J\u202e"
CLOCK = re.compile(r"\d\d:\d\d:\d\d\.\d{3} ")
Lines = Callable[[], list[str]]

_log = structlog.stdlib.get_logger("here")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def opened(stream: io.StringIO) -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(Settings(log_format="console"), stream)
    yield lambda: stream.getvalue().splitlines()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines at a console since the test began, which is no terminal."""
    yield from opened(io.StringIO())


@pytest.fixture
def shown() -> Iterator[Lines]:
    """The lines at a terminal."""
    yield from opened(Terminal())


def test_a_line_is_time_level_event_in_words_and_fields(lines: Lines) -> None:
    with bound_contextvars(trace_id="0af7", request_id="r-1"):
        _log.warning(
            "resource_unwell", queue="a b", tries=3, nothing=None, empty="", many=["x y", 1]
        )
    (line,) = lines()
    assert CLOCK.match(line)
    assert CLOCK.sub("", line, count=1) == (
        "warning resource unwell            queue='a b' tries=3 empty='' many=['x y', 1]"
        " request_id=r-1 trace_id=0af7"
    )


def test_the_fields_of_all_lines_begin_in_one_column(lines: Lines) -> None:
    _log.info("attempt_recorded", state="sent")
    _log.error("loop_failed", state="x")
    assert len({line.index("state=") for line in lines()}) == 1


def test_a_library_speaks_in_its_own_words(lines: Lines) -> None:
    logging.getLogger("gunicorn.error").info("Listening at: %s", "http://127.0.0.1:8080")
    (line,) = lines()
    assert " info    Listening at: http://127.0.0.1:8080 logger=gunicorn.error" in line


def fail() -> None:
    try:
        int("no figure")
    except ValueError as error:
        raise RuntimeError(f"it failed {FORGED}") from error


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    else:
        fail()


def test_an_exception_is_short_and_has_its_cause(lines: Lines) -> None:
    try:
        deep(50)
    except RuntimeError:
        _log.exception("loop_failed", loop="outbox")
    first, *trace = lines()
    assert first.endswith("loop=outbox")
    assert trace[0].startswith("    RuntimeError: it failed /x")
    places = [line.split(" ")[-1] for line in trace if re.fullmatch(r" {6}\S+:\d+ \w+", line)]
    assert places == ["fail", "deep", "deep", "deep", "deep", "fail"]
    assert "    because of ValueError: invalid literal for int() with base 10: 'no figure'" in trace
    assert all(line.isprintable() for line in trace)


def test_of_a_group_the_first_exception_is_told(lines: Lines) -> None:
    several = ExceptionGroup("several", [KeyError("lost"), OSError("also")])
    try:
        raise several
    except ExceptionGroup:
        _log.exception("loop_failed")
    assert any("because of KeyError: 'lost'" in line for line in lines())


def test_no_text_begins_a_line_or_steers_the_terminal(lines: Lines) -> None:
    _log.info("request_answered", path=FORGED, many=[FORGED])
    logging.getLogger("aiohttp").warning(FORGED)
    said = lines()
    assert len(said) == 2
    for line in said:
        assert line.isprintable()
        assert "\\n2026-11-25 00:00:00 [info     ] forged\\r\\x1b[2J\\u202e" in line


def test_colours_are_for_a_terminal_only(shown: Lines) -> None:
    _log.error("loop_failed", loop="outbox")
    (line,) = shown()
    assert "\x1b[31merror  \x1b[0m" in line
    assert re.sub(r"\x1b\[\d+m", "", line).endswith(
        "error   loop failed                loop=outbox"
    )
