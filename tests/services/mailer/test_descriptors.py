"""The limit of open files is raised as far as the sessions need it, or the start stops."""

import subprocess
import sys

_TRY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
from services.mailer import app
from shared.process.settings import SettingsError
try:
    app.provide_descriptors(100)
except SettingsError as error:
    print(error)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def limits(hard: int) -> list[str]:
    tried = subprocess.run([sys.executable, "-c", _TRY, str(hard)], capture_output=True, check=True)
    return tried.stdout.decode().splitlines()


def test_the_soft_limit_is_raised() -> None:
    assert limits(1024) == ["264"]


def test_a_hard_limit_that_is_too_low_stops_the_start() -> None:
    too_few = "264 open files are needed, and the limit is 200 (ulimit -Hn)"
    assert limits(200) == [
        f"MAILER_CONCURRENCY: for 100 sessions {too_few}",
        "64",
    ]
