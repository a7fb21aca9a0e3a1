"""Each reason has its code, also where a process of an earlier version writes the reason alone."""

import asyncpg
import pytest

from services.mailer.smtp.replies import ReplyReader
from services.mailer.smtp.reply_codes import reason_code
from shared.db import migrate
from shared.deliveries import caller, operator, relay, worker
from shared.deliveries.events import unpublished
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from tests.shared.deliveries.conftest import LEASE, submit

A = "a@x.example"
MIGRATION = "0024_reason_codes.sql"
KNOWN = "SET ledgerpost.reason_codes = 'on'"
CODES = "SELECT reason_code FROM deliveries ORDER BY position"
STATUSES = (
    *("0.0", "1.1", "1.7", "1.8", "1.10", "2.0", "2.1", "2.2", "2.3", "2.252", "3.0", "3.4"),
    *("4.1", "4.5", "5.1", "6.0", "6.7", "7.1", "8.1"),
)
# Sentences of earlier versions, with the reply beside them.
BEFORE = {
    ("refused at RCPT", "550 5.1.1 no such user"): ReasonCode.RECIPIENT_UNKNOWN,
    ("refused at RCPT", "553 5.1.8 your domain"): ReasonCode.SENDER_REFUSED,
    ("put off at RCPT", "452 4.2.2 full"): ReasonCode.MAILBOX_FULL,
    ("refused at the end of the message", "554 5.7.1 spam"): ReasonCode.POLICY_REFUSED,
    ("put off at DATA, while others are accepted", "451 no"): ReasonCode.MESSAGE_REFUSED,
    ("put off at RCPT", "450 no"): ReasonCode.RECIPIENT_REFUSED,
    ("before the gate: no answer in time", None): ReasonCode.SMARTHOST_TIMEOUT,
    ("before the gate: the relay closed the connection", None): ReasonCode.CONNECTION_LOST,
    ("after the end of the message: no answer in time", None): ReasonCode.REPLY_MISSING,
    ("waits for the rate of x.example", None): ReasonCode.RATE_LIMITED,
    ("paused by the operator", None): ReasonCode.PAUSED,
    ("not sent before it expired", None): ReasonCode.EXPIRED,
    ("gave up when it expired: 451 no", None): ReasonCode.ATTEMPTS_EXHAUSTED,
    ("crashed: 6 claims came to no outcome", None): ReasonCode.WORKER_CRASHED,
    ("customer 4 is not in the ledger any more", None): ReasonCode.CUSTOMER_DELETED,
    ("the mail cannot be made: a table is too wide", None): ReasonCode.MAIL_NOT_MAKEABLE,
    ("sent without its PDF: a compositor died of it", "250 ok"): ReasonCode.PDF_MISSING,
    ("nobody knows this sentence", None): ReasonCode.UNCLASSIFIED,
    (None, "250 ok"): None,
}


async def claimed(conn: asyncpg.Connection, emails: list[str]) -> list[Claim]:
    ids = await submit(conn, emails)
    await relay.enqueue(conn, 10, LEASE)
    claims = await worker.claim(conn, ids, LEASE)
    return [claims[each] for each in ids]


@pytest.mark.parametrize(("said", "code"), BEFORE.items(), ids=str)
async def test_a_sentence_of_an_earlier_version_has_a_code(
    conn: asyncpg.Connection, said: tuple[str | None, str | None], code: ReasonCode | None
) -> None:
    assert await conn.fetchval("SELECT reason_code_of($1, $2)", *said) == code


async def test_a_reply_has_the_same_code_from_either_version(conn: asyncpg.Connection) -> None:
    """The database reads the sentences of earlier versions as this version reads replies."""
    replies = [
        f"{code} {status}x".encode()
        for code in (421, 450, 451, 452, 500, 504, 521, 530, 538, 550, 552, 553, 554, 555)
        for status in ("", *(f"{code // 100}.{each} " for each in STATUSES))
    ]
    stages = ("MAIL", "RCPT", "DATA", "the message's text", "the end of the message")
    for text in replies:
        [reply] = ReplyReader().feed(text + b"\r\n")
        verb = "refused" if reply.permanent else "put off"
        for stage in stages:
            said = await conn.fetchval(
                "SELECT reason_code_of($1, $2)", f"{verb} at {stage}", str(reply)
            )
            assert said == reason_code(stage, reply), f"{stage}: {reply}"


