from itertools import combinations_with_replacement
from typing import get_args
from uuid import UUID

import asyncpg

from services.api.core.paging import uuid_cursor
from services.api.core.parsing import parse
from services.api.core.uuid7 import uuid7
from services.api.sends import store
from services.api.sends.history import HistoryQuery
from services.api.sends.send import Send, Status
from shared.deliveries.states import OPEN, State
from tests.services.api.sends.stored import put, send


async def history(conn: asyncpg.Connection, **given: str) -> list[UUID]:
    page = await store.page(conn, 1, parse(HistoryQuery, given))
    return [each.id for each in page.data]


def expected(states: tuple[State, ...]) -> Status:
    if any(state in OPEN for state in states):
        return "scheduled" if set(states) == {State.SCHEDULED} else "sending"
    if set(states) == {State.SENT}:
        return "sent"
    if set(states) == {State.CANCELLED}:
        return "cancelled"
    return "partly_failed" if {State.SENT, State.IN_DOUBT} & set(states) else "failed"


async def test_the_status_follows_from_the_states_of_all_recipients(
    ledger: asyncpg.Connection,
) -> None:
    by_status: dict[str, set[UUID]] = {status: set() for status in get_args(Status)}
    for states in combinations_with_replacement(State, 2):
        send_id = await send(ledger, others=1, at="2030-01-01")
        await put(ledger, send_id, *states)
        shown = await store.one(ledger, 1, send_id)
        assert shown.status == expected(states), states
        by_status[shown.status].add(send_id)
    for status, ids in by_status.items():
        assert ids
        assert set(await history(ledger, status=status, limit="200")) == ids


async def test_what_is_due_is_no_longer_scheduled(ledger: asyncpg.Connection) -> None:
    send_id = await send(ledger, at="2030-01-01")
    assert (await store.one(ledger, 1, send_id)).status == "scheduled"
    await ledger.execute("UPDATE deliveries SET due_at = now()")
    await ledger.execute("UPDATE sends SET send_at = now()")
    assert (await store.one(ledger, 1, send_id)).status == "sending"


async def test_a_recipient_is_shown_as_it_stands(ledger: asyncpg.Connection) -> None:
    send_id = await send(ledger, others=24)
    await put(ledger, send_id, *State)
    await ledger.execute("UPDATE deliveries SET attempts = 2, reply = '250 ok', reason = 'x'")
    await ledger.execute(
        """WITH kept AS (INSERT INTO statements VALUES (1, sha256('x'), '{}') RETURNING sha256)
           UPDATE sends SET statement_sha256 = kept.sha256 FROM kept"""
    )
    rows = await ledger.fetch("SELECT * FROM deliveries ORDER BY position")
    shown = await store.one(ledger, 1, send_id)
    assert shown.statement_sha256 == (
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    )
    assert len(rows) == len(shown.recipients) == 25
    for row, recipient in zip(rows, shown.recipients, strict=True):
        waits = row["state"] in (State.SCHEDULED, State.DEFERRED)
        assert recipient.model_dump() == {
            "id": row["id"],
            "email": row["email"],
            "state": "sending" if row["state"] == State.COMMITTING else row["state"],
            "attempts": 2,
            "reply": "250 ok",
            "reason": "x",
            "reason_code": (
                "suppressed_by_business" if row["state"] == State.SUPPRESSED else "unclassified"
            ),
            "next_attempt_at": shown_time(shown) if waits else None,
            "sent_at": recipient.model_dump()["sent_at"],
            "updated_at": shown_time(shown),
        }
        assert recipient.sent_at == row["sent_at"]


def shown_time(send: Send) -> str:
    text: str = send.model_dump()["created_at"]
    assert text.endswith("Z")
    return text


async def test_the_history_is_newest_first_and_by_customer(ledger: asyncpg.Connection) -> None:
    ids = [await send(ledger, customer=4 if number % 2 else 6) for number in range(6)]
    assert await history(ledger) == ids[::-1]
    assert await history(ledger, customer_id="4") == ids[5::-2]
    assert await history(ledger, customer_id="99") == []
    assert (await store.page(ledger, 2, HistoryQuery())).data == ()


async def test_pages_stay_the_same_while_others_send(ledger: asyncpg.Connection) -> None:
    async with ledger.transaction():
        ids = [await send(ledger) for _ in range(5)]  # all of one time
    older = sorted(ids, reverse=True)
    seen: list[UUID] = []
    query = HistoryQuery(limit=2)
    for size in (2, 2, 1):
        page = await store.page(ledger, 1, query)
        await send(ledger) if seen else None
        seen += [each.id for each in page.data]
        assert len(page.data) == size
        if page.next_cursor is not None:
            query = parse(HistoryQuery, {"limit": "2", "cursor": page.next_cursor})
    assert page.next_cursor is None
    assert seen == older


async def test_a_full_last_page_has_no_next(ledger: asyncpg.Connection) -> None:
    for _ in range(2):
        await send(ledger)
    assert (await store.page(ledger, 1, HistoryQuery(limit=2))).next_cursor is None


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = uuid_cursor("A" * 32)
    assert uuid_cursor(str(cursor)) == cursor
    assert str(cursor) == "A" * 32


def test_ids_are_of_version_7_and_grow_with_time() -> None:
    first, *others = [uuid7() for _ in range(1000)]
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert len({first, *others}) == 1000
    milliseconds = [each.int >> 80 for each in (first, *others)]
    assert milliseconds == sorted(milliseconds)
