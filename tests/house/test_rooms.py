"""The rooms of services/api depend on each other no more than docs/architecture.md tells."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
API = ROOT / "services" / "api"
PREFIX = "services.api."
# What the features are made with.
BELOW = {"access", "businesses", "core", "formats", "http", "idempotency", "openapi"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@cache
def rooms() -> dict[str, set[str]]:
    """The folders of services/api, each with the others from which it imports."""
    names = {path.parent.name for path in API.glob("*/__init__.py")}
    return {
        name: {
            module.removeprefix(PREFIX).partition(".")[0]
            for file in (API / name).rglob("*.py")
            for module in imported(file)
            if module.startswith(PREFIX)
        }
        & names - {name}
        for name in sorted(names)
    }


def levels() -> int:
    """The number of rooms in the longest chain, each of which imports the next one."""
    level: dict[str, int] = {}
    for name in TopologicalSorter(rooms()).static_order():  # raises CycleError
        level[name] = 1 + max((level[below] for below in rooms()[name]), default=0)
    return max(level.values())


def told() -> list[int]:
    text = " ".join((ROOT / "docs" / "architecture.md").read_text("utf-8").split())
    found = re.search(
        r"(\d+) rooms, of which one imports from another in (\d+) cases, in (\d+) of them both"
        r" above `formats`; the longest chain has (\d+) rooms",
        text,
    )
    assert found
    return [int(number) for number in found.groups()]


def test_no_room_depends_on_more_than_the_page_tells() -> None:
    arrows = [(room, other) for room, others in rooms().items() for other in others]
    features = [each for each in arrows if BELOW.isdisjoint(each)]
    counted = [len(rooms()), len(arrows), len(features), levels()]
    assert all(now <= most for now, most in zip(counted, told(), strict=True)), (
        f"{counted}: move what two rooms need to where it belongs, or tell the new numbers"
    )
