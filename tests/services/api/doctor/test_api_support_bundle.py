"""The support bundle of the API has facts, and nothing of a customer, no key and no secret."""

import json
import stat
from pathlib import Path
from urllib.parse import quote, urlsplit

import aio_pika
from jsonschema import Draft202012Validator

from services.api.doctor.processes import PROCESSES
from shared.amqp import broker as broker_module
from shared.amqp import topology
from tests.bundle_canaries import CANARIES, files, fill, found
from tests.commands import Ended, ended
from tests.roles import acting
from tests.services.api.command import served
from tests.services.api.ledgers import new_key

ROOT = Path(__file__).parents[4]
SECRETS = {
    "UNSUBSCRIBE_SECRET": "canary-unsubscribe-" + "u" * 20,
    "RETURN_SECRET": "canary-return-" + "r" * 20,
    "MAIL_FROM": "canary sender <canary@sender.example>",
}


async def bundled(out: Path, *words: str, **settings: str) -> Ended:
    return await ended(
        "services.api", "support-bundle", "--out", str(out), *words, settings=settings
    )


async def test_nothing_of_a_customer_and_no_secret_is_in_it(
    database: str, broker: str, tmp_path: Path
) -> None:
    await fill(database)
    key = await new_key(database)
    async with await broker_module.connect(broker, "test") as connection:
        channel = await connection.channel()
        await topology.declare(channel)
        dead = await channel.get_exchange(topology.DEAD_LETTERS)
        await dead.publish(
            aio_pika.Message(b"canary-message", headers={"x-reason": "canary-reason"}), "x"
        )
    url, out = acting(database, "api_with_relay"), tmp_path / "support.tar.gz"
    async with served(DATABASE_URL=database) as (_, address, _):
        done = await bundled(
            out, *(f"--process={each}" for each in PROCESSES[:2]),
            DATABASE_URL=url, AMQP_URL=broker, API_PORT=str(urlsplit(address).port), **SECRETS,
        )  # fmt: skip
    assert (done.status, done.out, done.err) == (0, f"{out}\n", "")
    secrets = [*SECRETS.values(), "canary@sender.example", key, key.rpartition("_")[2]]
    secrets += [str(urlsplit(each).password) for each in (database, url, broker)]
    secrets += [quote(each, safe="") for each in secrets]
    assert found(out, [*CANARIES, *secrets]) == []
    contents = {Path(name).name: text for name, text in files(out).items()}
    assert set(contents) == {
        "README.txt", "batches.json", "doctor.json", "machine.json", "metrics.txt",
        "migrations.json", "outcomes.json", "postgres.json", "rabbitmq.json", "schedules.json",
        "settings.json", "tables.json", "versions.json",
    }  # fmt: skip
    loaded = {name: json.loads(text) for name, text in contents.items() if name.endswith(".json")}
    Draft202012Validator(json.loads((ROOT / "docs/doctor.schema.json").read_text())).validate(
        loaded["doctor.json"]
    )
    [outcome] = loaded["outcomes.json"]
    assert (outcome["state"], outcome["reason_code"], outcome["mails"]) == (
        "failed", "smarthost_refused", 1,
    )  # fmt: skip
    [batch], [skipped] = loaded["batches.json"]["batches"], loaded["batches.json"]["skipped"]
    assert (batch["state"], batch["reason_code"], batch["batches"]) == ("failed", "not_expanded", 1)
    assert skipped == {"reason_code": "no_address", "customers": 1}
    [schedule] = loaded["schedules.json"]["schedules"]
    assert (schedule["reason_code"], schedule["failures"]) == ("batch_not_made", 3)
    [occurrence] = loaded["schedules.json"]["occurrences"]
    assert (occurrence["outcome"], occurrence["reason_code"]) == ("skipped", "occurrence_late")
    assert loaded["rabbitmq.json"]["queues"][topology.DEAD_LETTERS]["ready"] == 1
    assert loaded["settings.json"]["RETURN_SECRET"] == "set"
    assert loaded["settings.json"]["MAX_RECIPIENTS"] == 25
    assert loaded["migrations.json"]["pending"] == []
    assert loaded["tables.json"]["invoices"]["rows"] == 1
    assert b"ledgerpost_http" in contents["metrics.txt"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.stat().st_size < 1024 * 1024


async def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "support.tar.gz"
    out.write_text("precious")
    done = await bundled(out, DATABASE_URL="postgresql://none/none")
    assert (done.status, done.out) == (1, "")
    assert done.err == f"Error: --out {out}: File exists\n"
    assert out.read_text() == "precious"


async def test_it_is_made_without_any_server(tmp_path: Path) -> None:
    out = tmp_path / "support.tar.gz"
    done = await bundled(
        out,
        DATABASE_URL="postgresql://u:canary-password@127.0.0.1:9/x",
        AMQP_URL="amqp://u:canary-password@127.0.0.1:9/x",
        RELAY_OPS_PORT="9",
    )
    assert done.status == 0
    assert found(out, ["canary-password"]) == []
    contents = {Path(name).name: text for name, text in files(out).items()}
    assert json.loads(contents["database.json"]) == {"error": "ConnectionRefusedError"}
    assert json.loads(contents["doctor.json"])["status"] == "failure"
