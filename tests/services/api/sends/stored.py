"""Stores sends in the states that tests need."""

from datetime import date, timedelta
from uuid import UUID

import asyncpg

from services.api.core.parsing import parse
from services.api.sends.accept import accept
from services.api.sends.request import SendBody, SendRequest
from services.api.sends.terms import Terms
from shared.deliveries.states import State
from shared.period import Period

PERIOD = Period(date(2024, 11, 1), date(2024, 11, 30))
TERMS = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=5_000)


async def send(
    conn: asyncpg.Connection, customer: int = 4, others: int = 0, at: str | None = None
) -> UUID:
    body = {"other_emails": [f"a{number}@x.com" for number in range(others)], "send_at": at}
    asked = SendRequest.of(customer, PERIOD, parse(SendBody, body))
    return (await accept(conn, 1, asked, TERMS)).send_id


async def put(conn: asyncpg.Connection, send_id: UUID, *states: State) -> None:
    for position, state in enumerate(states, start=1):
        await conn.execute(
            """UPDATE deliveries SET state = $3, lease_until = now(),
                   sent_at = CASE $3 WHEN 'sent' THEN now() END
               WHERE send_id = $1 AND position = $2""",
            send_id,
            position,
            state,
        )
