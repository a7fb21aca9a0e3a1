"""The project's virtual environment from the pinned requirements: `python -m provision.venv`."""

import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from provision import apt
from provision.place import locked, place
from provision.program import Unavailable


def make(root: Path) -> None:
    """Install the pinned requirements and the project into .venv of the checkout."""
    folder = root / ".venv"
    python = folder / "bin" / "python"
    if not _works(python):
        _create(folder, root)
    pip = partial(_run, python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    requirements = root / "requirements" / "dev.txt"
    pip("--no-deps", "--require-hashes", "--requirement", requirements)
    pip("--no-deps", "--no-build-isolation", "--editable", root)


def _works(python: Path) -> bool:
    """Whether there is an environment, created in this folder, with pip and a suitable Python."""
    check = "import pip, sys; print(sys.version_info >= (3, 11) and sys.prefix)"
    try:
        done = subprocess.run([python, "-c", check], check=False, capture_output=True, text=True)
    except OSError:
        return False
    return done.stdout.strip() == str(python.parents[1])


def _create(folder: Path, root: Path) -> None:
    print(f"Making .venv with {sys.executable} ...", file=sys.stderr)
    command: list[str | Path] = [sys.executable, "-m", "venv", "--clear", folder]
    if _has_ensurepip():
        _run(*command)
        return
    _run(*command, "--without-pip")
    wheel = _pip_wheel(root)
    _run(folder / "bin" / "python", wheel / "pip", "install", "--quiet", "--no-index", wheel)


def _has_ensurepip() -> bool:
    """Whether Python can install pip into an environment; Debian's needs python3-venv."""
    if find_spec("ensurepip"):
        return True
    try:
        apt.install(f"python3.{sys.version_info.minor}-venv")
    except Unavailable:
        return False
    return True


def _pip_wheel(root: Path) -> Path:
    """Return pip as a wheel from a Debian package, without installing the package."""
    folder = place(root, "programs")
    with locked(folder):
        for package in apt.download(folder, "python3-pip-whl"):
            subprocess.run(["dpkg-deb", "--extract", package, folder / "pip"], check=True)
    return next(folder.glob("pip/usr/share/python-wheels/pip-*.whl"))


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"failed: {' '.join(map(str, command[:4]))} ...")


if __name__ == "__main__":
    try:
        make(Path.cwd())
    except Unavailable as problem:
        sys.exit(f"{problem}: install Debian's package python3-venv")
