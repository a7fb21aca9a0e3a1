"""The history by batch and by schedule, alone and beside every other filter."""

from itertools import product
from uuid import UUID

import asyncpg
import pytest

from services.api.sends import history_sql, store
from services.api.sends.history import HistoryQuery
from services.api.sends.send import Send
from shared.db import sql
from tests.services.api.sends.test_history_filters import _SENDS, OPTIONS, history, ids, is_meant

FIRST, SECOND, FOREIGN = UUID(int=1), UUID(int=2), UUID(int=3)
SCHEDULE, FOREIGN_SCHEDULE = UUID(int=11), UUID(int=12)
_BATCHES = """
INSERT INTO batches (id, business_id, phase, date_from, date_to, schedule_id, send_at, expires_at,
                     created_at, updated_at)
SELECT id, business, 'sending', '2024-11-01', '2024-11-30', schedule, now(), now() + interval '1 d',
       now(), now()
FROM (VALUES ($1::uuid, 1, $4::uuid), ($2, 1, $4), ($3, 2, $5))
    AS b (id, business, schedule);
"""
# A customer may have several sends of a batch here, so that there are many to page through.
_OF_BATCHES = """
DROP INDEX sends_of_batch;
UPDATE sends SET batch_id = CASE abs(hashtext(id::text)) % 3
                            WHEN 0 THEN '00000000-0000-0000-0000-000000000001'::uuid
                            WHEN 1 THEN '00000000-0000-0000-0000-000000000002'::uuid END
WHERE business_id = 1;
UPDATE sends SET batch_id = '00000000-0000-0000-0000-000000000003' WHERE business_id = 2;
ANALYZE sends;
"""


@pytest.fixture
async def batched(ledger: asyncpg.Connection) -> asyncpg.Connection:
    await ledger.execute(_BATCHES, FIRST, SECOND, FOREIGN, SCHEDULE, FOREIGN_SCHEDULE)
    await ledger.execute(_SENDS.format(sends=300) + _OF_BATCHES)
    return ledger


def is_of(send: Send, given: dict[str, str]) -> bool:
    batch, schedule = given.get("batch_id"), given.get("schedule_id")
    return (batch is None or str(send.batch_id) == batch) and (
        schedule is None or send.batch_id is not None
    )


async def test_batches_go_with_every_other_filter(
    batched: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = await history(batched)
    assert {send.batch_id for send in everything} == {FIRST, SECOND, None}
    batches: list[dict[str, str]] = [
        {"batch_id": str(FIRST)},
        {"schedule_id": str(SCHEDULE)},
        {"batch_id": str(SECOND), "schedule_id": str(SCHEDULE)},
    ]
    found_some = 0
    for looked, limit in ((5_000, 200), (7, 4)):
        monkeypatch.setattr(store, "SENDS_LOOKED_AT_MAX", looked)
        for of, *values in product(batches, *(OPTIONS[name] for name in OPTIONS)):
            given = {
                name: value
                for name, value in zip(OPTIONS, values, strict=True)
                if value is not None
            }
            if {"created_from", "created_to"} & given.keys() and len(given) > 2:
                continue
            asked = {**given, **of}
            expected = [s for s in everything if is_meant(s, given) and is_of(s, of)]
            assert ids(await history(batched, limit, **asked)) == ids(expected), asked
            found_some += len(expected) > 0
    assert found_some > 100


@pytest.mark.parametrize(
    "given",
    [
        {"batch_id": str(FOREIGN)},
        {"schedule_id": str(FOREIGN_SCHEDULE)},
        {"batch_id": str(FIRST), "schedule_id": str(FOREIGN_SCHEDULE)},
        {"customer_id": "3", "batch_id": str(FOREIGN)},
        {"recipient": "all@x.example", "schedule_id": str(FOREIGN_SCHEDULE)},
    ],
)
async def test_batches_of_others_have_no_sends_here(
    batched: asyncpg.Connection, given: dict[str, str]
) -> None:
    assert await history(batched, **given) == []


async def test_a_page_of_a_batch_is_read_from_its_index(batched: asyncpg.Connection) -> None:
    await batched.execute("SET enable_seqscan = off")
    for given in ({"batch_id": FIRST}, {"schedule_id": SCHEDULE}):
        text, names = sql.numbered(history_sql.page(HistoryQuery.model_validate(given)))
        values = {"business": 1, "count": 51, "batch": FIRST, "schedule": SCHEDULE}
        query = HistoryQuery()
        values |= {"before": query.cursor.time, "before_id": query.cursor.key}
        values |= {"since": query.cursor.time.replace(year=1970)}
        rows = await batched.fetch(f"EXPLAIN {text}", *(values[name] for name in names))
        plan = "\n".join(row[0] for row in rows)
        assert "sends_by_batch" in plan
        assert "sends_history" not in plan
