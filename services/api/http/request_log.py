"""The parts of a request that may be logged: no address, no token, no key."""

import re

from aiohttp import web

# Numbers, dates and UUIDs; tokens of links are longer.
_SAFE_VALUE = re.compile(r"[0-9A-Fa-f-]{1,36}")
_PART = re.compile(r"\{(\w+)\}")
# The first segments of routes; the rest of a path that no route matches may contain anything.
_KNOWN = frozenset(
    {"api", "assets", "docs", "favicon.ico", "health", "metrics", "openapi.json", "problems"}
    | {"reports", "sign-in", "sign-out", "unsubscribe", "verify"}
)
_VISIBLE = re.compile(r"[!-~]{1,128}")
# A key without its prefix, or a token: long, but not a hexadecimal digest or trace id.
_LIKE_A_KEY = re.compile(r"(?![0-9a-f]+(?![0-9A-Za-z_-]))[0-9A-Za-z_-]{40,}")


def path(request: web.Request) -> str:
    """Return the path of a request: its route's template with the values that are not personal."""
    resource = request.match_info.route.resource
    if resource is None:
        return _beginning(request.path)
    given = request.match_info

    def value(part: re.Match[str]) -> str:
        said = given.get(part[1], "")
        return said if _SAFE_VALUE.fullmatch(said) else part[0]

    return _PART.sub(value, resource.canonical)


def request_id(given: str | None) -> str | None:
    """Return the caller's id of a request; None if there is none or it may be a secret."""
    if given is None or not _VISIBLE.fullmatch(given):
        return None
    return None if "@" in given or _LIKE_A_KEY.search(given) else given


def _beginning(path: str) -> str:
    first, more, _ = path.removeprefix("/").partition("/")
    shown = first if first in _KNOWN else "…"
    return f"/{shown}/…" if more and shown == first else f"/{shown}"
