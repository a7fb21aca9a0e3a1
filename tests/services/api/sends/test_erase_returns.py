"""Erasing removes what came back of a person's mails, and returned mail that names the person."""

import asyncpg
import pytest

from shared.mail.return_path import ReturnPaths
from shared.returns import intake
from shared.returns.intake import Incoming
from tests.services.api.command import run
from tests.services.api.sends.stored import send
from tests.shared.returns.mails import failure, feedback, letter, report

PATHS = ReturnPaths("a secret of the tests, long enough", "bounces.example")
PERSON = "esi@customers.example.com"
CUSTOMER, ADDRESS = ("--customer", "4"), ("--address", PERSON)
# Names the person in another case, and broken by a soft line break of quoted-printable.
HIDDEN = letter("Re: Statement", "Write to Esi@Cust=\r\nomers.example.com instead.")


async def came(conn: asyncpg.Connection, raw: bytes, customer: int) -> None:
    """Take in what came back of the mail of a customer."""
    delivery = await conn.fetchval(
        "SELECT d.id FROM deliveries d JOIN sends s ON s.id = send_id WHERE customer_id = $1",
        customer,
    )
    found = await intake.match(conn, PATHS.address(delivery), PATHS)
    assert found is not None
    await intake.take(conn, Incoming(raw, "smtp", PATHS.address(delivery)), found)


async def begin(ledger: asyncpg.Connection) -> None:
    """Send mails to the person and to somebody else, of which something came back."""
    await send(ledger, 4)
    await send(ledger, 6)
    await ledger.execute("UPDATE deliveries SET state = 'sent', sent_at = now()")
    gone = failure("5.1.1", f"550 5.1.1 <{PERSON}>: user unknown")
    await came(ledger, report(gone), 4)
    await came(ledger, feedback("Feedback-Type: abuse"), 6)
    await came(ledger, HIDDEN, 6)
    await ledger.execute("UPDATE delivery_events SET published_at = now()")


async def erase(database: str, *whom: str) -> str:
    erased = await run("erase", "--business", "1", *whom, "--yes", DATABASE_URL=database)
    assert erased.status == 0, erased.err
    return erased.out


async def text(conn: asyncpg.Connection) -> str:
    """Return all that is kept of returned mail, in lower case and without line breaks."""
    kept = await conn.fetchval(
        "SELECT concat((SELECT string_agg(r::text, '') FROM returns r),"
        " (SELECT string_agg(l::text, '') FROM lifted_suppressions l),"
        " (SELECT string_agg(encode(raw, 'escape'), '') FROM returned_mails))"
    )
    return str(kept).lower().replace("=\r\n", "")


@pytest.mark.parametrize("whom", [CUSTOMER, ADDRESS])
async def test_nothing_that_came_back_names_the_person_afterwards(
    ledger: asyncpg.Connection, database: str, whom: tuple[str, ...]
) -> None:
    await begin(ledger)
    assert PERSON in await text(ledger)
    await ledger.execute(
        "INSERT INTO lifted_suppressions (business_id, email_key, reason, reason_code,"
        " suppressed_at, lifted_by) SELECT business, $1, 'gone', 'suppressed_bounced', now(), 'ann'"
        " FROM unnest(ARRAY[1, 2]) business",
        PERSON,
    )
    # The one of her own, the mail that names her, and the note of her suppression.
    assert "returns: 3\n" in await erase(database, *whom)
    assert (await text(ledger)).count(PERSON) == 1  # the note of business 2
    # What somebody else's mails said stays.
    kinds = await ledger.fetch("SELECT kind FROM returns ORDER BY received_at")
    assert [row["kind"] for row in kinds] == ["complaint", "unknown"]
    assert await ledger.fetchval("SELECT count(*) FROM returned_mails") == 1


@pytest.mark.parametrize(("business", "count"), [(1, 0), (None, 0), (2, 1)])
async def test_what_matches_no_mail_goes_if_it_names_the_person(
    ledger: asyncpg.Connection, database: str, business: int | None, count: int
) -> None:
    await send(ledger, 4)
    await ledger.execute("UPDATE deliveries SET state = 'sent', sent_at = now()")
    await ledger.execute("UPDATE delivery_events SET published_at = now()")
    for raw in (HIDDEN, letter("Hello", "from somebody else")):
        await intake.take(ledger, Incoming(raw, "maildir", None, business), None)
    await erase(database, *ADDRESS)
    assert (await text(ledger)).count(PERSON) == count
    assert await ledger.fetchval("SELECT count(*) FROM returns") == 1 + count


async def test_what_comes_back_later_is_not_taken(
    ledger: asyncpg.Connection, database: str
) -> None:
    await begin(ledger)
    mine = await ledger.fetchval("SELECT id FROM deliveries WHERE email = $1", PERSON)
    assert await intake.match(ledger, PATHS.address(mine), PATHS) is not None
    await erase(database, *CUSTOMER)
    assert await intake.match(ledger, PATHS.address(mine), PATHS) is None
