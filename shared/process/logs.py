"""Logs: events with fields, as JSON lines or for a console, without secrets."""

import json
import logging
import re
import sys
import warnings
from collections.abc import MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.process import console
from shared.process.settings import Settings
from shared.text import cut, escaped

_SECRET_FIELD = re.compile(
    r"authorization|cookie|passw(?:or)?d|passphrase|secret|token|credential|api_?key|dsn|^key$",
    re.IGNORECASE,
)
# Secrets inside of texts: the password of a URL, a bearer key, one of our keys.
_SECRET_TEXT = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/]+(?=@)", re.IGNORECASE), r"\1***"),
    (re.compile(r"(\b(?:bearer|basic) +)[^\s'\",]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(\bledgerpost_[0-9A-Za-z]{8})[0-9A-Za-z]{20,}"), r"\1***"),
    (re.compile(r"(\bpassword=)[^\s&]+", re.IGNORECASE), r"\1***"),
)
# Parts that all secrets contain: most texts contain none, and need only this one check.
_SUSPECT = re.compile(r"://|bearer|basic|ledgerpost_|password=", re.IGNORECASE)
_TEXT_CHARS_MAX = 32_000  # characters of a text in a log line; enough for a trace of nested errors
_MOST = 100  # values of a list in a log line
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logs, including those of libraries, to `stream`, as the settings demand."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    output = stream or sys.stderr
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder(), _of_library],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(settings.log_format, output),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in ("gunicorn.error", "gunicorn.access", "aiohttp", "asyncio", "aio_pika", "aiormq"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in ("aio_pika", "aiormq", "opentelemetry", "urllib3"):
        # They warn at every attempt to reach a broker or a collector, which we log ourselves, and
        # at debug level they log frames, with the addresses and keys of messages.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # That of aiosmtpd: it logs addresses and what mails say.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
    warnings.showwarning = _warned


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Log which warning of Python it is, and where; its text may quote what a stranger wrote.

    aiohttp's quotes the header of a part of a form, for example.
    """
    del message, file, line
    place = "/".join(Path(filename).parts[-2:])
    logging.getLogger("py.warnings").warning("%s at %s:%d", category.__name__, place, lineno)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace secrets by ***: by the name of their field, or by their form inside of a text."""
    return {
        name: "***" if _is_secret(name, value) else _clean(value) for name, value in event.items()
    }


def clean(text: str) -> str:
    """Return `text` with every secret of a known form in it replaced by ***."""
    if _SUSPECT.search(text) is None:
        return text
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _is_secret(name: str, value: object) -> bool:
    # Numbers are not secret: the fencing token of a delivery should be visible.
    return not isinstance(value, (int, float, type(None))) and _names_secret(name)


@lru_cache(maxsize=1024)
def _names_secret(field: str) -> bool:
    return bool(_SECRET_FIELD.search(field))


def _clean(value: object) -> object:
    if isinstance(value, str):
        return clean(cut(value, _TEXT_CHARS_MAX))
    if isinstance(value, MutableMapping):
        return redact(None, "", {str(name): each for name, each in value.items()})
    if isinstance(value, (list, tuple)):
        return [_clean(each) for each in value[:_MOST]]
    if isinstance(value, (bool, int, float, type(None))):
        return value
    # Other values are logged as text, which may contain secrets.
    return clean(str(value))


def _rendering(form: str, stream: TextIO) -> list[Processor]:
    if form == "console":
        return [console.short_exception, redact, _printable, console.lines(stream)]
    return [structlog.processors.format_exc_info, redact, _json]


def _printable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escape characters that would begin a line or control the terminal, except in traces."""
    return {
        name: escaped(value, kept="\n" if name == "exception" else "")
        if isinstance(value, str)
        else value
        for name, value in event.items()
    }


def _of_library(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Give a line of a library an event of our vocabulary; its own words are a field."""
    event["text"], event["event"] = event["event"], console.LIBRARY_MESSAGE
    return event


def _json(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        # For example an unpaired surrogate: the standard library writes it as an escape.
        return json.dumps(event, default=str)
