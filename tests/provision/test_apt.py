import os
from pathlib import Path

import pytest

from provision import apt
from provision.program import Unavailable

_APT = """#!/bin/sh
echo "$@" >> "$FAKE/calls"
case "$*" in
*" update") touch "$FAKE/lists" ;;
*--simulate*) cat "$FAKE/plan" ;;
*" install "*)
    path=$(echo "$*" | sed -n 's/.*DPkg::Path=\\([^:]*\\):.*/\\1/p')
    ls "$path" > "$FAKE/silenced"
    [ -e "$FAKE/lists" ] || { echo 'E: one'; echo 'E: Unable to locate package' >&2; exit 100; } ;;
esac
"""

_NOTE = """#!/bin/sh
echo NAME "$@" >> "$FAKE/calls"
"""

_PLAN = """Inst libpq5 (15.18-0 Debian:12/stable [amd64])
Inst perl-base [5.36.0-1] (5.36.0-7 Debian:12/stable [amd64])
Inst postgresql-15 (15.18-0 Debian:12/stable [amd64]) []
Conf libpq5 (15.18-0 Debian:12/stable [amd64])
"""


@pytest.fixture(autouse=True)
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an apt-get that only records its calls before the system's on PATH."""
    for name in ("apt-get", "update-rc.d", "systemctl"):
        script = tmp_path / name
        script.write_text(_APT if name == "apt-get" else _NOTE.replace("NAME", name))
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setattr(apt, "privilege", list)
    return tmp_path


def test_missing_lists_are_fetched_and_no_server_is_started(fake: Path) -> None:
    apt.install("rabbitmq-server")
    calls = (fake / "calls").read_text().splitlines()
    assert [call.split()[-1] for call in calls[:3]] == [
        "rabbitmq-server",
        "update",
        "rabbitmq-server",
    ]
    assert calls[3:] == [
        "update-rc.d rabbitmq-server disable",
        "systemctl disable --quiet rabbitmq-server.service epmd.service epmd.socket",
    ]
    assert (fake / "silenced").read_text().split() == [
        "deb-systemd-invoke", "invoke-rc.d", "pg_createcluster",
    ]  # fmt: skip


def test_a_refusal_is_told_in_apts_last_words(fake: Path) -> None:
    (fake / "apt-get").write_text(
        "#!/bin/sh\necho 'E: first' >&2; echo 'E: no network' >&2; exit 1"
    )
    with pytest.raises(Unavailable, match=r"^apt-get: E: no network$"):
        apt.install("postgresql")


def test_only_what_is_missing_and_needed_is_downloaded(fake: Path, tmp_path: Path) -> None:
    (fake / "plan").write_text(_PLAN)
    apt.download(tmp_path / "programs", "postgresql", needed="lib.*|postgresql-.*")
    download = (fake / "calls").read_text().splitlines()[-1]
    assert download.endswith("download libpq5=15.18-0 postgresql-15=15.18-0")
    assert f"Dir::State::lists={tmp_path}/programs/lists" in download
