"""The gate if another statement answers under the name of ours, as behind some poolers."""

import asyncpg
import pytest

from shared.db import postgres, sql
from shared.deliveries import worker
from shared.deliveries.states import State
from shared.deliveries.worker import _QUERIES, Verdict
from tests.shared.deliveries.conftest import LEASE
from tests.shared.deliveries.test_transitions import claimed, state


async def answer_instead(conn: asyncpg.Connection, asked: str, other: str) -> None:
    """Let `other` be what runs from now on under the name that `conn` gave to `asked`."""
    await conn.execute("PREPARE others AS SELECT 1")  # so that no name is that of nothing
    names = await conn.fetch("SELECT name, statement, parameter_types FROM pg_prepared_statements")
    [(name, types)] = [
        (row["name"], ", ".join(row["parameter_types"]))
        for row in names
        if row["statement"] == asked
    ]
    await conn.execute(f'DEALLOCATE "{name}"; PREPARE "{name}" ({types}) AS {other}')


async def test_the_gate_believes_no_other_statement(conn: asyncpg.Connection) -> None:
    [first, second] = await claimed(conn, ["a@x.example", "b@x.example"])
    assert await worker.gate(conn, [first], LEASE) == {first.key}
    await answer_instead(conn, _QUERIES.gate, _QUERIES.renew)
    with pytest.raises(postgres.UNAVAILABLE):
        await worker.gate(conn, [second], LEASE)
    assert await state(conn, second.id) == "sending"


@pytest.mark.parametrize("answer", ["$2, state", "token + 1, 'committing'", "token, 'sending'"])
async def test_the_gate_believes_only_its_own_token_and_state(
    conn: asyncpg.Connection, answer: str
) -> None:
    [first, second] = await claimed(conn, ["a@x.example", "b@x.example"])
    assert await worker.gate(conn, [first], LEASE) == {first.key}
    answer = answer.replace("$2", "($2::bigint[])[1]")
    other = f"SELECT id, {answer} FROM deliveries WHERE id = ANY($1) AND $3 > interval '0'"
    await answer_instead(conn, _QUERIES.gate, other)
    assert await worker.gate(conn, [second], LEASE) == set()


async def test_a_record_that_did_not_come_to_its_state_did_not_decide(
    conn: asyncpg.Connection,
) -> None:
    [first, second] = await claimed(conn, ["a@x.example", "b@x.example"])
    await worker.record(conn, [Verdict(first, State.FAILED)])
    arguments = " AND ".join(f"${number} IS NOT NULL" for number in range(2, 9))
    other = f"SELECT id, token, state FROM deliveries WHERE id = ANY($1) AND {arguments}"
    await answer_instead(conn, sql.numbered(_QUERIES.record)[0], other)
    assert await worker.record(conn, [Verdict(second, State.FAILED)]) == set()


async def test_only_what_was_asked_for_is_claimed(conn: asyncpg.Connection) -> None:
    [first, second] = await claimed(conn, ["a@x.example", "b@x.example"])
    other = _QUERIES.claim.replace("unnest($1::uuid[])", f"unnest('{{{first.id}}}' || $1::uuid[])")
    await answer_instead(conn, _QUERIES.claim, other)
    await conn.execute("UPDATE deliveries SET state = 'queued'")
    assert set(await worker.claim(conn, [second.id], LEASE)) == {second.id}
