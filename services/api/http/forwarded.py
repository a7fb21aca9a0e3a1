"""The address of the caller behind trusted proxies."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import hdrs, web

from services.api.http.appkeys import SETTINGS
from shared.process.networks import Network

_MOST_HOPS = 32  # hops that are checked


def remote(request: web.BaseRequest, trusted: Sequence[Network]) -> str | None:
    """Return the address of the caller: the last hop that is not a trusted proxy.

    Each proxy appends the address of its caller to X-Forwarded-For, so addresses that a caller
    wrote there itself come before and are never used.
    """
    peer = _address(request.remote or "")
    if peer is None or not _is_trusted(peer, trusted):
        return request.remote
    hops = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).split(",")
    for hop in reversed(hops[-_MOST_HOPS:]):
        address = _address(hop.strip())
        if address is None:
            break
        peer = address
        if not _is_trusted(peer, trusted):
            break
    return str(peer)


def of(request: web.Request) -> str | None:
    """Return the address of the caller behind the proxies of TRUSTED_PROXIES."""
    return remote(request, request.app[SETTINGS].trusted_proxies)


def _is_trusted(address: IPv4Address | IPv6Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address with or without a port, or None if it is none, such as `unknown`."""
    host = text.partition("]")[0].removeprefix("[")
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
