import sys
from pathlib import Path

import pytest

from shared.db import sql


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package whose queries.sql the test writes."""
    folder = tmp_path / "queries_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "queries_of_a_test", raising=False)
    return folder / "queries.sql"


def test_queries_come_by_their_names(package: Path) -> None:
    package.write_text("-- name: one\n-- Describes.\nSELECT 1\n\n-- name: two\nSELECT 2\n", "utf-8")
    queries = sql.load("queries_of_a_test")
    assert queries.one == "-- Describes.\nSELECT 1"
    assert queries.two == "SELECT 2"


def test_an_unknown_name_says_where_it_was_looked_for(package: Path) -> None:
    package.write_text("-- name: one\nSELECT 1\n", "utf-8")
    with pytest.raises(AttributeError, match=r"queries_of_a_test/queries\.sql has no query three"):
        _ = sql.load("queries_of_a_test").three


def test_a_name_is_given_once(package: Path) -> None:
    package.write_text("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n", "utf-8")
    with pytest.raises(ValueError, match="given twice"):
        _ = sql.load("queries_of_a_test").one


def test_nothing_is_read_before_the_first_use(package: Path) -> None:
    queries = sql.load("queries_of_a_test")
    package.write_text("-- name: late\nSELECT 1\n", "utf-8")
    assert queries.late == "SELECT 1"


def test_a_module_may_have_a_file_of_its_own(package: Path) -> None:
    package.with_name("relay.sql").write_text("-- name: one\nSELECT 1\n", "utf-8")
    assert sql.load("queries_of_a_test", "relay.sql").one == "SELECT 1"
    with pytest.raises(AttributeError, match=r"queries_of_a_test/relay\.sql has no query two"):
        _ = sql.load("queries_of_a_test", "relay.sql").two


def test_named_parameters_are_numbered_by_their_first_place() -> None:
    text, *arguments = sql.call("SELECT $b, $a_1, $b::int[]", a_1="first", b="second")
    assert (text, arguments) == ("SELECT $1, $2, $1::int[]", ["second", "first"])


def test_a_query_without_names_is_taken_as_it_is() -> None:
    assert sql.numbered("SELECT $1, $12") == ("SELECT $1, $12", ())


@pytest.mark.parametrize(
    "query", ["DO $$ BEGIN END $$", "SELECT $tag$ $tag$", "SELECT a$b FROM c", "SELECT $$x$$"]
)
def test_quotes_and_names_with_a_dollar_sign_are_no_parameters(query: str) -> None:
    assert sql.numbered(query) == (query, ())


@pytest.mark.parametrize("given", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}])
def test_the_arguments_are_those_that_the_query_names(given: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"differ in: .*[bc]"):
        sql.call("SELECT $a, $b", **given)


def test_parameters_have_names_or_numbers() -> None:
    with pytest.raises(ValueError, match="not both"):
        sql.call("SELECT $a, $1", a=1)
