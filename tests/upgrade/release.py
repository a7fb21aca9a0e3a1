"""The code of a release: of this checkout, or of an older one from git with its own libraries."""

import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from provision.place import locked
from tests.faults.processes import ROOT

# The commits of releases, for clones without their tags. No commit can name itself: that of a
# release is added by the first commit after it, and until then its tag tells.
COMMITS = {"0.1.0": "b85ef2ba59e393ef1c984f91b22bbe0c16178547"}


class Release(NamedTuple):
    """Where the code of a version is, and the Python that has its libraries."""

    version: str
    root: Path
    python: str


def known(root: Path = ROOT) -> dict[str, str]:
    """Return the commit of each release that this clone has, by its version, the oldest first."""
    tags = _run("git", "-C", root, "tag", "--list", "v*.*.*").decode().split()
    tagged = {tag.removeprefix("v"): f"refs/tags/{tag}^{{commit}}" for tag in tags}
    found = tagged | COMMITS
    return {version: found[version] for version in sorted(found, key=_place)}


def _place(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def this() -> Release:
    """Return the code of this checkout."""
    return Release("this version", ROOT, sys.executable)


def older(version: str) -> Release:
    """Return a release of the past; the first time it is installed below var/releases."""
    folder = ROOT / "var" / "releases"
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / version
    python = root / ".venv" / "bin" / "python"
    with locked(folder):
        if not (root / ".ready").exists():
            shutil.rmtree(root, ignore_errors=True)
            _unpack(known()[version], root)
            _install(root, python)
            (root / ".ready").touch()
    return Release(version, root, str(python))


def _unpack(commit: str, root: Path) -> None:
    archive = _run("git", "-C", ROOT, "archive", commit)
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(root, filter="data")


def _install(root: Path, python: Path) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", root / ".venv")
    _run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet",
        "--disable-pip-version-check", "--no-deps", "--require-hashes",
        "--requirement", root / "requirements" / "runtime.txt",
    )  # fmt: skip


def _run(*command: str | Path) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout
