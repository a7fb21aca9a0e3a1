"""A batch from its request over the queue to its last mail, as a subscriber hears of it."""

import asyncio
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.api.contract.message_schemas import documents
from services.api.relay import business_events
from services.api.relay.expander import Expander
from tests.journeys.conftest import System, sends, soon
from tests.peer import Peer, batch_request

ALL = {"skip_empty": False}
STATUSES = ("scheduled", "waiting", "expanding", "sending", "done", "cancelled", "failed")


async def heard(asker: Peer, last: str, number: int = 1) -> list[Any]:
    """The events of batches, once there are this many of the last kind."""
    await asker.events(f"batch.{last}.1", number=number)
    return await asker.events(*(f"batch.{status}.1" for status in STATUSES))


def faults(asker: Peer) -> list[str]:
    """What the published schemas find wrong with the events of batches and their requests."""
    found = []
    for message in asker.heard:
        event = json.loads(message.body)
        kind = event["type"].removeprefix("com.ledgerpost.").removesuffix(".v1")
        name = "batch" if kind.startswith("batch.") else kind
        if name.startswith("batch"):
            schema = documents()[f"{name}.v1.json"]
            found += [str(fault) for fault in Draft202012Validator(schema).iter_errors(event)]
    return found


def statuses(events: list[Any]) -> list[str]:
    """The status of each event, copies left out."""
    return [each["data"]["status"] for each in {one["id"]: one for one in events}.values()]


async def test_a_request_over_the_queue_becomes_mails_and_every_step_is_told(
    system: System, asker: Peer
) -> None:
    asked = batch_request("1", **ALL) | {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    async with system.relay(), system.mailer():
        await asker.ask(asked, correlation_id="c-1")
        reply = await asker.reply()
        [told] = await asker.events("batch-request.accepted.1")
        events = await heard(asker, "done")
        # A copy gets the first answer, whatever has become of the batch.
        await asker.ask(asked)
        assert await asker.reply(2) == reply
    assert faults(asker) == []
    assert told == reply
    assert reply["type"] == "com.ledgerpost.batch-request.accepted.v1"
    assert (reply["requestid"], reply["requestsource"]) == ("1", "/crm")
    batch = reply["data"]
    assert reply["subject"] == batch["id"]
    assert batch["status"] == "expanding"
    assert asker.answered[0].correlation_id == "c-1"

    assert statuses(events) == ["expanding", "sending", "done"]
    assert {each["subject"] for each in events} == {batch["id"]}
    assert {each["traceparent"].split("-")[1] for each in [*events, told]} == {"ab" * 16}
    customers = batch["progress"]["customers"]
    assert {each["data"]["customers"] for each in events} == {customers}
    done = events[-1]["data"]
    sent = len(system.judge.accepted)
    assert sent > 1
    assert done["counts"] == {"sent": sent}
    assert set(system.judge.counts().values()) == {1}
    assert await sends(system) + sum(done["skipped"].values()) == customers
    deliveries = await asker.events("delivery.sent.1", number=sent)
    assert len({each["data"]["delivery_id"] for each in deliveries}) == sent
    async with system.http.get(f"/api/v3/batches/{batch['id']}") as response:
        shown = await response.json()
    assert (shown["status"], shown["counts"], shown["skipped"]) == (
        "done",
        done["counts"],
        done["skipped"],
    )


async def test_a_batch_that_is_cancelled_is_told_as_cancelled_and_nothing_follows(
    system: System, asker: Peer
) -> None:
    async with system.relay():
        await asker.ask(batch_request("1", **ALL))
        batch = (await asker.reply())["data"]
        await asker.events("batch.sending.1")
        async with system.http.post(f"/api/v3/batches/{batch['id']}/cancel") as response:
            assert response.status == 200, await response.text()
        events = await heard(asker, "cancelled")
        made = await sends(system)
        await asker.events("delivery.cancelled.1", number=made)
    # Another relay and a mailer find nothing of it to do.
    async with system.relay(), system.mailer():
        await system.settled((await system.send())["id"])
        events = await heard(asker, "cancelled")
    assert statuses(events) == ["expanding", "sending", "cancelled"]
    ended = events[-1]["data"]
    assert sum(ended["counts"].values()) >= made > 0
    assert ended["counts"]["cancelled"] == made
    assert len(system.judge.accepted) == 1


async def test_a_batch_that_is_cancelled_before_its_time_says_so_at_once(
    system: System, asker: Peer
) -> None:
    async with system.relay():
        await asker.ask(batch_request("1", send_at="2030-01-31", **ALL))
        batch = (await asker.reply())["data"]
        await asker.events("batch.scheduled.1")
        async with system.http.post(f"/api/v3/batches/{batch['id']}/cancel") as response:
            assert response.status == 200, await response.text()
        events = await heard(asker, "cancelled")
    assert statuses(events) == ["scheduled", "cancelled"]
    assert (events[-1]["data"]["counts"], await sends(system)) == ({}, 0)


async def test_relays_that_die_in_any_step_leave_one_batch_one_answer_and_one_mail_each(
    system: System, asker: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each relay dies after its work is stored and before it records its event as published."""
    lost = {"told": 0, "expanded": 0}
    expand, mark = Expander.step, business_events.mark_published

    async def expands(self: Expander) -> Any:
        await expand(self)
        lost["expanded"] += 1
        raise ConnectionError

    async def tells(conn: Any, events: Any) -> None:
        if events and lost["told"] < 3:
            lost["told"] += 1
            raise ConnectionError
        await mark(conn, events)

    asked = batch_request("1", **ALL)
    with monkeypatch.context() as patch:
        patch.setattr(Expander, "step", expands)
        patch.setattr(business_events, "mark_published", tells)
        for number in range(1, 4):
            async with system.relay():
                await asker.ask(asked)
                await asker.reply(number)
                await soon(lambda: asyncio.sleep(0, lost["told"] >= 1))
    async with system.relay(), system.mailer():
        events = await heard(asker, "done")

        async def all_told() -> bool:
            left = "SELECT count(*) FROM business_events WHERE published_at IS NULL"
            return bool(await system.db.fetchval(left) == 0)

        await soon(all_told)
    assert lost["told"] == 3
    assert lost["expanded"] > 0
    assert len({each.body for each in asker.answered}) == 1
    assert statuses(events) == ["expanding", "sending", "done"]
    counts = events[-1]["data"]["counts"]
    assert counts == {"sent": len(system.judge.accepted)}
    assert set(system.judge.counts().values()) == {1}
    assert len(system.judge.counts()) == len(system.judge.accepted) > 1
