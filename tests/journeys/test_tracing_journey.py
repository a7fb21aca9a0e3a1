"""One trace over three processes, as a collector sees it: HTTP, AMQP, SMTP."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from provision.ports import free_ports
from tests.collector import Collector, Seen, collecting
from tests.faults.processes import Child
from tests.journeys.conftest import System
from tests.journeys.probe import is_answered
from tests.roles import acting

PAGE = (Path(__file__).parents[2] / "docs" / "tracing.md").read_text("utf-8")
LISTED = PAGE.partition("| attribute | meaning |")[2]
ATTRIBUTES = set(re.findall(r"^\| `([a-z_.]+)` \|", LISTED, re.MULTILINE))
SEND = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
GIVEN = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


@asynccontextmanager
async def traced(system: System, folder: Path, endpoint: str) -> AsyncIterator[str]:
    """API, relay and mailer as processes that export spans; yields the address of the API."""
    port, relay_port, mailer_port = free_ports(3)
    spans = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    amqp = {"AMQP_URL": system.amqp}
    running = [
        Child("api", ("services.api", "serve"), spans | {
            "DATABASE_URL": acting(system.dsn, "api"), "API_PORT": str(port), "DRAIN_DELAY": "0s",
        }, folder),
        Child("relay", ("services.api", "relay"), spans | amqp | {
            "DATABASE_URL": acting(system.dsn, "relay"), "RELAY_OPS_PORT": str(relay_port),
        }, folder),
        Child("mailer", ("services.mailer", "run"), spans | amqp | {
            "DATABASE_URL": acting(system.dsn, "mailer"), "MAILER_OPS_PORT": str(mailer_port),
            "SMTP_URL": f"smtp://127.0.0.1:{system.judge.port}?starttls=never",
            "MAIL_FROM": "post@ledgerpost.example", "ATTACH_PDF": "off",
        }, folder),
    ]  # fmt: skip
    try:
        for each in (port, relay_port, mailer_port):
            async with asyncio.timeout(180):
                while not await is_answered(f"http://127.0.0.1:{each}/health/ready"):
                    await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        await asyncio.gather(*(each.stop() for each in running))
    finally:
        for each in running:
            await each.kill()


def the(spans: list[Seen], name: str) -> Seen:
    [found] = [each for each in spans if each.name == name]
    return found


async def sent(system: System, url: str) -> str:
    """Request a mail with a message and a further address; return the id once it is sent."""
    async with system.http.post(
        f"{url}{SEND}",
        json={"message": "a very personal message", "other_emails": ["private@x.example"]},
        headers={"traceparent": f"00-{GIVEN}-{CALLER}-01"},
    ) as response:
        assert response.status == 202, await response.text()
        send: str = (await response.json())["id"]
    assert (await system.settled(send))["status"] == "sent"
    return send


async def test_one_trace_from_the_request_to_the_smarthost(system: System, tmp_path: Path) -> None:
    async with collecting() as collector:
        async with traced(system, tmp_path, collector.url) as url:
            send = await sent(system, url)
            async with system.http.get(f"{url}/api/v3/sends/{send}?nothing=secret") as response:
                assert response.status == 422
        # Each process has exported what it had when it stopped.
        spans = collector.of(GIVEN)
    request, others = spans[0], spans[1:]
    assert (request.service, request.kind, request.parent) == ("ledgerpost-api", "server", CALLER)
    assert request.name == "POST /api/v3/clients/{id}/transactions/send"
    assert request.attributes["http.response.status_code"] == 202
    publishes = [each for each in others if each.kind == "producer"]
    assert len(publishes) == 2  # one for each recipient
    for publish in publishes:
        assert (publish.service, publish.parent) == ("ledgerpost-relay", request.id)
        [process] = [each for each in others if each.parent == publish.id]
        assert (process.service, process.kind) == ("ledgerpost-mailer", "consumer")
        for name in ("messaging.destination.name", "ledgerpost.delivery_id"):
            assert process.attributes[name] == publish.attributes[name]
        assert process.attributes["ledgerpost.state"] == "sent"
        assert process.attributes["ledgerpost.send_id"] == send
        below = [each for each in others if each.parent == process.id]
        assert [each.name for each in below] == ["compose", "hand over by SMTP"]
        smtp = below[1]
        assert smtp.kind == "client"
        [gate] = [each for each in others if each.parent == smtp.id]
        assert gate.name == "gate"
        for inner, outer in ((gate, smtp), (smtp, process)):
            assert outer.begin <= inner.begin <= inner.end <= outer.end
    assert len(spans) == 1 + 2 * 5
    assert not any(each.has_failed for each in spans)
    check_private(system, collector)


def check_private(system: System, collector: Collector) -> None:
    """Nothing of anybody is in what was exported, and only what the page lists."""
    exported = b"".join(collector.bodies)
    key = system.http.headers["Authorization"].removeprefix("Bearer ")
    secrets = {
        "the key": key[len("ledgerpost_") + 8 :],
        "the message": "personal",
        "an address": "private",
        "the customer's address": "esi@customers",
        "the customer's name": "Ɛsi",
        "the business": "Kente",
        "a figure": "900.2",
        "a query": "secret",
        "a period": "2024-11",
        "the smarthost": str(system.judge.port),
        "the sender": "post@",
    }
    assert b"/api/v3/sends/{id}" in exported
    assert [name for name, secret in secrets.items() if secret.encode() in exported] == []
    used = {name for each in collector.spans for name in each.attributes}
    assert used <= ATTRIBUTES
    assert ATTRIBUTES - used == {"error.type"}


async def test_a_collector_that_is_away_or_silent_changes_nothing(
    system: System, tmp_path: Path
) -> None:
    """Mails go out, and each process stops with status 0."""
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        async with traced(system, tmp_path, f"http://127.0.0.1:{port}") as url:
            await sent(system, url)
