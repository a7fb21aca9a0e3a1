"""docs/monitor.md lists every metric that the code has, with its type and its labels."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.deliveries.reason_classes import ReasonClass

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "monitor.md").read_text("utf-8")
ROW = re.compile(r"^\| `(ledgerpost_\w+)` \| (\w+) \| ([^|]+) \|", re.MULTILINE)
TYPES = ("Counter", "Gauge", "Histogram")
# The values of all others are in docs/monitor.md, or are names in the code.
LABELS = {
    "class", "command", "kind", "method", "outcome", "phase", "pool", "queue", "reason_class",
    "resource", "route", "scope", "stage", "state", "status", "version",
}  # fmt: skip
UNITS = ("_seconds", "_bytes", "_info")


class Known(NamedTuple):
    name: str
    type: str
    labels: tuple[str, ...]


def made() -> Iterator[Known]:
    """Each metric that the code makes."""
    for folder in ("services", "shared"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or ast.unparse(node.func) not in TYPES:
                    continue
                match node.args:
                    # Not the Counter of collections.
                    case [ast.Constant(value=str(name)), _, *labels]:
                        type_ = ast.unparse(node.func).lower()
                        end = "_total" if type_ == "counter" else ""
                        found = ast.literal_eval(labels[0]) if labels else ()
                        yield Known(f"{name}{end}", type_, tuple(found))


METRICS = list(made())


def listed() -> list[Known]:
    return [
        Known(name, type_, tuple(re.findall(r"`(\w+)`", labels)))
        for name, type_, labels in ROW.findall(PAGE)
    ]


def test_the_page_lists_what_the_code_has() -> None:
    found = listed()
    assert sorted(found) == sorted(METRICS)
    assert len(found) > 20


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_label_has_few_values(metric: Known) -> None:
    assert set(metric.labels) <= LABELS


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_name_says_its_unit(metric: Known) -> None:
    assert metric.name.startswith("ledgerpost_")
    assert not re.search(r"milli|minutes|hours|_ms|_mb|_kb|count$|duration", metric.name)
    if metric.type == "histogram":
        assert metric.name.endswith(UNITS)


def test_the_page_lists_every_class_of_reasons() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ", PAGE.partition("| reason_class |")[2], re.MULTILINE)
    assert rows == list(ReasonClass)
