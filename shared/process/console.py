"""Log lines that a person reads at a console."""

import sys
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, TextIO

from structlog.typing import EventDict, Processor, WrappedLogger

from shared.text import cut, escaped

#: The event of each line of a library, whose words are in the field `text`.
LIBRARY_MESSAGE: Final = "library_message"

_EVENT_CHARS: Final = 26  # width of the column of events
_FRAMES_MAX: Final = 5  # of one exception: the innermost ones
_CAUSES_MAX: Final = 3  # exceptions of a chain
_MESSAGE_CHARS_MAX: Final = 500
# What a person compares seldom stands at the end of a line.
_LAST: Final = ("request_id", "trace_id", "span_id", "logger")
_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_COLOURS: Final = {"debug": _DIM, "warning": "\x1b[33m", "error": "\x1b[31m"}


def lines(stream: TextIO) -> Processor:
    """Return the renderer of console lines: time, level, the event in words, the fields.

    Fields without a value are left out. At a terminal the level has a colour.
    """
    is_terminal = stream.isatty()

    def styled(text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if is_terminal and style else text

    def line(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
        told = dict(event)
        level, name = told.pop("level"), told.pop("event")
        words = told.pop("text") if name == LIBRARY_MESSAGE else name.replace("_", " ")
        if name != LIBRARY_MESSAGE:
            del told["logger"]
        trace = told.pop("exception", "")
        parts = [
            styled(_clock(told.pop("timestamp")), _DIM),
            styled(f"{level:7}", _COLOURS.get(level, "")),
            styled(f"{words:{_EVENT_CHARS}}", _BOLD),
            *(f"{styled(f'{field}=', _DIM)}{_legible(value)}" for field, value in _fields(told)),
        ]
        return " ".join(parts).rstrip() + (f"\n{trace}" if trace else "")

    return line


def short_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace the exception of an event by its message and its innermost calls, with its causes."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if given is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_told(error))
    return event


def _told(error: BaseException) -> Iterator[str]:
    cause: BaseException | None = error
    for number in range(_CAUSES_MAX):
        if cause is None:
            return
        message = cut(str(cause).strip(), _MESSAGE_CHARS_MAX).replace("\n", "\n      ")
        yield f"    {'because of ' if number else ''}{type(cause).__name__}: {message}".rstrip(": ")
        yield from _calls(cause.__traceback__)
        cause = _before(cause)


def _before(error: BaseException) -> BaseException | None:
    """Return what caused an exception; of a group, the first of its exceptions."""
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _calls(trace: TracebackType | None) -> list[str]:
    """Return the innermost calls of a traceback, the last one first."""
    calls: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        calls.append(f"      {_place(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return calls[: -_FRAMES_MAX - 1 : -1]


def _place(file: str) -> str:
    """Return the end of a path: enough to find the file."""
    return "/".join(file.split("/")[-3:])


def _clock(timestamp: str) -> str:
    return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _fields(told: dict[str, Any]) -> Iterator[tuple[str, object]]:
    known = {field: value for field, value in told.items() if value is not None}
    yield from ((field, value) for field, value in known.items() if field not in _LAST)
    yield from ((field, known[field]) for field in _LAST if field in known)


def _legible(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_legible, value))}]"
    text = escaped(str(value))
    return f"'{text}'" if isinstance(value, str) and (not text or " " in text) else text
