"""schemathesis sends generated requests to a running API, and finds no fault."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import asyncpg
import pytest

from services.api.ledger.imports import import_directory
from tests.contract.conftest import GOLDEN
from tests.services.api.command import served
from tests.services.api.ledgers import new_key

FOLDER = Path(__file__).parent / "schemathesis"
MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
# A number of requests, and not a time, so that each run of all tests sends the same ones.
EXTENT = ("--max-time", str(round(MINUTES * 60))) if MINUTES else ("--max-examples", "4")
SEED = os.environ.get("FUZZ_SEED", "1")
RETURNS = {
    "RETURN_SECRET": "a secret of more than thirty-two characters",
    "BOUNCE_DOMAIN": "x.example",
}
# So high that no number of tests meets them; each has tests of its own.
LIMITS = {"MAX_RECIPIENTS": "1000", "DAILY_QUOTA": "1000000000", "RATE_LIMIT": "10000000"}


@pytest.mark.timeout(MINUTES * 60 + 600)
async def test_nothing_is_found(database: str, broker: str) -> None:
    await import_directory(database, GOLDEN)
    conn = await asyncpg.connect(database)
    # That nobody is left to receive is a 422 of which no schema tells.
    await conn.execute(
        "UPDATE customers SET business_email = id || '@customers.example'"
        " WHERE coalesce(business_email, '') = ''"
    )
    await conn.close()
    key = await new_key(database)
    async with served(
        "--with-relay", DATABASE_URL=database, AMQP_URL=broker, **LIMITS, **RETURNS
    ) as (
        api,
        url,
        lines,
    ):
        process = await asyncio.create_subprocess_exec(
            *(Path(sys.executable).with_name("st"), "run", f"{url}/openapi.json"),
            *("--header", f"Authorization: Bearer {key}"),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
            *(*EXTENT, "--seed", SEED, "--workers", "1"),
            *("--no-color",),
            cwd=FOLDER, stdin=DEVNULL, stdout=PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        text = output.decode()
        sys.stdout.write(text)  # seen with -s, as by make fuzz
        api.terminate()
        assert await api.wait() == 0
    assert process.returncode == 0, text[-5000:]
    assert [line for line in lines if '"level":"error"' in line] == []
