"""Spans of OpenTelemetry: where a request and its mails spend their time. Off by default.

OTEL_EXPORTER_OTLP_ENDPOINT switches them on. Until then a span is `OFF`, which costs next to
nothing. A span has ids, states and codes, and no text of anybody: docs/tracing.md lists all of it.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Final, Literal, Protocol

import structlog

from shared.trace import Trace

Kind = Literal["server", "producer", "consumer", "client", "internal"]
Attributes = Mapping[str, str | int]

_log = structlog.get_logger("ledgerpost.tracing")
_NONE: Final[Attributes] = {}


class Span:
    """A span that nobody records. `trace` is the place of a span in its trace, here none."""

    trace: Trace | None = None

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""

    def fail(self, error: str) -> None:
        """Mark it as failed; `error` is a name without details, such as the type of an error."""

    def end(self) -> None:
        """End it now."""


class Recorder(Protocol):
    """Makes spans, and exports those that have ended."""

    def begin(
        self, name: str, kind: Kind, parent: Trace | Span | None, attributes: Attributes
    ) -> Span:
        """Return a span that has begun now; without a parent it is the first of a new trace."""

    async def close(self) -> None:
        """Export what is left, for a short time."""


OFF: Final = Span()
_recorder: Recorder | None = None
_current: ContextVar[Span] = ContextVar("current span", default=OFF)


def begin(
    name: str, kind: Kind, parent: Trace | Span | None, attributes: Attributes = _NONE
) -> Span:
    """Return a span that has begun now, which the caller ends."""
    return OFF if _recorder is None else _recorder.begin(name, kind, parent, attributes)


@contextmanager
def span(
    name: str,
    kind: Kind = "internal",
    parent: Trace | None = None,
    attributes: Attributes = _NONE,
) -> Iterator[Span]:
    """Yield a span of what is done within the `with`; by default it is a child of the outer one.

    An exception marks it as failed, without its words.
    """
    if _recorder is None:
        yield OFF
        return
    outer = _current.get()
    made = _recorder.begin(name, kind, parent or (None if outer is OFF else outer), attributes)
    token = _current.set(made)
    try:
        yield made
    except BaseException as error:
        made.fail(type(error).__name__)
        raise
    finally:
        _current.reset(token)
        made.end()


def note(attributes: Attributes) -> None:
    """Add attributes to the span around the caller."""
    _current.get().note(attributes)


@asynccontextmanager
async def recording(endpoint: str | None, service: str) -> AsyncIterator[None]:
    """Within the `async with`, record spans of `service`, and export them to an `endpoint` of OTLP.

    Without one nothing is recorded. The end waits for the last spans, for two seconds at most.
    """
    global _recorder  # noqa: PLW0603 -- as with logs, there is one for the whole process
    if endpoint is None:
        yield
        return
    try:
        from shared.process import otel  # noqa: PLC0415 -- an extra, which few installations have
    except ModuleNotFoundError as error:
        _log.warning(
            "tracing_not_installed",
            setting="OTEL_EXPORTER_OTLP_ENDPOINT",
            missing=error.name,
            hint="no spans are recorded: docs/tracing.md says how to install it",
        )
        yield
        return
    _recorder = otel.Exported(endpoint, service)
    try:
        yield
    finally:
        ended, _recorder = _recorder, None
        await ended.close()
