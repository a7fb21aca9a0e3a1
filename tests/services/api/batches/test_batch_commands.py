"""The commands about batches."""

import asyncpg

from services.api.core.uuid7 import uuid7
from tests.services.api.batches.calls import expanded
from tests.services.api.batches.requests import accepted
from tests.services.api.command import run


async def test_batches_are_shown(database: str, ledger: asyncpg.Connection) -> None:
    nothing = await run("batches", DATABASE_URL=database)
    assert nothing.out == "there is no such batch\n"

    batch = await accepted(ledger, skip_empty=False)
    await expanded(ledger, batch.id)
    await ledger.execute(
        "UPDATE deliveries SET state = 'sent', sent_at = now() WHERE email_key LIKE 'esi%'"
    )
    other = await accepted(ledger, business=2, filter={"id": 4}, send_at="2030-01-01")
    await ledger.execute("INSERT INTO pauses (business_id) VALUES (2)")
    await ledger.execute(
        "UPDATE batches SET reason = E'why\\tnot', reason_code = 'unclassified' WHERE id = $1",
        other.id,
    )

    shown = await run("batches", DATABASE_URL=database)
    heads, first, second = shown.out.splitlines()
    assert heads.split()[:3] == ["id", "business", "status"]
    assert first.split()[:4] == [str(other.id), "2", "scheduled", "(paused)"]
    assert first.split()[5:] == ["2030-01-01T05:00:00Z", "1", "0", "0", "0", "why\\tnot"]
    assert second.split()[:3] == [str(batch.id), "1", "sending"]
    assert second.split()[5:] == ["5", "2", "3", "1", "-"]

    ours = await run("batches", "--business", "1", DATABASE_URL=database)
    assert [line.split() for line in ours.out.splitlines()[1:]] == [second.split()]
    due = await run("batches", "--status", "scheduled", DATABASE_URL=database)
    assert [line.split()[0] for line in due.out.splitlines()[1:]] == [str(other.id)]
    few = await run("batches", "--most", "1", DATABASE_URL=database)
    assert len(few.out.splitlines()) == 2


async def test_a_batch_is_cancelled(database: str, ledger: asyncpg.Connection) -> None:
    batch = await accepted(ledger, skip_empty=False)
    await expanded(ledger, batch.id)
    done = await run("batches", "cancel", str(batch.id), DATABASE_URL=database)
    assert (done.status, done.out) == (0, "cancelled: 2 cancelled\n")

    await ledger.execute("UPDATE batches SET phase = 'done'")
    over = await run("batches", "cancel", str(batch.id), DATABASE_URL=database)
    assert (over.status, over.err) == (
        1,
        "Error: Nothing of this batch can be cancelled any more.\n",
    )
    unknown = await run("batches", "cancel", str(uuid7()), DATABASE_URL=database)
    assert (unknown.status, unknown.err) == (1, "Error: There is no such batch.\n")
