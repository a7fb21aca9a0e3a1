"""Tests of the test tools: an audit that cannot fail, or a proxy that leaks, proves nothing."""

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from tests.faults import tap
from tests.faults.neighbours import Neighbours
from tests.faults.outcomes import audit
from tests.faults.processes import ROOT, Child
from tests.faults.proxy import Proxy
from tests.faults.tap import Tap
from tests.judge.server import Judge

_SEND = UUID(int=7)
_STORE = """
WITH sent AS (
    INSERT INTO sends (id, business_id, customer_id, date_from, date_to, copy_to_me, send_at,
                       expires_at, created_at)
    VALUES ($1, 1, 4, '2024-11-01', '2024-11-30', false, now(), now() + interval '1 day', now())
    ON CONFLICT DO NOTHING
)
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state, due_at,
                        expires_at, lease_until, sent_at, created_at, updated_at)
VALUES ($2, $1, 1, $3, $4, $4, $5, now(), now(), now(),
        CASE WHEN $5 = 'sent' THEN now() END, now(), now())"""


async def _stored(conn: asyncpg.Connection, number: int, state: str) -> tuple[str, str]:
    delivery, email = UUID(int=number), f"r{number}@x.example"
    await conn.execute(_STORE, _SEND, delivery, number, email, state)
    return str(delivery), email


def _take(judge: Judge, delivery: str, email: str) -> None:
    head = f"X-Ledgerpost-Send: {_SEND}\r\nX-Ledgerpost-Delivery: {delivery}\r\n\r\n"
    judge.accept("from@x.example", email, head.encode())


@pytest.mark.parametrize(
    ("state", "taken", "injected", "broken"),
    [
        ("sent", 1, 0, ""),
        ("in_doubt", 1, 1, ""),
        ("in_doubt", 0, 1, ""),
        ("failed", 0, 0, ""),
        ("cancelled", 0, 0, ""),
        ("sent", 2, 0, "accepted again"),
        ("sent", 0, 0, "lost"),
        ("queued", 0, 0, "lost"),
        ("deferred", 0, 0, "lost"),
        ("in_doubt", 0, 0, "in doubt where 0"),
        ("failed", 1, 0, "accepted and is shown as failed"),
        ("committing", 1, 1, "accepted and is shown as committing"),
    ],
)
async def test_the_audit_sees_every_broken_promise(
    neighbours: Neighbours, state: str, taken: int, injected: int, broken: str
) -> None:
    judge = Judge()
    async with neighbours.database() as dsn:
        conn = await asyncpg.connect(dsn)
        _take(judge, *await _stored(conn, 1, "sent"))
        delivery, email = await _stored(conn, 2, state)
        for _ in range(taken):
            _take(judge, delivery, email)
        outcome = await audit(conn, judge, injected)
        await conn.close()
    assert outcome.due == 2
    assert (broken in "; ".join(outcome.broken())) if broken else not outcome.broken()


async def test_the_audit_sees_mail_that_nobody_asked_for(neighbours: Neighbours) -> None:
    judge = Judge()
    async with neighbours.database() as dsn:
        conn = await asyncpg.connect(dsn)
        _take(judge, "stranger", "a@x.example")
        outcome = await audit(conn, judge, 0)
        await conn.close()
    assert outcome.broken() == ["nobody asked for a mail stranger"]


_BATCH = """
INSERT INTO batches (id, business_id, phase, date_from, date_to, customers, charged, recipients,
                     send_at, expires_at, created_at, updated_at)
VALUES ($1, 1, 'done', '2024-11-01', '2024-11-30', 2, 1, 1,
        now(), now() + interval '1 day', now(), now())"""
_CUSTOMERS_OF_BATCH = """
INSERT INTO batch_customers (batch_id, customer_id, send_id, reason, reason_code)
VALUES ($1, 4, $2, NULL, NULL), ($1, 3, NULL, 'no address', 'no_address')"""
_NONE = "SELECT"
_ANOTHER_SEND = """INSERT INTO sends SELECT (s).* FROM (
    SELECT jsonb_populate_record(s, '{"id": "00000000-0000-0000-0000-000000000009"}') AS s
    FROM sends s) s"""


@pytest.mark.parametrize(
    "damage",
    [
        _NONE,
        "DELETE FROM batch_customers WHERE customer_id = 3",
        "UPDATE batch_customers SET customer_id = 5 WHERE customer_id = 4",
        "UPDATE batch_customers SET send_id = NULL, reason = 'x', reason_code = 'x'",
        "UPDATE batch_customers SET reason = NULL, reason_code = NULL",
        "UPDATE batches SET charged = 0",
        "UPDATE batches SET charged = 2, recipients = 2",
        "UPDATE sends SET batch_id = NULL",
        "DROP INDEX sends_of_batch; " + _ANOTHER_SEND,
    ],
)
async def test_the_audit_sees_a_batch_that_lost_or_doubled_somebody(
    neighbours: Neighbours, damage: str
) -> None:
    judge, batch = Judge(), UUID(int=8)
    async with neighbours.database() as dsn:
        conn = await asyncpg.connect(dsn)
        await conn.execute(_BATCH, batch)
        _take(judge, *await _stored(conn, 1, "sent"))
        await conn.execute("UPDATE sends SET batch_id = $1", batch)
        await conn.execute(_CUSTOMERS_OF_BATCH, batch, _SEND)
        await conn.execute(damage)
        outcome = await audit(conn, judge, 0)
        await conn.close()
    assert [each.startswith("batch {") for each in outcome.broken()] == [True] * (damage != _NONE)


