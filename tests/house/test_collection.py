"""Every process collects the same tests, so that pytest-xdist can share them out."""

import subprocess
import sys

from tests.servers import ROOT


def test_tests_have_the_same_names_in_every_process() -> None:
    assert _names("1") == _names("2")


def _names(seed: str) -> list[str]:
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT, env={"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [line for line in collected.stdout.splitlines() if "::" in line]
