"""Messages of every released version, as they were written, are read and handled by this one.

A broker, a subscriber or a dead letter may keep a message for months. So a file of
tests/fixtures/messages is never edited: what is written differently from now on is added.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from services.api.access import store as access
from services.api.batches.messages import BatchEvent
from services.api.contract.message_schemas import SCHEMAS, documents
from services.api.intake.messages import (
    BatchAccepted,
    BatchRefused,
    BatchRequested,
    SendAccepted,
    SendRefused,
    SendRequested,
)
from services.api.schedules.messages import ScheduleEvent
from shared.amqp import topology
from shared.messages import DeliveryEvent, SendTransactions
from tests.journeys.conftest import System
from tests.peer import peer

STORED = Path(__file__).parents[1] / "fixtures" / "messages"
FILES = sorted(STORED.rglob("*.json"))
READERS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("com.ledgerpost.send-transactions.", SendTransactions),
    ("com.ledgerpost.send-request.accepted.", SendAccepted),
    ("com.ledgerpost.send-request.refused.", SendRefused),
    ("com.ledgerpost.send-request.", SendRequested),
    ("com.ledgerpost.batch-request.accepted.", BatchAccepted),
    ("com.ledgerpost.batch-request.refused.", BatchRefused),
    ("com.ledgerpost.batch-request.", BatchRequested),
    ("com.ledgerpost.delivery.", DeliveryEvent),
    ("com.ledgerpost.batch.", BatchEvent),
    ("com.ledgerpost.schedule.", ScheduleEvent),
)


def kept(kind: str) -> list[Any]:
    """The stored messages of one kind, of all versions, for a test to take one by one."""
    found = [path for path in FILES if path.stem == kind]
    assert found
    return [pytest.param(path.read_bytes(), id=str(path.relative_to(STORED))) for path in found]


def with_added(stored: Any, again: Any) -> Any:
    """What was stored, with what later versions write in addition: names, and nothing else."""
    if isinstance(stored, list) and isinstance(again, list) and len(stored) == len(again):
        return [with_added(value, new) for value, new in zip(stored, again, strict=True)]
    if not isinstance(stored, dict) or not isinstance(again, dict):
        return stored
    return again | {name: with_added(value, again.get(name)) for name, value in stored.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(STORED)))
def test_a_stored_message_is_read_and_meets_the_schema_of_its_version(path: Path) -> None:
    raw = path.read_bytes()
    kind, version = json.loads(raw)["type"].removeprefix("com.ledgerpost.").rsplit(".v", 1)
    model = next(reader for name, reader in READERS if f"com.ledgerpost.{kind}.".startswith(name))
    read = model.model_validate_json(raw)
    schema = next(each for each in SCHEMAS if each.model is model)
    assert schema.version == int(version)
    Draft202012Validator(documents()[schema.file]).validate(json.loads(raw))
    if schema.mode == "serialization":
        # Nothing of it is lost or read as something else.
        again = json.loads(read.model_dump_json(by_alias=True))
        assert with_added(json.loads(raw), again) == again


def test_there_is_a_stored_message_of_each_kind() -> None:
    versions = {path.parent.name for path in FILES}
    for each in SCHEMAS:
        assert f"v{each.version}" in versions
        assert any(path.stem.startswith(each.name) for path in FILES), each.name


@pytest.mark.parametrize("raw", kept("send-transactions"))
async def test_a_stored_wakeup_delivers_the_mail_that_it_names(system: System, raw: bytes) -> None:
    connection = await aio_pika.connect(system.amqp)
    async with connection:
        channel = await connection.channel()
        async with system.relay():
            sent = await system.send()
            await system.until(sent["id"], lambda seen: seen["recipients"][0]["state"] == "queued")
        await (await channel.get_queue(topology.DELIVERIES)).purge()
        await system.db.execute("DELETE FROM delivery_events")
        await system.db.execute(
            "UPDATE deliveries SET id = $1::text::uuid", json.loads(raw)["data"]["delivery_id"]
        )
        exchange = await channel.get_exchange(topology.DELIVERIES, ensure=False)
        await exchange.publish(aio_pika.Message(raw), topology.DELIVERIES)
        async with system.mailer():
            assert (await system.settled(sent["id"]))["status"] == "sent"
    assert list(system.judge.counts().values()) == [1]


@pytest.mark.parametrize("raw", kept("send-request"))
async def test_a_stored_request_makes_the_send_that_it_asks_for(system: System, raw: bytes) -> None:
    key = await access.create(system.db, business_id=1, name="crm", scopes=["transactions:send"])
    async with peer(system.amqp, key.text) as asker, system.relay():
        await asker.ask(raw)
        accepted = await asker.reply()
    asked = json.loads(raw)
    assert accepted["type"].startswith("com.ledgerpost.send-request.accepted.")
    assert (accepted["requestid"], accepted["requestsource"]) == (asked["id"], asked["source"])
    shown = await system.show(accepted["data"]["id"])
    assert (shown["customer_id"], shown["from"], shown["to"], shown["personal_message"]) == (
        asked["data"]["customer_id"],
        asked["data"]["from"],
        asked["data"]["to"],
        asked["data"]["message"],
    )


@pytest.mark.parametrize("raw", kept("batch-request"))
async def test_a_stored_request_makes_the_batch_that_it_asks_for(
    system: System, raw: bytes
) -> None:
    key = await access.create(system.db, business_id=1, name="crm", scopes=["transactions:send"])
    async with peer(system.amqp, key.text) as asker, system.relay():
        await asker.ask(raw)
        accepted = await asker.reply()
    asked = json.loads(raw)["data"]
    assert accepted["type"].startswith("com.ledgerpost.batch-request.accepted.")
    made = accepted["data"]
    assert (made["from"], made["to"], made["personal_message"], made["other_emails"]) == (
        asked["from"],
        asked["to"],
        asked["message"],
        asked["other_emails"],
    )
    assert set(made["filter"]) == set(asked["filter"])
    assert Decimal(made["min_balance"]) == Decimal(asked["min_balance"])
