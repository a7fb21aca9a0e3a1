"""Settings as the environment has them: as NAME or NAME_FILE, or under the old name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

#: The old name of each setting that has a new one; it works for one release.
OLD_NAMES: Final = {"SMARTHOST_RATE": "RELAY_RATE"}


class Given(NamedTuple):
    """A setting that the environment has, and the name under which it is there."""

    name: str
    value: str


def setting(environ: Mapping[str, str], name: str) -> Given | None:
    """Return the setting `name`, also if it has its old name; None if it is not set.

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
    value, path = environ.get(name), environ.get(f"{name}_FILE")
    if value is not None and path is not None:
        raise ValueError(f"{name}: set either {name} or {name}_FILE, not both")
    if path is None:
        return value or None
    try:
        return Path(path).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ValueError(f"{name}_FILE: cannot be read: {reason}") from None
