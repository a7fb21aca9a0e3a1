"""Provides another RabbitMQ than the machine's, from a folder or another suite of Debian."""

import subprocess
import sys
from pathlib import Path

from provision import apt, installed, unpacked
from provision.place import locked, place
from provision.program import Program, Unavailable

# Without packages that only an installation needs: accounts, Python, systemd.
_NEEDED = r"rabbitmq-server|erlang-.*|lib(?!perl|pam|python|systemd-shared).*|zlib1g"

_WRAPPER = """#!/bin/sh
exec {loader} --library-path {libraries} --argv0 "$0" {program} "$@"
"""


def rabbitmq(root: Path, name: str) -> Program:
    """Return RabbitMQ from a folder, or from a suite of Debian (`trixie`), fetched once.

    It includes the suite's C library. Raises Unavailable if there is none.
    """
    if "/" in name:
        if program := installed.first_with("rabbitmq-server", [Path(name)]):
            return program
        raise Unavailable(f"{name} has no rabbitmq-server that can be run")
    folder = place(root, f"programs-{name}")
    with locked(folder):
        if not (folder / "complete").exists():
            _fetch(folder, name)
    program = installed.rabbitmq(folder / "system")
    if program is None or not program.bin.is_relative_to(folder):
        raise Unavailable(f"Debian {name} has no RabbitMQ where it was expected, in {folder}")
    return Program(program.bin, path=(folder / "system/usr/bin",))


def _fetch(folder: Path, suite: str) -> None:
    print(f"Downloading RabbitMQ of Debian {suite} into {folder} ...", file=sys.stderr)
    system = folder / "system"
    for package in apt.download(folder, "rabbitmq-server", needed=_NEEDED, suite=suite):
        subprocess.run(["dpkg-deb", "--extract", package, system], check=True)
        package.unlink()
    unpacked.settle_erlang(system / "usr/lib/erlang")
    loaders = [*system.glob("usr/lib*/ld-linux*.so.*"), *system.glob("usr/lib/*/ld-linux*.so.*")]
    if not loaders:
        raise Unavailable(f"Debian {suite} came without a C library, in {folder}")
    folders = {str(file.parent) for file in system.glob("**/*-linux-gnu*/*.so*")}
    for pattern in ("erts-*/bin/*", "lib/*/priv/bin/*"):
        for program in (system / "usr/lib/erlang").glob(pattern):
            if not program.is_symlink() and program.read_bytes().startswith(b"\x7fELF"):
                _wrap(program, loaders[0], ":".join(sorted(folders)))
    (folder / "complete").touch()


def _wrap(program: Path, loader: Path, libraries: str) -> None:
    """Run a program with its own loader: the machine's C library may be too old for it."""
    hidden = program.rename(program.with_name(f".{program.name}"))
    program.write_text(_WRAPPER.format(loader=loader, libraries=libraries, program=hidden))
    program.chmod(0o755)
