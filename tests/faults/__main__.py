"""Repeats the faults in random order with random parameters, and counts the outcomes of mails."""

import argparse
import asyncio
import os
import random
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import tests.faults.cluster_faults  # noqa: F401  # `make test` has no time for these
from shared.process import logs
from shared.process.settings import Settings
from tests.faults.cases import Case, Missing
from tests.faults.neighbours import Neighbours, sweep_away
from tests.faults.outcomes import Outcome
from tests.faults.processes import Child
from tests.faults.rounds import Round
from tests.faults.suite import CASES

_HEADER = ("case", "runs", "mails due", "accepted", "in doubt", "duplicated", "lost")


@dataclass
class Tally:
    """The outcome of all runs of one case."""

    runs: int = 0
    total: Outcome = field(default_factory=Outcome)
    broken: list[str] = field(default_factory=list)

    def row(self, name: str) -> tuple[str, ...]:
        """The case's line of the table; doubts as injected, seen."""
        sums = self.total
        doubts = f"{sums.injected}, {sums.in_doubt}"
        figures = (self.runs, sums.due, sums.accepted, doubts, sums.duplicated, sums.lost)
        return (name, *map(str, figures))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _once(case: Case, neighbours: Neighbours, seed: str, tally: Tally) -> None:
    began = time.monotonic()
    with TemporaryDirectory(prefix="ledgerpost-fault-") as folder:
        try:
            outcome = await case.play(neighbours, Path(folder), random.Random(seed), full=True)
        except Missing as reason:
            _say(f"{case.name}: left out: {reason}")
            return
        except Exception as error:  # noqa: BLE001 - one broken run must not end the others
            traceback.print_exc()
            outcome = Outcome(wrong=[f"{type(error).__name__}: {error}"])
    tally.runs += 1
    tally.total.add(outcome)
    tally.broken += [f"--only {case.name} --seed {seed}: {each}" for each in outcome.broken()]
    verdict = "; ".join(outcome.broken()) or "ok"
    _say(f"{case.name} seed {seed}: {time.monotonic() - began:.0f} s: {verdict}")


async def _repeat(chosen: list[Case], minutes: float, seed: str, *, exact: bool) -> int:
    """Run the cases round after round until the time is over; the first round is complete."""
    tallies = {case.name: Tally() for case in chosen}
    end = time.monotonic() + 60 * minutes
    async with Neighbours(os.environ.get("FAULTS_AMQP_URL")) as neighbours:
        playable = [c for c in chosen if neighbours.owns_the_broker or c.breaks != "broker"]
        number = 0
        while number == 0 or time.monotonic() < end:

            async def play(case: Case, number: int = number) -> None:
                if number == 0 or time.monotonic() < end:
                    own = seed if exact else f"{seed}/{number}"
                    await _once(case, neighbours, own, tallies[case.name])

            order = random.Random(f"{seed}/{number}").sample(playable, len(playable))
            async with Round(order, play, neighbours.width(full=True)) as at_work:
                await asyncio.gather(*at_work.played.values())
            number += 1
    return _report(tallies, seed)


def _report(tallies: dict[str, Tally], seed: str) -> int:
    rows = [_HEADER, *(tally.row(name) for name, tally in tallies.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    _say(f"\nseed {seed}; in doubt: injected, seen\n")
    for row in rows:
        cells = [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]
        _say("  ".join(cells))
    broken = [line for tally in tallies.values() for line in tally.broken]
    _say("\n" + "\n".join(broken or ["nothing lost, nothing mailed twice"]))
    return 1 if broken else 0


def main() -> int:
    """Return the exit status: 1 for any broken promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", help="as printed; one with a slash repeats that very run")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    given = parser.parse_args()
    Child.as_in_production = True
    seed = given.seed or str(random.SystemRandom().randrange(10**9))
    chosen = [case for name, case in CASES.items() if given.only in name]
    if not chosen:
        parser.error(f"no case is called {given.only}")
    _say(f"seed {seed}, {given.minutes:g} minutes, {len(chosen)} cases")
    logs.configure(Settings(log_level="error"))
    sweep_away()
    exact = "/" in seed
    return asyncio.run(_repeat(chosen, 0 if exact else given.minutes, seed, exact=exact))


if __name__ == "__main__":
    sys.exit(main())
