"""Each alert fires when its fault is made for real, and ends when the fault is repaired."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.alerts.faults import FAULTS, SHORT
from tests.alerts.picture import draw
from tests.alerts.prometheus import DASHBOARD, rules
from tests.alerts.world import World, watched
from tests.journeys.conftest import System, soon

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "dashboard.svg"
# `all`, or the names of some alerts.
WANTED = os.environ.get("ALERTS", "")
CHOSEN = tuple(FAULTS) if WANTED == "all" else tuple(WANTED.split()) or SHORT
# What has no series until something has gone wrong, or is only counted by another service.
EMPTY = {"ledgerpost_pdf_flaws_total"}


def test_each_alert_has_its_fault() -> None:
    assert sorted(FAULTS) == sorted(rule["alert"] for rule in rules())


@pytest.mark.timeout(1800 if len(CHOSEN) > len(SHORT) else 300)
async def test_alerts_fire_and_end(system: System, tmp_path: Path) -> None:
    async with watched(system, tmp_path) as world:
        started = time.time()
        await _works(world)
        for name in CHOSEN:
            await world.until_over(name)  # as another alert has the same fault
            begun = time.monotonic()
            async with FAULTS[name](world):
                summary = await world.until_firing(name)
                fired = time.monotonic()
            await world.until_over(name)
            over = time.monotonic()
            times = f"after {fired - begun:.0f} s, over {over - fired:.0f} s later"
            sys.stdout.write(f"{name}: {times}: {summary}\n")  # `make alerts` shows it
        await _works(world)
        await _panels_have_data(world)
        if len(CHOSEN) == len(FAULTS):
            PICTURE.write_text(await draw(world.prometheus, started, time.time()))


async def _works(world: World) -> None:
    """A mail goes out, and every panel has something to show."""
    send = await world.send()
    await world.system.settled(send, 120)
    assert await world.ask() == 200


async def _panels_have_data(world: World) -> None:
    targets = [each["expr"] for panel in DASHBOARD["panels"] for each in panel["targets"]]
    for expression in targets:

        async def has_data(expression: str = expression) -> bool:
            return bool(await world.prometheus.query(expression))

        if any(name in expression for name in EMPTY):
            await world.prometheus.query(expression)
        else:
            await soon(has_data, 60)
