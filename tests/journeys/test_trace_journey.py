"""One trace, from the HTTP request to the mail."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aio_pika
import pytest

from shared.amqp import topology
from tests.journeys.conftest import System

GIVEN = "0af7651916cd43dd8448eb211c80319c"
LAST = {"delivery.sent.1", "delivery.failed.1"}


@pytest.mark.parametrize("given", [GIVEN, None])
async def test_one_trace_runs_from_the_request_to_the_event_of_its_mail(
    system: System, logged: Callable[[], list[dict[str, Any]]], given: str | None
) -> None:
    headers = {"traceparent": f"00-{given}-b7ad6b7169203331-01"} if given else {}
    connection = await aio_pika.connect(system.amqp)
    async with connection:
        channel = await connection.channel()
        await topology.declare(channel)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(topology.DELIVERIES, topology.DELIVERIES)
        await queue.bind(topology.EVENTS, "delivery.#")
        async with system.relay(), system.mailer():
            async with system.http.post(
                "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30",
                headers=headers | {"X-Request-Id": "traced"},
            ) as response:
                sent = await response.json()
            messages = []
            async with asyncio.timeout(180), queue.iterator() as incoming:
                async for message in incoming:
                    messages.append(
                        (message.routing_key, message.headers, json.loads(message.body))
                    )
                    if message.routing_key in LAST:
                        break
            await system.settled(sent["id"])

    [request] = [each for each in logged() if each.get("request_id") == "traced"]
    trace = request["trace_id"]
    assert trace == given if given else re.fullmatch("[0-9a-f]{32}", trace)
    expected = f"00-{trace}-{request['span_id']}-0{1 if given else 0}"
    assert {key for key, _, _ in messages} >= {topology.DELIVERIES, "delivery.sent.1"}
    for key, amqp, event in messages:
        assert event["traceparent"] == expected, key
        assert amqp["traceparent"] == expected, key
    [attempt] = [each for each in logged() if each["event"] == "attempt_recorded"]
    assert attempt["trace_id"] == trace
    assert attempt["send_id"] == sent["id"]


async def test_a_mail_without_a_trace_still_goes_out(system: System) -> None:
    async with system.relay(), system.mailer():
        await system.db.execute(
            "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.traceparent = NULL; RETURN NEW; END $$"
        )
        await system.db.execute(
            "CREATE TRIGGER forget BEFORE INSERT ON sends FOR EACH ROW EXECUTE FUNCTION forget()"
        )
        sent = await system.send()
        assert (await system.settled(sent["id"]))["status"] == "sent"
