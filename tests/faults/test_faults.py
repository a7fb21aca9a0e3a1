"""Each fault once, with fixed seeds; `python -m tests.faults` repeats them with others."""

from pathlib import Path
from random import Random

import pytest

from tests.faults.cases import Case, Missing
from tests.faults.neighbours import Neighbours
from tests.faults.suite import CASES
from tests.servers import absent


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
async def test_nothing_is_lost_or_mailed_twice(
    case: Case, neighbours: Neighbours, tmp_path: Path
) -> None:
    if case.breaks_broker and not neighbours.owns_the_broker:
        pytest.skip("FAULTS_AMQP_URL names a broker that is not ours to break")
    try:
        outcome = await case.play(neighbours, tmp_path, Random(case.name), full=False)
    except Missing as reason:
        absent(str(reason))
    assert not outcome.broken(), outcome
