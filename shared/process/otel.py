"""Spans by OpenTelemetry's SDK, exported in the background. Needs the extra `otel`."""

import asyncio
import threading
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from shared.process.tracing import Attributes, Kind, Span
from shared.process.trouble import Trouble
from shared.trace import Trace

_EXPORT_S: Final = 5.0  # in which the collector has to take a batch
_LAST_S: Final = 2.0  # for the last spans when the process stops
_KINDS: Final[dict[Kind, SpanKind]] = {
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
    "internal": SpanKind.INTERNAL,
}


class Exported:
    """Makes spans whose ends a thread exports, some thousand of them at most at a time.

    If the collector takes none, the oldest are dropped: nothing waits for it.
    """

    def __init__(self, endpoint: str, service: str) -> None:
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over ours.
        ours = Resource({"service.name": service, "service.version": version("ledgerpost")})
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_S)
        self._provider = TracerProvider(
            resource=ours.merge(OTELResourceDetector().detect()),
            shutdown_on_exit=False,  # it would wait for a collector that does not answer
        )
        self._provider.add_span_processor(BatchSpanProcessor(_Told(exporter)))
        self._tracer = self._provider.get_tracer("ledgerpost")

    def begin(
        self, name: str, kind: Kind, parent: Trace | Span | None, attributes: Attributes
    ) -> Span:
        """Return a span that has begun now."""
        return _Recorded(
            self._tracer.start_span(
                name,
                trace.set_span_in_context(_span(parent)) if parent else Context(),
                kind=_KINDS[kind],
                attributes=attributes,
            )
        )

    async def close(self) -> None:
        """Export what is left, for two seconds at most.

        The SDK has no limit of its own: it waits for a collector that does not answer. A thread
        that is a daemon ends with the process.
        """
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _LAST_S)


class _Recorded(Span):
    def __init__(self, span: trace.Span) -> None:
        place = span.get_span_context()
        self.span = span
        self.trace = Trace(
            trace.format_trace_id(place.trace_id),
            trace.format_span_id(place.span_id),
            int(place.trace_flags),
        )

    def note(self, attributes: Attributes) -> None:
        for name, value in attributes.items():
            self.span.set_attribute(name, value)

    def fail(self, error: str) -> None:
        self.span.set_attribute("error.type", error)
        self.span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        self.span.end()


class _Told(SpanExporter):
    """Tells in the log, once a minute, that the collector does not take our spans."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._trouble = Trouble("spans_not_exported")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._trouble.over()
        else:
            self._trouble.met(ConnectionError("the collector did not take them"), count=len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _span(parent: Trace | Span) -> trace.Span:
    if isinstance(parent, Trace):
        return NonRecordingSpan(
            SpanContext(
                int(parent.trace_id, 16),
                int(parent.span_id, 16),
                is_remote=True,
                trace_flags=TraceFlags(parent.flags),
            )
        )
    return parent.span if isinstance(parent, _Recorded) else trace.INVALID_SPAN
