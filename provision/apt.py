import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from provision.program import Unavailable

# The programs with which packages start servers during their installation.
_STARTERS = ("invoke-rc.d", "deb-systemd-invoke", "pg_createcluster")

# The units that would start them at the next boot.
_SERVICES = {
    "postgresql": ["postgresql.service"],
    "rabbitmq-server": ["rabbitmq-server.service", "epmd.service", "epmd.socket"],
}

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_PLANNED = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", re.MULTILINE)


@cache
def privilege() -> list[str]:
    """Return the prefix that runs a command as root. Raises Unavailable if there is none."""
    if shutil.which("apt-get") is None:
        raise Unavailable("there is no apt-get")
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _run("sudo", "-n", "true").returncode == 0:
        return ["sudo", "-n"]
    raise Unavailable("apt-get needs root, or sudo without a password")


def install(*packages: str) -> None:
    """Install packages without starting their servers. Raises Unavailable with apt's message."""
    prefix = privilege()
    print(f"Installing {' '.join(packages)} ...", file=sys.stderr)
    with _nothing_starts() as path:
        command = [
            *prefix,
            *("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", f"-oDPkg::Path={path}"),
            *("-oDPkg::Lock::Timeout=300", "-oDpkg::Use-Pty=0"),
        ]
        done = _run(*command, "install", "--yes", "--no-install-recommends", *packages)
        if done.returncode:  # lists that are missing or old
            _run(*command, "update")
            done = _run(*command, "install", "--yes", "--no-install-recommends", *packages)
    if done.returncode:
        raise Unavailable(_last_words(done))
    for package in packages:
        if units := _SERVICES.get(package):
            _run(*prefix, "update-rc.d", package, "disable")
            _run(*prefix, "systemctl", "disable", "--quiet", *units)


def download(
    folder: Path, *packages: str, needed: str = ".*", suite: str | None = None
) -> list[Path]:
    """Download packages, with those they depend on that the machine lacks and this pattern names.

    Of another `suite` of Debian, with all that they depend on, as if the machine had nothing.
    Without root: apt's lists and its cache are in the folder. Raise Unavailable in apt's words.
    """
    apt = _private_apt(folder, suite)
    _checked(*apt, "update")
    plan = _checked(*apt, "install", "--simulate", "--no-install-recommends", *packages)
    found = _PLANNED.findall(plan)
    chosen = [f"{name}={version}" for name, version in found if re.fullmatch(needed, name)]
    _checked(*apt, "download", *chosen, cwd=folder / "archives")
    return sorted((folder / "archives").glob("*.deb"))


def _private_apt(folder: Path, suite: str | None) -> list[str]:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Unavailable("this is no Debian: there is no apt-get")
    for part in ("lists/partial", "cache/archives/partial", "archives"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::lists": f"{folder}/lists",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": f"{folder}/cache",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    if suite:
        (folder / "status").touch()
        source = f"deb [signed-by={_KEYRING}] {_mirror()} {suite} main\n"
        (folder / "sources.list").write_text(source)
        options |= {
            "Dir::State::status": f"{folder}/status",
            "Dir::Etc::sourcelist": f"{folder}/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
        }
    return [
        "apt-get",
        "-qq",
        *(w for key, value in options.items() for w in ("-o", f"{key}={value}")),
    ]


def _mirror() -> str:
    """Return the machine's Debian mirror."""
    listed = _checked("apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(REPO_URI)")
    if found := re.search(r"^Debian main (\S+)$", listed, re.MULTILINE):
        return found[1]
    raise Unavailable("this is no Debian: apt-get knows no mirror of it")


@contextmanager
def _nothing_starts() -> Iterator[str]:
    """Yield a PATH on which the programs that start system servers do nothing."""
    with tempfile.TemporaryDirectory(prefix="ledgerpost-") as name:
        for starter in _STARTERS:
            script = Path(name) / starter
            script.write_text("#!/bin/sh\nexit 0\n")
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        yield f"{name}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command without input; a missing command counts as failed."""
    return subprocess.run(
        ["env", *command],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        cwd=cwd,
    )


def _checked(*command: str, cwd: Path | None = None) -> str:
    done = _run(*command, cwd=cwd)
    if done.returncode:
        raise Unavailable(_last_words(done))
    return done.stdout


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    return f"apt-get: {done.stderr.strip().rpartition(chr(10))[2]}"
