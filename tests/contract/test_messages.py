"""The messages for other systems: the documents, and a peer in another language."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from services.api.access import store as access
from services.api.contract import message_examples
from services.api.contract.asyncapi import as_json
from services.api.contract.message_schemas import SCHEMAS, documents
from services.api.intake import examples
from tests.journeys.conftest import System, system  # noqa: F401 -- a fixture
from tests.servers import ROOT, absent

FOLDER = Path(__file__).parent / "messages"
DOCS = ROOT / "docs"
EXAMPLES = {
    "send-request": examples.REQUEST,
    "send-request.accepted": examples.ACCEPTED,
    "send-request.refused": examples.REFUSED,
    "batch-request": examples.BATCH_REQUEST,
    "batch-request.accepted": examples.BATCH_ACCEPTED,
    "batch-request.refused": examples.BATCH_REFUSED,
    "delivery": message_examples.SENT,
    "batch": message_examples.BATCH_DONE,
    "schedule": message_examples.SCHEDULE_SKIPPED,
    "send-transactions": message_examples.WAKEUP,
}


async def node(script: str, *arguments: str) -> Any:
    """What a script of the folder prints, as JSON."""
    program = shutil.which("node")
    if program is None:
        absent("node is not installed")
    if not (FOLDER / "node_modules").is_dir():
        absent("the packages are not installed: run make node")
    process = await asyncio.create_subprocess_exec(
        program, script, *arguments, cwd=FOLDER, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


def test_the_committed_document_and_schemas_are_current() -> None:
    assert (DOCS / "asyncapi.json").read_bytes() == as_json(), "run make contract"
    committed = {path.name: path.read_bytes() for path in (DOCS / "schemas").iterdir()}
    assert {name: json.loads(text) for name, text in committed.items()} == documents()


async def test_the_parser_and_the_published_schema_find_no_fault() -> None:
    assert await node("validate.mjs", str(DOCS)) == []


@pytest.mark.parametrize("language", ["python", "typescript"])
async def test_the_stock_generator_makes_a_model_of_every_message(language: str) -> None:
    models = (await node("models.mjs", str(DOCS / "asyncapi.json")))[language]
    assert {each.model.__name__ for each in SCHEMAS} <= set(models)
    assert len(models) == len(set(models))
    assert not [each for each in models if each.startswith("Anonymous")]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda each: each.name)
def test_what_a_schema_describes_the_model_reads_and_the_other_way_round(schema: Any) -> None:
    document = documents()[schema.file]
    Draft202012Validator.check_schema(document)
    example = EXAMPLES[schema.name]
    validator = Draft202012Validator(document)
    validator.validate(example)
    model = schema.model.model_validate_json(orjson.dumps(example))
    if schema.mode == "serialization":
        validator.validate(json.loads(model.model_dump_json(by_alias=True)))
    for missing in document["required"]:
        cut = {name: value for name, value in example.items() if name != missing}
        assert not validator.is_valid(cut), missing
    assert not validator.is_valid({**example, "type": "com.ledgerpost.other.v1"})


async def test_a_peer_in_another_language_asks_for_a_send_and_a_batch_and_follows_both(
    system: System,  # noqa: F811
) -> None:
    key = await access.create(system.db, business_id=1, name="crm", scopes=["transactions:send"])
    async with system.relay(), system.mailer():
        told = await node("peer.mjs", system.amqp, key.text, str(DOCS))

    assert told["asked"] == [[], [], []]
    journey = told["journey"]
    assert [each["faults"] for each in journey] == [[]] * len(journey)
    assert {each["contentType"] for each in journey} == {"application/cloudevents+json"}
    replies = {each["correlationId"]: each["event"] for each in journey if each["from"] == "reply"}
    assert set(replies) == {"wrong", "right", "many"}
    assert replies["wrong"]["data"]["status"] == 422
    assert replies["wrong"]["data"]["errors"] == [
        {"field": "from", "message": "should not be after to"}
    ]
    send = replies["right"]["data"]
    assert send["personal_message"] == "Ɛsi, merci!"
    heard = [each for each in journey if each["from"] == "events"]
    assert replies["right"] in [each["event"] for each in heard]
    for recipient in send["recipients"]:
        states = [
            each["key"]
            for each in heard
            if each["event"]["data"].get("delivery_id") == recipient["id"]
        ]
        assert states == [
            "delivery.scheduled.1", "delivery.queued.1", "delivery.sending.1", "delivery.sent.1",
        ]  # fmt: skip
    batch = replies["many"]["data"]
    statuses = [each for each in heard if each["event"]["data"].get("batch_id") == batch["id"]]
    assert [each["key"] for each in statuses] == [
        "batch.expanding.1", "batch.sending.1", "batch.done.1",
    ]  # fmt: skip
    assert batch["progress"]["customers"] == 2
    accepted = system.judge.counts()
    assert set(accepted.values()) == {1}
    assert {address for id_, address in accepted if id_ == send["id"]} == {
        "esi@customers.example.com",
        "a@x.example",
    }
    assert statuses[-1]["event"]["data"]["counts"] == {"sent": len(accepted) - 2}
    assert (await system.show(send["id"]))["status"] == "sent"
