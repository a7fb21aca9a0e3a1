"""What comes back about the mails of a batch counts there, and decides who is mailed next time."""

from typing import Any
from uuid import UUID

import asyncpg

from shared.mail.return_path import ReturnPaths
from shared.returns import intake
from shared.returns.intake import Incoming
from tests.services.api.batches.calls import expanded, get, post
from tests.services.api.returns.posts import COMPLAINT, DOMAIN, FULL, GONE, SECRET
from tests.services.api.sends.calls import Client
from tests.services.api.sends.conftest import api, key, ledger

__all__ = ["api", "key", "ledger"]

PATHS = ReturnPaths(SECRET, DOMAIN)
ESI = "esi@customers.example.com"
AGAIN = """
INSERT INTO customers (business_id, id, owner_id, business_name, business_email, archived)
    VALUES (1, 44, 1, 'Ɛsi again', 'ESI@customers.example.com', 0)
"""


async def mailed(api: Client, ledger: asyncpg.Connection, *customers: int) -> Any:
    """Make a batch to these customers whose mails are handed over, and return it."""
    body = {"skip_empty": False, "filter": {"id": list(customers)}}
    response, batch = await post(api, body)
    assert response.status == 202, batch
    await expanded(ledger, batch["id"])
    await ledger.execute(
        "UPDATE deliveries SET state = 'sent', sent_at = now() WHERE state = 'scheduled'"
    )
    return await get(api, batch["links"]["self"])


async def came(ledger: asyncpg.Connection, raw: bytes, email: str) -> None:
    """Take a returned mail in about the mail to an address."""
    delivery: UUID = await ledger.fetchval("SELECT id FROM deliveries WHERE email = $1", email)
    address = PATHS.address(delivery)
    found = await intake.match(ledger, address, PATHS)
    await intake.take(ledger, Incoming(raw, "smtp", address), found)


async def test_a_batch_counts_what_bounced_and_what_was_complained_of(
    api: Client, ledger: asyncpg.Connection
) -> None:
    batch = await mailed(api, ledger, 4, 6)
    assert batch["counts"] == {"sent": 2}
    await came(ledger, FULL, ESI)
    batch = await get(api, batch["links"]["self"])
    assert batch["counts"] == {"bounced": 1, "sent": 1}
    await came(ledger, COMPLAINT, "Gone@Customers.example.com")
    batch = await get(api, batch["links"]["self"])
    assert batch["counts"] == {"bounced": 1, "complained": 1}
    assert batch["progress"] == {"customers": 2, "expanded": 2, "sends": 2, "finished": 2}


async def test_a_customer_who_is_made_again_with_the_same_address_stays_suppressed(
    api: Client, ledger: asyncpg.Connection
) -> None:
    await mailed(api, ledger, 4)
    await came(ledger, GONE, ESI)
    await ledger.execute("DELETE FROM customers WHERE business_id = 1 AND id = 4")
    await ledger.execute(AGAIN)
    batch = await mailed(api, ledger, 44)
    assert (batch["counts"], sum(batch["skipped"].values())) == ({}, 1)


async def test_a_new_address_of_a_customer_is_mailed(
    api: Client, ledger: asyncpg.Connection
) -> None:
    await mailed(api, ledger, 4)
    await came(ledger, GONE, ESI)
    assert (await mailed(api, ledger, 4))["counts"] == {}
    await ledger.execute(
        "UPDATE customers SET business_email = 'new@customers.example.com'"
        " WHERE business_id = 1 AND id = 4"
    )
    assert (await mailed(api, ledger, 4))["counts"] == {"sent": 1}
