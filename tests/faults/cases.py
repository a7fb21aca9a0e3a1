"""The register of the faults: one case for each variant of a fault."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal

from tests.faults.neighbours import Neighbours
from tests.faults.outcomes import Outcome
from tests.faults.world import World

Run = Callable[..., Awaitable[None]]


class Missing(RuntimeError):
    """This machine lacks a program that a case needs."""


@dataclass(frozen=True)
class Case:
    """One fault to provoke; `breaks` is the server that no other case can use meanwhile."""

    name: str
    run: Run
    breaks: Literal["broker", "postgres"] | None

    async def play(
        self, neighbours: Neighbours, folder: Path, rng: Random, *, full: bool
    ) -> Outcome:
        """Provoke the fault once on a separate system, and return the outcomes of the mails."""
        alone = self.breaks is not None
        async with World(neighbours, folder, self.name, alone=alone, full=full) as world:
            await self.run(world, rng)
            outcome = await world.finish()
            assert outcome.due, "the case proves nothing"
            return outcome


CASES: dict[str, Case] = {}


def fault(
    name: str, *variants: str, breaks: Literal["broker", "postgres"] | None = None
) -> Callable[[Run], Run]:
    """Register a case under `fault-NN` with a word for its variant.

    With `variants`, there is a case for each; the last argument is the variant.
    """

    def register(run: Run) -> Run:
        runs: dict[str, Any] = {f"{name}-{each}": partial(run, variant=each) for each in variants}
        for title, one in (runs or {name: run}).items():
            assert title not in CASES
            CASES[title] = Case(title, one, breaks)
        return run

    return register
