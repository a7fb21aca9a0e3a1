import asyncio
import socket
import sys
from collections.abc import Iterator

import pytest

from shared.process import otel, tracing
from shared.trace import Trace
from tests.collector import collecting
from tests.logged import Logged

PARENT = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a collector that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def test_without_an_endpoint_nothing_is_recorded() -> None:
    async with tracing.recording(None, "test"):
        assert tracing.begin("a", "server", PARENT) is tracing.OFF
        with tracing.span("b") as span:
            assert span.trace is None
            tracing.note({"c": 1})


async def test_spans_within_spans_are_their_children() -> None:
    async with collecting() as collector:
        async with tracing.recording(collector.url, "test"):
            with tracing.span("outer", "consumer", PARENT) as outer:
                tracing.note({"ledgerpost.state": "sent"})
                with tracing.span("inner"):
                    tracing.note({"ledgerpost.state": "inside"})
            with tracing.span("alone"):
                pass
        spans = {each.name: each for each in collector.spans}
    assert outer.trace is not None
    assert (spans["outer"].trace, spans["outer"].parent) == (PARENT.trace_id, PARENT.span_id)
    assert spans["outer"].attributes == {"ledgerpost.state": "sent"}
    assert spans["outer"].id == spans["inner"].parent == outer.trace.span_id
    assert spans["alone"].trace != PARENT.trace_id
    assert spans["alone"].parent == ""
    assert {each.service for each in collector.spans} == {"test"}


async def test_each_task_has_its_own_outer_span() -> None:
    async def nested(number: int) -> None:
        with tracing.span(f"outer {number}"):
            await asyncio.sleep(0.01)
            with tracing.span(f"inner {number}"):
                await asyncio.sleep(0.01)

    async with collecting() as collector:
        async with tracing.recording(collector.url, "test"):
            await asyncio.gather(*(nested(number) for number in range(5)))
        spans = {each.name: each for each in collector.spans}
    for number in range(5):
        assert spans[f"inner {number}"].parent == spans[f"outer {number}"].id


async def test_an_error_is_named_without_its_words() -> None:
    async with collecting() as collector:
        async with tracing.recording(collector.url, "test"):
            with pytest.raises(ValueError, match="esi"), tracing.span("fails"):
                raise ValueError("esi@customers.example.com")
        [span] = collector.spans
    assert span.has_failed
    assert span.attributes == {"error.type": "ValueError"}
    assert not any(b"esi" in body for body in collector.bodies)


async def test_a_caller_who_does_not_sample_is_not_sampled() -> None:
    async with collecting() as collector, tracing.recording(collector.url, "test"):
        with tracing.span("quiet", "server", PARENT._replace(flags=0)) as span:
            assert span.trace is not None
            assert (span.trace.trace_id, span.trace.flags) == (PARENT.trace_id, 0)
    assert collector.spans == []


async def test_the_names_of_the_environment_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    async with collecting() as collector, tracing.recording(collector.url, "ours"):
        with tracing.span("a"):
            pass
    assert [each.service for each in collector.spans] == ["theirs"]


async def test_a_silent_collector_delays_no_stop(
    monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    monkeypatch.setattr(otel, "_EXPORT_S", 600.0)
    async with asyncio.timeout(180), tracing.recording(silent, "test"):
        # Many more than are kept.
        for _ in range(10_000):
            with tracing.span("a"):
                pass


async def test_a_collector_that_is_away_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setattr(otel, "_EXPORT_S", 0.2)
    async with tracing.recording("http://user:s3cret@127.0.0.1:9", "test"):
        async with asyncio.timeout(180):
            while not (lines := logged()):
                with tracing.span("a"):
                    await asyncio.sleep(0.02)
        for _ in range(50):
            with tracing.span("b"):
                await asyncio.sleep(0.02)
    assert {each["event"] for each in logged()} == {"spans_not_exported"}
    assert len(lines) == len(logged()) == 1
    assert "s3cret" not in str(lines)


async def test_without_the_extra_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    monkeypatch.delitem(sys.modules, "shared.process.otel")
    monkeypatch.delattr("shared.process.otel")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    async with tracing.recording("http://127.0.0.1:9", "test"):
        assert tracing.begin("a", "server", None) is tracing.OFF
    [line] = logged()
    assert (line["event"], line["level"]) == ("tracing_not_installed", "warning")
    assert "docs/tracing.md" in line["hint"]
