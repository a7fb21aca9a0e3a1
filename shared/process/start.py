"""The first log line of a process: its name, and the servers that it uses."""

from importlib.metadata import version
from urllib.parse import unquote, urlsplit

import structlog

from shared.process.settings import Settings

_log = structlog.get_logger("ledgerpost.start")


def log_start(process: str, settings: Settings, **neighbours: str) -> None:
    """Log that a process starts, with the host of each server; the keywords are their names.

    A setting that was given under its old name is logged as a warning.
    """
    _log.info(
        "process_started",
        program=process,
        version=version("ledgerpost"),
        servers=[f"{name} at {place(url)}" for name, url in neighbours.items()],
    )
    for old, new in settings.old_names.items():
        _log.warning(
            "setting_renamed",
            setting=old,
            new_name=new,
            hint="the old name works until the next release",
        )


def place(url: str) -> str:
    """Return the hosts and the path of a URL, without user, password and parameters."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2] or "a socket"
    return hosts + unquote(parts.path)
