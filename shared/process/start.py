"""The first line of a process's log: what it is, and which neighbours it was given."""

from importlib.metadata import version
from urllib.parse import unquote, urlsplit

import structlog

_log = structlog.get_logger("ledgerpost.start")


def tell(process: str, **neighbours: str) -> None:
    """Log that a process starts, with the place of each neighbour, named as it is to be called."""
    places = (f", {name} at {place(url)}" for name, url in neighbours.items())
    _log.info(f"Ledgerpost {version('ledgerpost')} {process}{''.join(places)}")


def place(url: str) -> str:
    """Return the hosts and the path of a URL; never its user, its password or its parameters."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2] or "a socket"
    return hosts + unquote(parts.path)
