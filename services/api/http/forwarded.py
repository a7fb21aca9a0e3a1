"""From where a request comes if proxies stand in front."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import hdrs, web

from services.api.http.appkeys import SETTINGS
from shared.process.networks import Network

_MOST_HOPS = 32  # that are looked at


def remote(request: web.BaseRequest, trusted: Sequence[Network]) -> str | None:
    """Return the address of the caller: of the last hop that is no trusted proxy.

    Each proxy adds at the end of X-Forwarded-For whom it was called by, so what a caller wrote
    there itself stands before that and is never believed.
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
    """Return the same with the proxies of TRUSTED_PROXIES."""
    return remote(request, request.app[SETTINGS].trusted_proxies)


def _is_trusted(address: IPv4Address | IPv6Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, with or without a port; None for anything else, such as `unknown`."""
    host = text.partition("]")[0].removeprefix("[")
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
