"""Reads the addresses on which mail servers reach us, in a setting."""

import re
from typing import Literal, NamedTuple, cast
from urllib.parse import urlsplit

_FORM = "should be addresses like smtp://127.0.0.1:2525 or lmtp:///run/returns, with commas between"
# Of a Unix socket, in Linux.
_PATH_BYTES_MAX = 107


class ListenAddress(NamedTuple):
    """A protocol, and where it is spoken: a host and port, or without a port a Unix socket."""

    protocol: Literal["smtp", "lmtp"]
    place: str
    port: int | None

    def __str__(self) -> str:
        """Return the address as it is written in the setting."""
        host = f"[{self.place}]" if ":" in self.place else self.place
        return f"{self.protocol}://{self.place if self.port is None else f'{host}:{self.port}'}"


def read(value: object) -> object:
    """Return the addresses in a comma-separated text. Raises ValueError if one is malformed."""
    if not isinstance(value, str):
        return value
    return tuple(_one(each.strip()) for each in value.split(","))


def _one(text: str) -> ListenAddress:
    if not re.fullmatch(r"(?:smtp|lmtp)://[!-~]+", text):
        raise ValueError(_FORM)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(_FORM) from None
    protocol = cast('Literal["smtp", "lmtp"]', parts.scheme)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(_FORM)
    if not parts.netloc and 1 < len(parts.path) <= _PATH_BYTES_MAX:
        return ListenAddress(protocol, parts.path, None)
    if host is None or port is None or parts.path:
        raise ValueError(_FORM)
    return ListenAddress(protocol, host, port)
