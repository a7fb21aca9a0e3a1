"""The register of the faults: one case each, or several where a fault has several sides."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.neighbours import Neighbours
from tests.faults.outcomes import Outcome
from tests.faults.world import World

Run = Callable[[World, Random], Awaitable[None]]


class Missing(RuntimeError):
    """This machine lacks what a case needs."""


@dataclass(frozen=True)
class Case:
    """One fault to provoke; `breaks_broker` where it kills, wipes or starves RabbitMQ itself."""

    name: str
    run: Run
    breaks_broker: bool = False

    async def play(
        self, neighbours: Neighbours, folder: Path, rng: Random, *, full: bool
    ) -> Outcome:
        """Provoke it once on a system of its own, and return what became of the mails."""
        async with World(neighbours, folder, full=full) as world:
            await self.run(world, rng)
            outcome = await world.finish()
            assert outcome.due, "the case proves nothing"
            return outcome


CASES: dict[str, Case] = {}


def fault(name: str, *, breaks_broker: bool = False) -> Callable[[Run], Run]:
    """Register a case under `fault-NN` with a word for its side of the fault."""

    def register(run: Run) -> Run:
        assert name not in CASES
        CASES[name] = Case(name, run, breaks_broker)
        return run

    return register
