"""The units in deploy/systemd are correct, and say the same as the docs, compose and the code."""

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from shared.process.returns_settings import ReturnsSettings
from shared.process.settings import ApiSettings, DatabaseSettings, MailerSettings, RelaySettings
from tests.confined import values
from tests.house.test_compose import SERVICES, duration
from tests.servers import ROOT, absent

UNITS = {
    path.stem.removeprefix("ledgerpost-"): path for path in (ROOT / "deploy").rglob("*.service")
}
SETTINGS = {
    "migrate": DatabaseSettings,
    "api": ApiSettings,
    "relay": RelaySettings,
    "mailer": MailerSettings,
    "returns": ReturnsSettings,
}
SERVERS = ("api", "relay", "mailer", "returns")
_MOST_EXPOSED = 20  # of 100, as systemd-analyze counts

every_unit = pytest.mark.parametrize("name", SETTINGS)
every_server = pytest.mark.parametrize("name", SERVERS)


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze, which reads files and starts nothing."""
    if shutil.which("systemd-analyze") is None:
        absent("systemd-analyze is not installed")
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, check=False
    )


def test_there_is_a_unit_for_each_process() -> None:
    assert UNITS.keys() == SETTINGS.keys()


@every_unit
def test_systemd_understands_it(name: str, tmp_path: Path) -> None:
    for path in UNITS.values():
        text = path.read_text("utf-8")
        there = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
        (tmp_path / path.name).write_text(there)
    unit = tmp_path / UNITS[name].name
    done = analyzed("verify", "--man=no", str(unit))
    faults = [line for line in done.stderr.splitlines() if unit.name in line]
    assert faults == []


@every_unit
def test_it_is_hardened(name: str) -> None:
    done = analyzed("security", "--offline=true", f"--threshold={_MOST_EXPOSED}", str(UNITS[name]))
    assert done.returncode == 0, done.stdout[-3000:]


@every_unit
def test_its_files_are_those_of_settings(name: str) -> None:
    given = [pair.partition("=")[::2] for pair in values(UNITS[name], "Environment")]
    known = {f"{field.upper()}_FILE" for field in SETTINGS[name].model_fields}
    assert {variable for variable, _ in given} <= known
    loaded = {word.partition(":")[0] for word in values(UNITS[name], "LoadCredential")}
    assert {path.removeprefix("%d/") for _, path in given} == loaded
    # An old secret, which is there for some weeks only, comes with a drop-in (docs/keys.md).
    in_compose = {
        each
        for each in SERVICES[name]["environment"]
        if each.endswith("_FILE") and not each.endswith("_OLD_FILE")
    }
    assert {variable for variable, _ in given} == in_compose


@every_server
def test_it_has_the_time_and_memory_that_it_has_in_compose(name: str) -> None:
    [time] = values(UNITS[name], "TimeoutStopSec")
    compose = SERVICES[name]
    assert _time(time) == duration(compose["stop_grace_period"])
    [memory] = values(UNITS[name], "MemoryMax")
    assert memory == compose["deploy"]["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", ["api", "mailer"])
def test_its_children_end_with_it_and_not_before(name: str) -> None:
    assert values(UNITS[name], "KillMode") == ["mixed"]
    assert values(UNITS[name], "OOMPolicy") == ["continue"]


def _time(text: str) -> timedelta:
    number, unit = re.fullmatch(r"(\d+)(s|min)", text).groups()  # type: ignore[union-attr]
    return timedelta(**{{"s": "seconds", "min": "minutes"}[unit]: int(number)})
