"""Every process collects the same tests, so that pytest-xdist can share them out."""

import subprocess
import sys

import pytest

from tests.servers import ROOT


def test_tests_have_the_same_names_in_every_process(request: pytest.FixtureRequest) -> None:
    config = request.config
    is_part = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    is_part = is_part or config.option.markexpr or config.option.keyword
    here = [item.nodeid for item in request.session.items]
    assert _names("1") == (_names("2") if is_part else here)


def _names(seed: str) -> list[str]:
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT, env={"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    # A summary of warnings names tests, too.
    lines = collected.stdout.splitlines()
    return [line for line in lines if line.startswith("tests/") and "::" in line]
