"""The metrics of a running process, for a support bundle."""

import http.client
import re
from ipaddress import ip_address

_PATIENCE_S = 3.0
_OCTETS_MAX = 512 * 1024
# Our metrics and those of a process; labels with words of ours and templates of routes only.
_LINE = re.compile(
    r"(?:ledgerpost|process|python)_[a-z0-9_]{1,80}"
    r"(?:\{(?:[a-z_]{1,30}=\"[A-Za-z0-9_./{}+:-]{0,80}\",?){0,8}\})? [0-9.eE+-]{1,30}|"
    r"# TYPE [a-z0-9_]{1,80} [a-z]{1,12}"
)


def snapshot(host: str, port: int) -> str:
    """Return the metrics that the process at this address shows; other lines are left out.

    Raises OSError or http.client.HTTPException if there are none.
    """
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read(_OCTETS_MAX).decode("utf-8", "replace")
    finally:
        connection.close()
    return "".join(f"{line}\n" for line in text.splitlines() if _LINE.fullmatch(line))


def _reachable(host: str) -> str:
    """Return an address of this machine for one that means all of its addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 -- the two versions of IP
