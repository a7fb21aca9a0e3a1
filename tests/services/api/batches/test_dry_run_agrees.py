"""On random ledgers a dry run and the batch agree, and a list mails nobody who has changed.

Who has changed is told by a model of its own: it reads addresses and suppressions from the tables.
"""

from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

from services.api.batches.accept import accept
from services.api.batches.dry_run import dry_run
from services.api.batches.planned import DryRun
from services.api.batches.request import BatchBody, BatchRequest
from services.api.core.parsing import parse
from services.api.core.refusals import InvalidInput
from shared.period import Period
from tests.examples import examples
from tests.services.api.batches.expanding import skipped
from tests.services.api.batches.requests import TERMS
from tests.services.api.batches.trying import (
    RATES,
    expand_all,
    mailed,
    planned_mails,
    planned_skips,
)
from tests.services.api.views.random_ledgers import CENTRE, IDS, Writer

STORED = [
    None, "", "call me", "a@x.com", "B@x.com", "b@X.com ; a@x.com", "c@y.com,c@Y.COM",
    "d@z.com; nonsense", "Ä@example.com", "e@y.com", "f@y.com",
]  # fmt: skip
KEYS = ["a@x.com", "b@x.com", "c@y.com", "d@z.com", "ä@example.com", "e@y.com", "o@other.com"]
BUSINESS = [None, "owner@one.com", "a@x.com", "owner@one.com, second@one.com", "nobody"]


async def stir(conn: asyncpg.Connection, random: Random, changes: int) -> None:
    """Change addresses and suppressions."""
    for _ in range(changes):
        await conn.execute(
            "UPDATE customers SET business_email = $1 WHERE business_id = 1 AND id = $2",
            random.choice(STORED),
            random.choice(IDS["customers"]),
        )
        key = random.choice(KEYS)
        if random.random() < 0.5:
            await conn.execute("DELETE FROM suppressions WHERE email_key = $1", key)
        else:
            await conn.execute(
                "INSERT INTO suppressions (business_id, email_key, reason) VALUES ($1, $2, 'gone')"
                " ON CONFLICT DO NOTHING",
                random.choice([1, 1, 2]),
                key,
            )
    if random.random() < 0.3:
        await conn.execute("UPDATE businesses SET email = $1", random.choice(BUSINESS))


def asked(random: Random) -> dict[str, Any]:
    return {
        "filter": random.choice(
            [{}, {}, {"archived": False}, {"id": random.sample(IDS["customers"], 5)},
             {"min_balance": "0.01"}, {"active": True}, {"category_id": [1, 7]}]
        ),
        "skip_empty": random.choice([True, True, False]),
        "min_balance": random.choice([None, None, "0", "50", "-100"]),
        "other_emails": random.choice([[], [], ["o@other.com"], ["e@y.com", "O@other.com"]]),
        "copy_to_me": random.random() < 0.3,
        "statement_kind": random.choice([None, "open-items", "activity-with-open-items"]),
    }  # fmt: skip


async def now_receiving(conn: asyncpg.Connection, body: dict[str, Any]) -> dict[int, list[str]]:
    """The folded addresses that each customer would be mailed at, by the tables alone."""
    gone = {
        row["email_key"]
        for row in await conn.fetch("SELECT email_key FROM suppressions WHERE business_id = 1")
    }
    business = await conn.fetchval("SELECT email FROM businesses WHERE id = 1")
    copies = _read(business, gone) if body["copy_to_me"] else []
    others = [each.lower() for each in body["other_emails"] if each.lower() not in gone]
    rows = await conn.fetch("SELECT id, business_email FROM customers WHERE business_id = 1")
    own = {row["id"]: _read(row["business_email"], gone) for row in rows}
    return {
        customer: list(dict.fromkeys([*addresses, *others, *copies]))
        for customer, addresses in own.items()
        if addresses
    }


def _read(stored: str | None, gone: set[str]) -> list[str]:
    parts = (stored or "").replace(";", ",").split(",")
    keys = [part.strip().lower() for part in parts if "@" in part]
    return [each for each in dict.fromkeys(keys) if each not in gone]


async def expect_agreement(conn: asyncpg.Connection, shown: DryRun, request: BatchRequest) -> None:
    batch = (await accept(conn, 1, request, TERMS)).id
    await expand_all(conn, TERMS)
    sent, left_out = await mailed(conn, batch), await skipped(conn, batch)
    assert sent == planned_mails(shown)
    assert left_out == planned_skips(shown)
    assert shown.customers == len(sent) + len(left_out)
    assert shown.recipients == sum(len(each) for each in sent.values())
    assert sum(shown.skipped.values()) == len(left_out)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(examples(12)))
async def test_what_was_shown_is_what_is_sent(database: str, seed: int) -> None:
    conn, random = await asyncpg.connect(database), Random(seed)
    writer = Writer(conn, seed)
    await writer.begin()
    await stir(conn, random, 12)
    agreed = 0
    for _ in range(6):
        start = CENTRE + timedelta(random.choice([-400, -91, -30, 0]))
        period = Period(start, start + timedelta(random.choice([0, 30, 500])))
        agreed += await one_round(conn, writer, random, period)
    await conn.close()
    assert agreed


async def one_round(
    conn: asyncpg.Connection, writer: Writer, random: Random, period: Period
) -> bool:
    """Try, carry out, change the ledger, and carry out the list; return whether there was one."""
    body = asked(random)
    request = BatchRequest.of(period, parse(BatchBody, body))
    try:
        shown = await dry_run(conn, 1, request, TERMS, RATES)
    except InvalidInput as refused:
        with pytest.raises(InvalidInput, match=str(refused)):
            await accept(conn, 1, request, TERMS)
        return False
    receiving = await now_receiving(conn, body)
    assert all(_keys(to) == receiving[each] for each, to in planned_mails(shown).items())
    await expect_agreement(conn, shown, request)
    if shown.frozen_list is None:
        assert not shown.recipients
        return False
    await writer.edit(8)
    await stir(conn, random, 4)
    named = parse(BatchBody, {**body, "frozen_list": str(shown.frozen_list.id)})
    request = BatchRequest.of(period, named)
    then = await dry_run(conn, 1, request, TERMS, RATES)
    receiving = await now_receiving(conn, body)
    listed = {each: _keys(to) for each, to in planned_mails(shown).items()}
    # In whatever order.
    changed = {each for each, to in listed.items() if set(receiving.get(each, ())) != set(to)}
    codes = planned_skips(then)
    assert {each for each, code in codes.items() if code == "audience_changed"} == changed
    assert {*codes, *planned_mails(then)} == set(listed)
    assert all({*_keys(to)} == {*listed[each]} for each, to in planned_mails(then).items())
    await expect_agreement(conn, then, request)
    return True


def _keys(addresses: list[str]) -> list[str]:
    return [each.lower() for each in addresses]
