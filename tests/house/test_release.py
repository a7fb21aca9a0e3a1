"""There is one version, and the CHANGELOG says what is in it."""

import json
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import generate_latest

from services.api.__main__ import cli as api
from services.mailer.__main__ import cli as mailer
from shared.db.migrate import AFTER, BEFORE, migrations
from shared.process import metrics
from tests.upgrade.release import COMMITS, known

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
RELEASED = re.findall(
    r"^## \[(.+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
)


def test_the_package_has_the_version() -> None:
    assert version("ledgerpost") == VERSION, "run `make setup`"


def test_the_newest_release_in_the_changelog_is_the_version() -> None:
    assert RELEASED[0][0] == VERSION
    assert [day for _, day in RELEASED] == sorted((day for _, day in RELEASED), reverse=True)


@pytest.mark.parametrize("document", ["openapi.json", "asyncapi.json"])
def test_the_documents_have_the_version(document: str) -> None:
    info = json.loads((ROOT / "docs" / document).read_text("utf-8"))["info"]
    assert info["version"] == VERSION, "run `make contract`"


@pytest.mark.parametrize("program", [api, mailer], ids=["ledgerpost-api", "ledgerpost-mailer"])
def test_the_programs_print_the_version(program: object, request: pytest.FixtureRequest) -> None:
    ended = CliRunner().invoke(program, ["--version"])
    name = request.node.callspec.id
    assert (ended.exit_code, ended.output) == (0, f"{name}, version {VERSION}\n")


def test_the_metrics_have_the_version() -> None:
    shown = generate_latest(metrics.registry()).decode()
    assert f'ledgerpost_build_info{{version="{VERSION}"}} 1.0\n' in shown


def test_each_release_before_this_one_can_be_upgraded_from() -> None:
    before = {released for released, _ in RELEASED if released != VERSION}
    digests = json.loads((ROOT / "tests" / "fixtures" / "releases.json").read_text("utf-8"))
    assert before <= COMMITS.keys() & digests.keys(), "docs/howto/release.md"


def test_a_release_is_known_by_its_tag_before_its_commit_is_written_down(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        author = ("-c", "user.name=x", "-c", "user.email=x@x.example")
        command = ("git", "-C", tmp_path, *author, *words)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "released")
    for name in ("v0.10.0", "v0.9.1", "v0.1.0", "nonsense"):
        git("tag", name)
    found = known(tmp_path)
    assert list(found) == ["0.1.0", "0.9.1", "0.10.0"]
    assert found["0.1.0"] == COMMITS["0.1.0"]
    assert git("rev-parse", found["0.9.1"]) == git("rev-parse", "HEAD")


@pytest.mark.parametrize("name", migrations())
def test_each_migration_says_whether_it_comes_before_the_code(name: str) -> None:
    assert migrations()[name].startswith((BEFORE, AFTER)), f"the first line of {name}"
