"""Unpacks Debian's packages into a folder, for users who may not install them."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from provision import apt, installed
from provision.place import place
from provision.program import Program

# Without Perl, accounts, clusters and log rotation; without LLVM, which only the JIT needs.
_NEEDED = r"postgresql(-client)?-\d+|rabbitmq-server|erlang-.*|lib(?!llvm|perl|pam|common).*"


def fetch(root: Path) -> None:
    """Download and unpack Postgres and RabbitMQ once. Raises Unavailable with apt-get's message."""
    folder = place(root, "programs")
    if (folder / "complete").exists():
        return
    print("Downloading Postgres and RabbitMQ into var/programs ...", file=sys.stderr)
    for package in apt.download(folder, "postgresql", "rabbitmq-server", needed=_NEEDED):
        subprocess.run(["dpkg-deb", "--extract", package, folder / "system"], check=True)
        package.unlink()
    settle_erlang(folder / "system/usr/lib/erlang")
    for jit in folder.glob("system/usr/lib/postgresql/*/lib/llvmjit.so"):
        jit.unlink()
    (folder / "complete").touch()


def postgres(root: Path) -> Program | None:
    """Return Postgres if it was unpacked."""
    return _complete(root, installed.postgres(place(root, "programs") / "system"))


def rabbitmq(root: Path) -> Program | None:
    """Return RabbitMQ if it was unpacked."""
    return _complete(root, installed.rabbitmq(place(root, "programs") / "system"))


def _complete(root: Path, program: Program | None) -> Program | None:
    """Return the program with the paths of its unpacked libraries and programs."""
    system = place(root, "programs") / "system"
    if program is None or not program.bin.is_relative_to(system):
        return None
    libraries = {file.parent for file in system.glob("**/*-linux-gnu*/*.so*")}
    return replace(program, path=(system / "usr/bin",), libraries=tuple(sorted(libraries)))


def settle_erlang(erlang: Path) -> None:
    """Write Erlang's folder into the scripts that contain the folder it was built for."""
    for script in (*erlang.glob("bin/*"), *erlang.glob("erts-*/bin/*")):
        content = script.read_bytes()
        if content.startswith(b"#!/bin/sh"):
            script.write_bytes(content.replace(b"/usr/lib/erlang", bytes(erlang)))
