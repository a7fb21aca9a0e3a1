"""States, transitions and reason codes are listed in one place, and the rest agrees with it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import asyncpg
import pytest

from services.api.contract import asyncapi, openapi
from services.api.routes import ROUTES
from services.api.sends.send import Status
from shared.deliveries.page import text
from shared.deliveries.reason_meanings import REASONS
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import MEANINGS, SHOWN, TRANSITIONS, State

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "shared" / "deliveries"
SQL = {
    path.relative_to(ROOT): path.read_text("utf-8")
    for part in ("services", "shared")
    for path in (ROOT / part).rglob("*.sql")
    if path.parent.name != "migrations" and path.name != "schema.sql"
}
STATES = re.compile(
    r"\bstate (?:NOT )?(?:IN \(([^)]*)\)|(?:=|<>) ('\w+'))|\bCASE (?:\w\.)?state (.*)"
)
WORD = re.compile(r"'(\w+)'")
CHANGE = re.compile(r"UPDATE deliveries\b(?:(?!\bWHERE\b).)*?\bstate =", re.DOTALL)
CODED = re.compile(r"\breason_code = (?:CASE (.*?) END|('\w+'))", re.DOTALL)
ANSWER = re.compile(r"(?:THEN|ELSE) '(\w+)'")
FUNCTIONS = (
    """SELECT proname, prosrc FROM pg_proc WHERE proname IN ('reason_code_of', 'end_of_late')"""
)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database)
    yield conn
    await conn.close()


def test_the_page_is_made_from_the_data() -> None:
    assert (ROOT / "docs" / "states.md").read_text("utf-8") == text(), "run make contract"


def test_each_state_and_each_code_is_described() -> None:
    assert list(MEANINGS) == list(State)
    assert list(REASONS) == list(ReasonCode) == sorted(ReasonCode)
    for code, reason in REASONS.items():
        assert reason.states or reason.elsewhere, code


def test_every_state_is_entered_and_no_transition_is_told_twice() -> None:
    entered = {each.enters for each in TRANSITIONS}
    assert entered == set(State), "a state that nothing enters is none"
    told = [(leaves, each.enters, each.by) for each in TRANSITIONS for leaves in each.leaves]
    assert len(told) == len({*told})


async def test_the_database_knows_the_same_states(conn: asyncpg.Connection) -> None:
    """By the CHECK constraints as Postgres has them, whichever migration made them last."""
    checks = dict(
        await conn.fetch(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'c' AND conrelid IN ('deliveries'::regclass, 'sends'::regclass)"
        )
    )
    assert set(WORD.findall(checks["deliveries_state_is_known"])) == set(State)
    assert set(WORD.findall(checks["sends_status_is_known"])) == set(get_args(Status))
    for name, check in checks.items():
        if re.search(r"\bstate\b", check):
            assert set(WORD.findall(check)) <= set(State), name


async def test_no_index_waits_for_a_state_that_is_none(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        "SELECT pg_get_expr(indpred, indrelid) FROM pg_index"
        " WHERE indrelid = 'deliveries'::regclass AND indpred IS NOT NULL"
    )
    found = {word for row in rows for word in WORD.findall(row[0])}
    assert found <= set(State)
    assert State.QUEUED in found


def test_queries_name_no_state_that_is_none() -> None:
    for path, query in SQL.items():
        for groups in STATES.findall(query):
            named = set(WORD.findall(" ".join(groups)))
            assert named <= set(State), f"{path}: {named - set(State)}"


def test_only_the_room_of_deliveries_changes_a_state() -> None:
    changing = {path for path, query in SQL.items() if CHANGE.search(query)}
    assert {path.parent for path in changing} == {FOLDER.relative_to(ROOT)}
    assert {path.name for path in changing} == {
        "caller.sql",
        "operator.sql",
        "relay.sql",
        "returns.sql",
        "worker.sql",
    }


async def test_every_code_that_is_written_is_listed(conn: asyncpg.Connection) -> None:
    written = {
        code
        for query in SQL.values()
        for case, plain in CODED.findall(query)
        for code in (*ANSWER.findall(case), *WORD.findall(plain))
    }
    assert written >= {"cancelled", "paused", "worker_lost", "worker_crashed"}
    assert written <= set(ReasonCode)
    for name, source in await conn.fetch(FUNCTIONS):
        words = set(ANSWER.findall(source))
        assert words, name
        assert words <= {*ReasonCode, State.EXPIRED, State.FAILED}, name


async def test_every_code_is_used(conn: asyncpg.Connection) -> None:
    """By this version: that the database knows it from earlier ones does not count."""
    used = {
        code
        for part in ("services", "shared")
        for path in (ROOT / part).rglob("*.py")
        if path.parent != FOLDER or path.stem not in {"reasons", "reason_meanings"}
        for code in ReasonCode
        if f"ReasonCode.{code.name}" in path.read_text("utf-8")
    }
    late = await conn.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'end_of_late'")
    for query in (*SQL.values(), late):
        used |= {code for code in ReasonCode if f"'{code}'" in query}
    assert set(ReasonCode) - used == set()


def test_the_documents_publish_the_states_and_the_codes() -> None:
    of_http = openapi.document(ROUTES)["components"]["schemas"]
    of_queue = asyncapi.document()["components"]
    states = [state.value for state in SHOWN]
    assert State.COMMITTING not in states
    for schemas, name in ((of_http, "Recipient"), (of_queue["schemas"], "DeliveryChange")):
        assert schemas[name]["properties"]["state"]["enum"] == states
    assert of_queue["parameters"]["state"]["enum"] == states
    for schemas in (of_http, of_queue["schemas"]):
        for name, schema in schemas.items():
            fields = schema.get("properties", {})
            if "reason" in fields and "Body" not in name:
                assert "examples" in str(fields["reason_code"]), name
                assert "smarthost_timeout" in str(fields["reason_code"]), name