async def test_a_tap_halts_at_the_end_of_one_kind_of_transaction(neighbours: Neighbours) -> None:
    insert = "INSERT INTO categories (business_id, id, name) VALUES (1, $1, 'n')"
    async with neighbours.database() as dsn, Tap(dsn) as tapped:
        held = await asyncpg.connect(tapped.url)
        trap = tapped.trap(tap.COMMIT, "request", after=b"INSERT INTO categories")
        for statement in ("SELECT $1::int", insert):
            async with held.transaction():
                await held.execute(statement, 900)
                trap.released.set()
            assert trap.sprung.is_set() is (statement == insert)
        await held.close()


async def test_a_tap_holds_a_request_back_or_its_answer(neighbours: Neighbours) -> None:
    update = "UPDATE categories SET name = $1 WHERE business_id = 1 AND id = 12"
    async with neighbours.database() as dsn, Tap(dsn) as tapped:
        plain, held = await asyncpg.connect(dsn), await asyncpg.connect(tapped.url)
        for holds, seen in (("request", False), ("answer", True)):
            trap = tapped.trap(b"UPDATE categories", holds)  # type: ignore[arg-type]  # literals
            asked = asyncio.create_task(held.execute(update, holds))
            await trap.reached()
            await asyncio.sleep(0.2)
            names = await plain.fetch("SELECT name FROM categories WHERE name = $1", holds)
            assert bool(names) is seen
            assert not asked.done()
            trap.released.set()
            assert await asked == "UPDATE 1"
        await plain.close()
        await held.close()


async def test_a_black_hole_answers_nobody_until_it_is_healed(neighbours: Neighbours) -> None:
    async with Proxy(f"{neighbours.postgres.url}?sslmode=disable") as proxy:
        before = await asyncpg.connect(proxy.url)
        assert await before.fetchval("SELECT 1") == 1
        proxy.black_hole()
        for asked in (before.fetchval("SELECT 1"), asyncpg.connect(proxy.url)):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asked, 0.5)
        proxy.heal()
        after = await asyncpg.connect(proxy.url)
        assert await after.fetchval("SELECT 1") == 1
        await after.close()
        before.terminate()


async def test_a_program_that_is_loading_is_stopped_once_it_heeds_that(
    neighbours: Neighbours, tmp_path: Path
) -> None:
    async with neighbours.database() as dsn, neighbours.broker(alone=False) as amqp:
        given = {"DATABASE_URL": dsn, "AMQP_URL": amqp, "RELAY_OPS_PORT": "0"}
        relay = Child("relay", ("services.api", "relay"), given, tmp_path)
        await relay.stop()
    assert not relay.alive


async def test_a_program_that_ended_by_itself_was_not_stopped(tmp_path: Path) -> None:
    broken = Child("relay", ("services.api", "relay"), {"SWEEP_INTERVAL": "soon"}, tmp_path)
    with pytest.raises(AssertionError, match="ended by itself with 2"):
        await broken.stop()


def test_the_statements_that_traps_wait_for_exist() -> None:
    single = ("shared/deliveries", "services/api/sends")
    for folders, markers in (
        (single, (tap.CLAIM, tap.GATE, tap.RECORD, tap.CONFIRM, tap.ENQUEUE, tap.ACCEPT)),
        (single, (tap.EVENTS, tap.TOLD)),
        (("services/api/batches",), (tap.EXPAND, tap.ACCEPT_BATCH, tap.CANCEL_BATCH)),
    ):
        queries = [path.read_bytes() for name in folders for path in (ROOT / name).glob("*.sql")]
        for marker in markers:
            assert sum(text.count(marker) for text in queries) == 1, marker


def test_no_due_time_comes_from_the_clock_of_a_worker() -> None:
    asked = {
        f"{path.relative_to(ROOT)}:{name}"
        for folder in (
            "services/mailer",
            "services/api/intake",
            "services/api/relay",
            "services/api/batches",
            "services/api/schedules",
            "shared/deliveries",
        )
        for path in (ROOT / folder).rglob("*.py")
        for name in _readings(ast.parse(path.read_text()))
    }
    # They date a message or a dead letter, or tell an operator of a certificate that ends; nothing
    # is ever decided by it.
    assert asked == {
        "services/api/relay/dispatcher.py:_wakeup",
        "services/api/intake/dead_letters.py:dead_letter",
        "services/api/intake/accepting.py:_answer",
        "services/api/intake/refusing.py:refuse",
        "services/mailer/smtp/check.py:_mail",
        "services/mailer/doctor/smarthost.py:_certificate",
    }


def _readings(tree: ast.Module) -> Iterator[str]:
    """The functions of a module that read the wall clock."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(c.startswith(("datetime.now", "datetime.utcnow", "time.time")) for c in calls):
                yield function.name