async def test_a_worker_that_knows_no_codes_leaves_no_wrong_one(conn: asyncpg.Connection) -> None:
    """A row with a code of ours gets another reason from a process that sets the reason alone."""
    claims = await claimed(conn, [A, "b@x.example", "c@x.example"])
    for claim in claims:
        verdict = Verdict(claim, State.DEFERRED, None, "slow", ReasonCode.SMARTHOST_TIMEOUT)
        await worker.record(conn, [verdict])
    before = "UPDATE deliveries SET state = $2, reason = $3, reply = $4 WHERE id = $1"
    await conn.execute(before, claims[0].id, "failed", "refused at RCPT", "550 5.1.1 no")
    await conn.execute(before, claims[1].id, "cancelled", None, None)
    # The same sentence twice, for two replies.
    await conn.execute(before, claims[2].id, "deferred", "put off at RCPT", "452 4.2.2 full")
    await conn.execute(before, claims[2].id, "deferred", "put off at RCPT", "450 4.7.1 later")
    codes = [row[0] for row in await conn.fetch(CODES)]
    assert codes == ["recipient_unknown", None, "policy_refused"]
    events = {(each.data.state, each.data.reason_code) for each in await unpublished(conn, 99)}
    assert events >= {("failed", "recipient_unknown"), ("cancelled", None)}


async def test_what_knows_codes_may_say_the_same_one_in_other_words(
    conn: asyncpg.Connection,
) -> None:
    await conn.execute(KNOWN)
    [claim] = await claimed(conn, [A])
    for sentence in ("put off at RCPT", "put off at the message's text"):
        verdict = Verdict(claim, State.DEFERRED, "452 no", sentence, ReasonCode.MAILBOX_FULL)
        await conn.execute("UPDATE deliveries SET state = 'sending', lease_until = now()")
        assert await worker.record(conn, [verdict])
        assert await conn.fetchval(CODES) == "mailbox_full"
    last = (await unpublished(conn, 99))[-1].data
    assert (last.reason, last.reason_code) == ("put off at the message's text", "mailbox_full")


async def test_a_suppression_without_a_code_gets_one(conn: asyncpg.Connection) -> None:
    reasons = {
        "a@x.example": ("550 5.1.1 nobody", "suppressed_recipient_unknown"),
        "b@x.example": ("unsubscribed by the link in a mail", "suppressed_unsubscribed"),
        "c@x.example": ("left the company", "suppressed_by_business"),
    }
    for email, (reason, _) in reasons.items():
        await conn.execute("INSERT INTO suppressions VALUES (1, $1, $2)", email, reason)
    ids = await submit(conn, list(reasons))
    assert (await relay.enqueue(conn, 10, LEASE)).queued == []
    rows = await conn.fetch("SELECT id, email, state, reason, reason_code FROM deliveries")
    assert {row["id"] for row in rows} == set(ids)
    assert {row["email"]: (row["reason"], row["reason_code"]) for row in rows} == reasons


async def test_who_cancels_says_so(conn: asyncpg.Connection) -> None:
    [first] = await submit(conn, [A])
    [second] = await submit(conn, [A])
    send = await conn.fetchval("SELECT send_id FROM deliveries WHERE id = $1", first)
    assert await caller.cancel(conn, 1, send) == 1
    assert await operator.cancel(conn, [first, second]) == 1
    rows = await conn.fetch("SELECT reason, reason_code FROM deliveries ORDER BY reason")
    assert [tuple(row) for row in rows] == [
        ("cancelled by the operator", "cancelled"),
        ("cancelled on request", "cancelled"),
    ]


async def test_rows_of_before_get_their_codes(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = migrate.migrations()
    before = {name: text for name, text in everything.items() if name < MIGRATION}
    monkeypatch.setattr(migrate, "migrations", lambda: before)
    await migrate.migrate(empty)
    conn = await asyncpg.connect(empty)
    ids = await submit(conn, [f"r{number}@x.example" for number in range(len(BEFORE) + 1)])
    for delivery, (reason, reply) in zip(ids, BEFORE, strict=False):
        await conn.execute(
            "UPDATE deliveries SET state = 'failed', reason = $2, reply = $3 WHERE id = $1",
            *(delivery, reason, reply),
        )
    await conn.execute(
        "UPDATE deliveries SET state = 'suppressed', reason = 'left us' WHERE id = $1", ids[-1]
    )
    await conn.execute(
        """UPDATE sends SET skipped = '[{"email": "x", "reason": "malformed: has no @"}]'"""
    )
    await conn.execute("INSERT INTO suppressions VALUES (1, 'a@x.example', 'left us')")
    events = await conn.fetchval("SELECT count(*) FROM delivery_events")
    monkeypatch.setattr(migrate, "migrations", lambda: everything)
    await migrate.migrate(empty)
    codes = [row[0] for row in await conn.fetch(CODES)]
    assert codes == [*BEFORE.values(), "suppressed_by_business"]
    skipped = await conn.fetchval("SELECT skipped -> 0 ->> 'reason_code' FROM sends")
    assert skipped == "recipient_malformed"
    assert await conn.fetchval("SELECT reason_code FROM suppressions") == "suppressed_by_business"
    assert await conn.fetchval("SELECT count(*) FROM delivery_events") == events
    told = {each.data.reason_code for each in await unpublished(conn, 99)}
    assert told == {*BEFORE.values(), "suppressed_by_business"}
    await conn.close()
