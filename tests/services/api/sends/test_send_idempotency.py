import asyncio
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from services.api.core.parsing import parse
from services.api.core.refusals import InFlight, InvalidInput, KeyReused, NotFound
from services.api.idempotency.store import IdempotencyKey
from services.api.sends.accept import Accepted, accept
from services.api.sends.request import SendBody, SendRequest
from services.api.sends.terms import Terms
from shared.db import postgres
from shared.period import Period

PERIOD = Period(date(2024, 11, 1), date(2024, 11, 30))
TERMS = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=5_000)
KEY = IdempotencyKey("order-1")


async def send(
    conn: postgres.Connection, customer: int = 4, business: int = 1, **given: Any
) -> Accepted:
    asked = SendRequest.of(customer, PERIOD, parse(SendBody, given))
    return await accept(conn, business, asked, TERMS, KEY)


async def sends(conn: asyncpg.Connection) -> int:
    count: int = await conn.fetchval("SELECT count(*) FROM sends")
    return count


async def test_a_repetition_gets_the_first_answer_and_stores_nothing(
    ledger: asyncpg.Connection,
) -> None:
    first = await send(ledger, message="a\r\nb", send_tome="2020-01-01")
    await ledger.execute("UPDATE deliveries SET state = 'failed'")
    again = await send(ledger, message="a\nb", send_at="2020-01-01")
    assert not first.replayed
    assert again == Accepted(first.send_id, first.answer)
    assert await sends(ledger) == 1


async def test_a_repetition_is_answered_though_the_customer_is_gone(
    ledger: asyncpg.Connection,
) -> None:
    first = await send(ledger)
    await ledger.execute("DELETE FROM customers WHERE business_id = 1 AND id = 4")
    assert (await send(ledger)).answer == first.answer


async def test_another_content_under_the_same_key_is_refused(ledger: asyncpg.Connection) -> None:
    await send(ledger)
    with pytest.raises(KeyReused):
        await send(ledger, message="other")
    with pytest.raises(KeyReused):
        await send(ledger, customer=6)
    assert await sends(ledger) == 1


async def test_a_key_belongs_to_one_business(ledger: asyncpg.Connection) -> None:
    first, second = await send(ledger), await send(ledger, business=2)
    assert not second.replayed
    assert first.send_id != second.send_id


async def test_a_refused_request_leaves_its_key_free(ledger: asyncpg.Connection) -> None:
    with pytest.raises(NotFound):
        await send(ledger, customer=99)
    with pytest.raises(InvalidInput):
        await send(ledger, customer=5)
    assert not (await send(ledger)).replayed


async def test_a_key_is_free_again_after_a_day(ledger: asyncpg.Connection) -> None:
    first = await send(ledger)
    await ledger.execute("UPDATE idempotency_keys SET created_at = now() - interval '23:59:30'")
    assert (await send(ledger)).replayed
    await ledger.execute("UPDATE idempotency_keys SET created_at = now() - interval '24:00:01'")
    second = await send(ledger, message="other")
    assert not second.replayed
    assert second.send_id != first.send_id
    assert (await send(ledger, message="other")).answer == second.answer
    assert await ledger.fetchval("SELECT count(*) FROM idempotency_keys") == 1


async def test_a_request_in_flight_is_told_so_and_its_end_decides(
    database: str, ledger: asyncpg.Connection
) -> None:
    first = await asyncpg.connect(database)
    try:
        transaction = first.transaction()
        await transaction.start()
        await send(first)
        with pytest.raises(InFlight):
            await send(ledger)
        await transaction.rollback()
        assert not (await send(ledger)).replayed
    finally:
        await first.close()


async def test_a_killed_backend_leaves_all_or_nothing(
    database: str, ledger: asyncpg.Connection
) -> None:
    victim = await asyncpg.connect(database)
    await victim.execute("BEGIN")
    await send(victim)
    await ledger.execute("SELECT pg_terminate_backend($1)", victim.get_server_pid())
    victim.terminate()
    # Waits until the victim has let go of it.
    lock = "SELECT pg_advisory_lock(hashtextextended($1, 1)), pg_advisory_unlock_all()"
    await ledger.execute(lock, KEY.text)
    assert await sends(ledger) == 0
    assert not (await send(ledger)).replayed
    assert await ledger.fetchval("SELECT count(*) FROM deliveries") == 1


@pytest.mark.parametrize("round_", range(5))
async def test_one_key_twenty_times_at_once_makes_one_send(
    database: str, ledger: asyncpg.Connection, round_: int
) -> None:
    async with postgres.pool(database, name="test", size=20) as pool:

        async def attempt() -> Accepted | InFlight:
            async with pool.acquire() as conn:
                try:
                    return await send(conn)
                except InFlight as error:
                    return error

        connections = [await pool.acquire() for _ in range(20)]
        for connection in connections:
            await pool.release(connection)
        outcomes = await asyncio.gather(*(attempt() for _ in range(20)))
    accepted = [each for each in outcomes if isinstance(each, Accepted)]
    assert [each.replayed for each in accepted].count(False) == 1
    assert len({each.answer for each in accepted}) == 1
    assert await sends(ledger) == 1
    assert await ledger.fetchval("SELECT count(*) FROM deliveries") == 1


async def test_a_key_taken_between_look_and_store_is_found(
    database: str, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.api.sends import accept as module  # noqa: PLC0415 -- only this test looks inside

    look, firsts = module.look, list[Accepted]()
    other = await asyncpg.connect(database)

    async def slow_look(*args: Any) -> asyncpg.Record:
        seen = await look(*args)
        if args[0] is ledger and not firsts:
            firsts.append(await send(other))
        return seen

    monkeypatch.setattr(module, "look", slow_look)
    try:
        again = await send(ledger)
    finally:
        await other.close()
    assert again == Accepted(firsts[0].send_id, firsts[0].answer)
    assert await sends(ledger) == 1


@pytest.mark.parametrize("text", ["", "a b", "ä", "a\0", "a\n", "x" * 256, "\x7f"])
def test_a_key_has_visible_characters_and_a_length(text: str) -> None:
    with pytest.raises(InvalidInput, match="Idempotency-Key: should have"):
        IdempotencyKey.parse([text])


def test_a_key_is_optional_and_single() -> None:
    assert IdempotencyKey.parse([]) is None
    assert IdempotencyKey.parse(["x" * 255]) == IdempotencyKey("x" * 255)
    with pytest.raises(InvalidInput, match="should be given once"):
        IdempotencyKey.parse(["a", "a"])


def test_a_request_in_flight_is_worth_a_second_try_after_a_second() -> None:
    assert InFlight().retry_after == timedelta(seconds=1)
