"""What a support bundle says of the program and its machine: versions, platform, settings."""

import os
import platform
import sys
from collections.abc import Iterable
from datetime import timedelta
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any, Literal, get_origin

from shared.process import start
from shared.process.settings import Settings

_LIMIT_FILES = ("memory.max", "memory.current", "cpu.max", "pids.max")
_CGROUP = Path("/sys/fs/cgroup")
_CHARS_MAX = 100


def versions() -> dict[str, Any]:
    """Return the versions of Ledgerpost, of Python and of all installed packages."""
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    return {
        "ledgerpost": version("ledgerpost"),
        "python": sys.version.split()[0],
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def machine() -> dict[str, Any]:
    """Return what the platform is, and the limits of the container, if there is one."""
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        system = ""
    return {
        "system": system,
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "processors": os.cpu_count(),
        "is_container": any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))),
        "limits": {name: _content(_CGROUP / name) for name in _LIMIT_FILES},
    }


def settings(given: Iterable[Settings]) -> dict[str, Any]:
    """Return the settings: numbers, durations and words of a list as they are, hosts of URLs.

    Of every other one, only whether it is set.
    """
    found: dict[str, Any] = {}
    for each in given:
        for name, field in type(each).model_fields.items():
            value = getattr(each, name)
            is_word = get_origin(field.annotation) is Literal
            found[name.upper()] = _shown(name, value, is_word=is_word)
    return dict(sorted(found.items()))


def _shown(name: str, value: object, *, is_word: bool) -> object:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if is_word or value is None or isinstance(value, (bool, int, float)):
        return value
    if name.endswith("_url") and isinstance(value, str):
        return f"{value.partition(':')[0]}://{start.place(value)}"
    return "set" if value else "empty"


def _content(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").strip()[:_CHARS_MAX]
    except OSError:
        return None
