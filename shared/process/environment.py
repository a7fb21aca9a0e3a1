"""Reads a setting from the environment: from NAME or NAME_FILE, or under its old name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

#: The old names of renamed settings; they work in 0.2.0, and no longer in 0.3.0.
OLD_NAMES: Final = {"SMARTHOST_RATE": "RELAY_RATE"}


class Given(NamedTuple):
    """A setting in the environment, and the name under which it was given."""

    name: str
    value: str


def setting(environ: Mapping[str, str], name: str) -> Given | None:
    """Return the setting `name`, also under its old name, or None if it is not set.

    Raises ValueError, with one line that names the setting, if it is set twice or its file cannot
    be read.
    """
    value = _value(environ, name)
    old = OLD_NAMES.get(name)
    if old is None or (old_value := _value(environ, old)) is None:
        return None if value is None else Given(name, value)
    if value is not None:
        raise ValueError(f"{name}, {old}: set {name} alone, {old} is its old name")
    return Given(old, old_value)


def _value(environ: Mapping[str, str], name: str) -> str | None:
    # An empty path is none, so that an override of the compose file can take one away.
    value, path = environ.get(name), environ.get(f"{name}_FILE") or None
    if value is not None and path is not None:
        raise ValueError(f"{name}: set either {name} or {name}_FILE, not both")
    if path is None:
        return value or None
    try:
        return Path(path).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ValueError(f"{name}_FILE: cannot be read: {reason}") from None
