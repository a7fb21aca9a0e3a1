"""A caller sees that its mails wait until the operator ends a pause."""

from typing import Any

import asyncpg
import pytest

from services.api.sends import examples
from services.api.sends.send import Send
from shared.deliveries import operator
from tests.services.api.sends.calls import Client, post


async def shown(api: Client, send_id: str) -> bool:
    """What the send itself says, which is what the list says of it."""
    async with api.get(f"/api/v3/sends/{send_id}") as response:
        send: dict[str, Any] = await response.json()
    async with api.get("/api/v3/sends") as response:
        assert send in (await response.json())["data"]
    return bool(send["paused"])


@pytest.mark.parametrize(("paused", "waits"), [(1, True), (None, True), (2, False)])
async def test_a_send_says_whether_its_business_or_everybody_is_paused(
    api: Client, ledger: asyncpg.Connection, *, paused: int | None, waits: bool
) -> None:
    _, before = await post(api)
    await operator.pause(ledger, paused)
    response, after = await post(api, json={"send_at": "2030-01-01"})
    assert (response.status, before["paused"], after["paused"]) == (202, False, waits)
    assert [await shown(api, each["id"]) for each in (before, after)] == [waits, waits]
    await operator.resume(ledger, paused)
    assert [await shown(api, each["id"]) for each in (before, after)] == [False, False]


async def test_a_resend_says_so_too(api: Client, ledger: asyncpg.Connection) -> None:
    _, first = await post(api)
    await ledger.execute("INSERT INTO statements VALUES (1, sha256('x'), '')")
    await ledger.execute("UPDATE sends SET statement_sha256 = sha256('x')")
    await operator.pause(ledger, 1)
    async with api.post(f"/api/v3/sends/{first['id']}/resend") as response:
        assert (response.status, (await response.json())["paused"]) == (202, True)


async def test_what_has_come_to_its_end_waits_for_nobody(
    api: Client, ledger: asyncpg.Connection
) -> None:
    _, sent = await post(api)
    await operator.pause(ledger, 1)
    async with api.post(f"/api/v3/sends/{sent['id']}/cancel") as response:
        assert not (await response.json())["paused"]
    assert not await shown(api, sent["id"])


def test_answers_that_were_kept_before_there_were_pauses_are_read() -> None:
    kept = {name: value for name, value in examples.ACCEPTED.items() if name != "paused"}
    assert not Send.model_validate(kept).paused
