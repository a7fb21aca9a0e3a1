"""A batch is cancelled while its mails go out."""

import asyncio

from tests.journeys.conftest import System, soon
from tests.journeys.test_batch_journey import get

_SEND = "/api/v3/reports/customers/transactions/send?from=2024-11-01&to=2024-11-30"
_OURS = {"filter": {"q": "Batched"}, "skip_empty": False}
_CUSTOMERS = """
INSERT INTO customers (business_id, id, owner_id, business_name, business_email)
SELECT 1, 1000 + n, 1, 'Batched ' || n, 'b' || n || '@x.example' FROM generate_series(1, 400) n
"""
_CONNECTIONS = 4


def recipients(system: System) -> list[str]:
    return [mail.recipient for mail in system.judge.accepted]


async def test_after_a_cancel_each_connection_ends_at_most_one_hand_over(system: System) -> None:
    await system.db.execute(_CUSTOMERS)
    mailer = system.mailer(attach_pdf="off", mailer_concurrency=_CONNECTIONS)
    async with system.relay(), mailer:
        async with system.http.post(_SEND, json=_OURS) as response:
            assert response.status == 202
            batch = await response.json()

        async def some() -> bool:
            return len(recipients(system)) >= 40

        await soon(some, 60)
        async with system.http.post(batch["links"]["cancel"]) as response:
            accepted = len(recipients(system))
            assert response.status == 200
        await asyncio.sleep(2)
        assert len(recipients(system)) <= accepted + _CONNECTIONS
    seen = await get(system, batch["links"]["self"])

    assert seen["status"] == "cancelled"
    assert seen["counts"].keys() == {"sent", "cancelled"}
    assert seen["counts"]["sent"] == len(set(recipients(system))) == len(recipients(system))
    # Customers that waited got no mail that could be cancelled.
    assert sum(seen["counts"].values()) == seen["progress"]["sends"]
