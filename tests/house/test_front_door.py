"""What a newcomer reads first is short, and names each command."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def test_contributing_is_one_screen() -> None:
    assert len(CONTRIBUTING.splitlines()) <= 60


def test_each_command_is_there_and_each_is_named() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", CONTRIBUTING))
    assert named <= targets
    rest = re.search(r"`make` alone lists the rest \(([^)]*)\)", CONTRIBUTING)
    assert rest
    assert named | set(re.findall(r"`([a-z]+)`", rest[1])) == targets - {"help"}


def test_pre_commit_runs_what_make_check_runs_and_fetches_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    checks = MAKEFILE.partition("\ncheck: ")[2].partition("\n\n")[0]
    wanted = re.findall(r"@\$\(BIN\)/(.+)", checks)
    hooks = [
        hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude")
        for hook in config["repos"][0]["hooks"]
    ]
    assert sorted(hooks) == sorted(wanted)
