"""Each fault once, with fixed seeds; `python -m tests.faults` repeats them with others.

`make test` leaves out variants that differ little from others; `make long` runs these.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from _pytest.mark import ParameterSet

from tests.faults.cases import Case, Missing
from tests.faults.neighbours import Neighbours
from tests.faults.outcomes import Outcome
from tests.faults.rounds import Round
from tests.faults.suite import CASES, LONG
from tests.servers import absent

_IN_ORDER = sorted(CASES.values(), key=lambda case: case.breaks is not None)


def _param(case: Case) -> ParameterSet:
    return pytest.param(case, id=case.name, marks=[pytest.mark.long] if case.name in LONG else [])


@pytest.fixture(scope="session")
async def played(
    request: pytest.FixtureRequest,
    neighbours: Neighbours,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, asyncio.Task[Outcome]]]:
    """All cases of this session run in parallel; each test waits for its own."""
    folder: Path = tmp_path_factory.mktemp("faults")

    async def play(case: Case) -> Outcome:
        place = folder / case.name
        place.mkdir()
        return await case.play(neighbours, place, Random(case.name), full=False)

    asked = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    cases = [each["case"] for each in asked if isinstance(each.get("case"), Case)]
    playable = [c for c in cases if neighbours.owns_the_broker or c.breaks != "broker"]
    async with Round(playable, play, neighbours.width(full=False)) as at_work:
        yield at_work.played


@pytest.mark.parametrize("case", [*map(_param, _IN_ORDER)])
async def test_nothing_is_lost_or_mailed_twice(
    case: Case, played: dict[str, asyncio.Task[Outcome]]
) -> None:
    if case.name not in played:
        pytest.skip("FAULTS_AMQP_URL names a broker that is not ours to break")
    try:
        outcome = await played[case.name]
    except Missing as reason:
        absent(str(reason))
    assert not outcome.broken(), outcome
