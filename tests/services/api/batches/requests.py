"""Requests for batches, as callers of the code beneath HTTP make them."""

from datetime import date, timedelta
from typing import Any

import asyncpg

from services.api.batches.accept import accept
from services.api.batches.model import Batch
from services.api.batches.request import BatchBody, BatchRequest
from services.api.core.parsing import parse
from services.api.sends.terms import Terms
from shared.period import Period

PERIOD = Period(date(2024, 11, 1), date(2024, 11, 30))
TERMS = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=5_000)


def wanted(**body: Any) -> BatchRequest:
    return BatchRequest.of(PERIOD, parse(BatchBody, body))


async def accepted(
    conn: asyncpg.Connection, terms: Terms = TERMS, business: int = 1, **body: Any
) -> Batch:
    return await accept(conn, business, wanted(**body), terms)
