from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.api.batches.estimate import HANDOVER_S, Mails, Rates, estimated_seconds, waiting
from tests.examples import examples
from tests.services.api.sends.stored import put, send

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
DOMAINS = ["a.example", "b.example", "c.example"]
RATE = st.none() | st.sampled_from([0.2, 1.0, 3.5, 20.0])
RATES = st.builds(Rates, RATE, RATE, st.integers(1, 5))


def mails(domains: Sequence[str]) -> Mails:
    found = Mails()
    for domain in domains:
        found.add(domain)
    return found


def handed_over(domains: Sequence[str], rates: Rates) -> float:
    """When the last mail is done, if each mail in turn takes the next place of each of its rates.

    Each domain has a line of its own, as mails that wait for a domain let others pass.
    """
    done = 0.0
    for line in (*(each for each in [domains] if rates.smarthost), *_by_domain(domains, rates)):
        apart = 1 / ((rates.domain if line is not domains else rates.smarthost) or inf)
        done = max(done, sum(apart for _ in line))
    free = [0.0] * rates.connections
    for _ in domains:
        free[free.index(min(free))] += HANDOVER_S
    return max(done, *free)


def _by_domain(domains: Sequence[str], rates: Rates) -> list[list[str]]:
    if rates.domain is None:
        return []
    return [[each for each in domains if each == domain] for domain in set(domains)]


@settings(max_examples=examples(60))
@given(st.lists(st.sampled_from(DOMAINS), max_size=40), RATES)
def test_the_slowest_of_rates_and_connections_decides(domains: list[str], rates: Rates) -> None:
    estimated = mails(domains).seconds(rates)
    simulated = handed_over(domains, rates)
    # Connections finish together only if each has as many mails.
    assert estimated <= simulated + 1e-9
    assert simulated - estimated < HANDOVER_S + 1e-9


@pytest.mark.parametrize(
    ("rates", "ahead", "seconds"),
    [
        (Rates(10, None, 10), 0, 30),  # 100 of its own after 200 others
        (Rates(10, None, 10), 5, 25),  # of which 50 are gone when it is due
        (Rates(10, None, 10), 3600, 10),  # or all of them
        (Rates(None, 1, 10), 0, 150),  # half of all mails are to one domain
        (Rates(None, None, 10), 0, 6),
        (Rates(None, None, 1), 0, 60),
        (Rates(7, None, 10), 0, 43),  # rounded up
    ],
)
def test_what_waits_goes_first(rates: Rates, ahead: int, seconds: int) -> None:
    own, before = mails(DOMAINS[:2] * 50), mails(DOMAINS[1:] * 100)
    due = NOW + timedelta(seconds=ahead)
    # 50 of a, 150 of b, 100 of c.
    assert estimated_seconds(own, before, rates, now=NOW, due=due) == seconds


def test_nobody_takes_no_time() -> None:
    assert estimated_seconds(Mails(), Mails(), Rates(1, 1, 1), now=NOW, due=NOW) == 0


async def test_what_waits_is_what_is_open_and_due(ledger: asyncpg.Connection) -> None:
    async def waits(due: str = "2031-01-01") -> Mails:
        async with ledger.transaction():
            return await waiting(ledger, 1, datetime.fromisoformat(due).replace(tzinfo=UTC))

    first = await send(ledger, others=5)
    await send(ledger, at="2030-06-01")
    assert (await waits()).number == 7
    assert (await waits("2030-05-01")).number == 6
    await put(ledger, first, "queued", "sending", "committing", "deferred", "sent", "failed")
    assert (await waits("2030-05-01")).number == 4
    # Three of the four are to x.com.
    assert (await waits("2030-05-01")).seconds(Rates(None, 1, 10)) == 3
    await ledger.execute("UPDATE sends SET business_id = 2")
    await ledger.execute("UPDATE deliveries SET business_id = 2")
    assert (await waits()).number == 0
