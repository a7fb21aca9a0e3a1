import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from services.api.core.refusals import InvalidInput, KeyReused, NotFound, OverQuota
from services.api.core.uuid7 import uuid7
from services.api.idempotency.store import IdempotencyKey
from services.api.sends import store
from services.api.sends.accept import Accepted
from services.api.sends.resends import NeverFrozen, resend
from services.api.sends.terms import Terms
from shared.deliveries import relay, worker
from shared.deliveries.states import State
from shared.mail.address import Address
from tests.services.api.sends.calls import Client, post
from tests.services.api.sends.stored import put, send

LATENESS, LEASE = timedelta(hours=72), timedelta(seconds=30)
FREEZE = """
WITH kept AS (INSERT INTO statements VALUES (1, sha256('x'), '{"figures": 1}') RETURNING sha256)
UPDATE sends SET statement_sha256 = kept.sha256, personal_message = 'Hello' FROM kept
"""


async def sent(conn: asyncpg.Connection, others: int = 1) -> UUID:
    send_id = await send(conn, others=others)
    await conn.execute(FREEZE)
    await put(conn, send_id, *[State.SENT] * (others + 1))
    return send_id


async def again(
    conn: asyncpg.Connection, send_id: UUID, *to: str, business: int = 1, key: str | None = None
) -> Accepted:
    chosen = tuple(Address.parse(each) for each in to) or None
    named = None if key is None else IdempotencyKey(key)
    return await resend(conn, business, send_id, chosen, Terms(25, LATENESS, 5_000), named)


async def test_the_same_statement_goes_to_the_same_people_as_a_send_of_its_own(
    ledger: asyncpg.Connection,
) -> None:
    first = await sent(ledger)
    accepted = await again(ledger, first)
    assert accepted.send_id != first
    shown = await store.one(ledger, 1, accepted.send_id)
    assert orjson.loads(accepted.answer) == orjson.loads(shown.to_json())
    original = await store.one(ledger, 1, first)
    assert shown.resend_of == first
    assert original.resend_of is None
    assert shown.statement_sha256 == original.statement_sha256
    assert [each.email for each in shown.recipients] == [e.email for e in original.recipients]
    assert (shown.personal_message, shown.start, shown.end, shown.customer_id) == (
        "Hello", original.start, original.end, 4,
    )  # fmt: skip
    assert {each.state for each in shown.recipients} == {"scheduled"}
    assert {each.state for each in original.recipients} == {"sent"}
    queued = (await relay.enqueue(ledger, 10, LEASE)).queued
    claims = await worker.claim(ledger, queued, LEASE)
    contents = set(await worker.statements(ledger, list(claims.values())))
    assert contents == {'{"figures": 1}'}
    assert await relay.unfrozen(ledger, 10) == []


async def test_chosen_recipients_alone_in_any_spelling(ledger: asyncpg.Connection) -> None:
    first = await sent(ledger, others=3)
    accepted = await again(ledger, first, "A1@X.com", "ESI@customers.example.com")
    shown = await store.one(ledger, 1, accepted.send_id)
    assert [each.email for each in shown.recipients] == ["esi@customers.example.com", "a1@x.com"]


async def test_somebody_who_was_no_recipient_is_refused(ledger: asyncpg.Connection) -> None:
    first = await sent(ledger)
    with pytest.raises(InvalidInput, match="not all recipients: b@x"):
        await again(ledger, first, "a0@x.com", "b@x.com")
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 1


async def test_who_is_suppressed_by_now_is_skipped(ledger: asyncpg.Connection) -> None:
    first = await sent(ledger)
    await ledger.execute("INSERT INTO suppressions VALUES (1, 'a0@x.com', '550 5.1.1 gone')")
    shown = await store.one(ledger, 1, (await again(ledger, first)).send_id)
    assert [each.email for each in shown.recipients] == ["esi@customers.example.com"]
    assert [each.email for each in shown.skipped] == ["a0@x.com"]
    with pytest.raises(InvalidInput, match="recipients: leaves no recipient"):
        await again(ledger, first, "a0@x.com")


async def test_what_was_never_frozen_cannot_be_repeated(ledger: asyncpg.Connection) -> None:
    first = await send(ledger)
    with pytest.raises(NeverFrozen):
        await again(ledger, first)


async def test_a_foreign_or_unknown_send_is_not_repeated(ledger: asyncpg.Connection) -> None:
    first = await sent(ledger)
    for business, identity in ((2, first), (1, uuid7())):
        with pytest.raises(NotFound):
            await again(ledger, identity, business=business)
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 1


async def test_a_customer_who_left_the_ledger_still_gets_the_statement_again(
    ledger: asyncpg.Connection,
) -> None:
    first = await sent(ledger)
    await ledger.execute("DELETE FROM customers WHERE business_id = 1 AND id = 4")
    assert (await again(ledger, first)).send_id != first


async def test_a_repeated_request_is_one_resend(ledger: asyncpg.Connection) -> None:
    first = await sent(ledger)
    one = await again(ledger, first, key="again")
    two = await again(ledger, first, key="again")
    assert two == Accepted(one.send_id, one.answer)
    with pytest.raises(KeyReused):
        await again(ledger, first, "a0@x.com", key="again")
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 2


async def test_ten_at_once_with_one_key_are_one_resend(
    api: Client, ledger: asyncpg.Connection
) -> None:
    first = await sent(ledger)
    path, headers = f"/api/v3/sends/{first}/resend", {"Idempotency-Key": "again"}

    async def ask() -> tuple[int, Any]:
        async with api.post(path, headers=headers) as response:
            return response.status, await response.json()

    answers = await asyncio.gather(*(ask() for _ in range(10)))
    assert {status for status, _ in answers} <= {202, 409}
    assert len({body["id"] for status, body in answers if status == 202}) == 1
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 2


async def test_over_http(api: Client, ledger: asyncpg.Connection) -> None:
    _, answer = await post(api, json={"other_emails": "a@x.com"})
    path = f"/api/v3/sends/{answer['id']}/resend"
    async with api.post(path) as response:
        assert response.status == 409
    await ledger.execute(FREEZE)
    async with api.post(path, json={"recipients": ["a@x.com"]}) as response:
        assert response.status == 202
        made = await response.json()
        assert response.headers["Location"] == f"/api/v3/sends/{made['id']}"
    assert made["resend_of"] == answer["id"]
    assert [each["email"] for each in made["recipients"]] == ["a@x.com"]
    async with api.get(f"/api/v3/sends/{made['id']}") as response:
        assert await response.json() == made
    assert datetime.fromisoformat(made["send_at"]) <= datetime.now(UTC)
    for body in ({"recipients": []}, {"recipients": ["x"]}, {"recipients": ["b@x.com"]}):
        async with api.post(path, json=body) as response:
            assert response.status == 422
            assert [e["field"] for e in (await response.json())["errors"]] == ["recipients"]


async def test_a_resend_counts_towards_the_quota(ledger: asyncpg.Connection) -> None:
    first = await sent(ledger)
    with pytest.raises(OverQuota):
        await resend(ledger, 1, first, None, Terms(25, LATENESS, daily_quota=1))
