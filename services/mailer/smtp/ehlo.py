"""The name in EHLO: RFC 5321, 4.1.1.1 and 4.1.3."""

import re
import socket
from ipaddress import IPv6Address, ip_address

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_QUALIFIED = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)+(?=[A-Za-z]){_LABEL}")
# Ends of the names of machines that have no name of their own.
_NO_NAMES = (".localdomain", ".localhost", ".arpa", ".invalid")


def own_name() -> str | None:
    """Return this machine's fully-qualified name, None if it has none; may use the resolver."""
    name = socket.getfqdn()
    known = _QUALIFIED.fullmatch(name) is not None and not name.lower().endswith(_NO_NAMES)
    return name if known else None


def literal(address: str) -> str:
    """Return an IP address as an address literal: [192.0.2.1] or [IPv6:2001:db8::1]."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        return f"[{ip.ipv4_mapped}]" if ip.ipv4_mapped else f"[IPv6:{ip}]"
    return f"[{ip}]"


def is_name(text: str) -> bool:
    """Return whether EHLO may have `text`: a fully-qualified name or an address literal."""
    if text.startswith("[") and text.endswith("]"):
        try:
            return literal(text[1:-1].removeprefix("IPv6:")) == text
        except ValueError:
            return False
    return _QUALIFIED.fullmatch(text) is not None
