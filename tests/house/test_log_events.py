"""docs/logs.md lists every event that the code logs: its level, its programs and its fields."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.deliveries.states import State
from shared.process.console import LIBRARY_MESSAGE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "logs.md").read_text("utf-8")
ROW = re.compile(
    r"^\| `(?P<event>\w+)`(?P<ends>, and `_over`)? \| (?P<level>[^|]+) \| (?P<programs>[^|]+) \|"
    r" (?P<fields>[^|]+) \| (?P<remedy>[^|]+) \|$",
    re.MULTILINE,
)
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
PROGRAMS = {"all", "API", "relay", "mailer", "listener"}
# Logs the name that its caller has given: each Trouble(…) is read in its place.
TROUBLE = ROOT / "shared" / "process" / "trouble.py"
# Whose lines the program of a folder are.
HOMES = {
    "services/api/relay": "relay",
    "services/api/intake": "relay",
    "services/api": "API",
    "services/mailer/returns": "listener",
    "services/mailer": "mailer",
}


class Call(NamedTuple):
    place: str
    level: str
    event: str | None
    fields: frozenset[str]
    is_trouble: bool = False


def calls() -> Iterator[Call]:
    """Each place in the code that logs."""
    for folder in ("services", "shared"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and path != TROUBLE:
                    yield from _logged(node, f"{name}:{node.lineno}")


def _logged(node: ast.Call, place: str) -> Iterator[Call]:
    if isinstance(node.func, ast.Name) and node.func.id == "Trouble":
        yield Call(place, "warning", _literal(node.args[0]), frozenset({"error"}), is_trouble=True)
        return
    match node.func:
        case ast.Attribute(value=ast.Name(id="_log" | "log" | "logger"), attr=level):
            assert level in LEVELS, f"{place}: {level}"
        case _:
            return
    event = node.args[1] if level == "log" else node.args[0]
    fields = frozenset(each.arg or "**" for each in node.keywords) - {"exc_info"}
    level = "error" if level == "exception" else level
    both = (event.body, event.orelse) if isinstance(event, ast.IfExp) else (event,)
    for each in both:
        yield Call(place, level, _literal(each), fields)


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


CALLS = list(calls())
LISTED = {row["event"]: row for row in ROW.finditer(PAGE)}


def test_places_that_log_are_found() -> None:
    assert len(CALLS) > 50
    assert len(LISTED) > 40
    assert len(LISTED) == len(ROW.findall(PAGE)) == PAGE.count("\n| `")


def test_each_event_is_a_literal_in_snake_case() -> None:
    wrong = [call.place for call in CALLS if not re.fullmatch("[a-z]+(_[a-z]+)+", call.event or "")]
    assert wrong == []


def test_nothing_logs_beside_our_loggers() -> None:
    """A logger has the name _log: only so the other tests see its events."""
    made = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("services", "shared")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"structlog\.(stdlib\.)?get_logger\(", line) and not line.startswith("_log = ")
    }
    assert made == set()


def test_the_page_lists_the_events_that_the_code_has() -> None:
    assert {call.event for call in CALLS} | {LIBRARY_MESSAGE} == set(LISTED)


def _outages(path: Path, method: str) -> set[str]:
    """Return the names of the outages on which a file calls `met` or `over`, without `self._`."""
    return {
        ast.unparse(node.func.value).rpartition(".")[2].lstrip("_")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
    }


def test_an_outage_that_is_met_is_over_some_time() -> None:
    """Each module that meets an outage also ends it, or a module beside it does."""
    endless = {
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("services", "shared")
        for path in (ROOT / folder).rglob("*.py")
        for name in _outages(path, "met")
        if name
        not in {each for beside in path.parent.glob("*.py") for each in _outages(beside, "over")}
    }
    assert endless == set()


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.event}-{call.place}")
def test_the_page_knows_level_fields_and_program(call: Call) -> None:
    assert call.event is not None
    row = LISTED[call.event]
    if call.level != "log":
        assert row["level"] == call.level
    listed = set(re.findall(r"`(\w+)`", row["fields"]))
    assert call.fields <= listed
    assert bool(row["ends"]) == call.is_trouble
    programs = set(row["programs"].split(", "))
    assert programs <= PROGRAMS
    home = next((HOMES[folder] for folder in HOMES if call.place.startswith(f"{folder}/")), None)
    if "ledgerpost.relay" in (ROOT / call.place.partition(":")[0]).read_text("utf-8"):
        home = "relay"
    assert home is None or home in programs


def test_troubleshooting_quotes_events_that_there_are() -> None:
    text = (ROOT / "docs" / "troubleshoot.md").read_text("utf-8")
    quoted = set(re.findall(r"^\| `([a-z]+(?:_[a-z]+)+)`", text, re.MULTILINE))
    assert len(quoted) > 3
    assert quoted <= {*LISTED, *State}


@pytest.mark.parametrize("event", sorted(LISTED))
def test_a_listed_field_is_logged_somewhere(event: str) -> None:
    mine = [call for call in CALLS if call.event == event]
    # An outage also has the fields of whoever met it.
    if mine and not any(call.is_trouble for call in mine):
        logged = {field for call in mine for field in call.fields}
        assert set(re.findall(r"`(\w+)`", LISTED[event]["fields"])) == logged
