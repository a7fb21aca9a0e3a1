"""Entity tags: which state of the ledger, and which way to write it, an answer shows."""

import hashlib

from aiohttp import hdrs, web

# Goes into every tag; another number makes all answers new where rows are written in another way.
_FORM = 1


def entity_tag(version: str, variant: str = "") -> str:
    """Return the tag of an answer at `version`; `variant` tells its codings and formats apart."""
    text = f"{_FORM} {version} {variant}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def not_modified(request: web.Request, tag: str) -> bool:
    """Return whether the caller has the answer with this tag already (RFC 9110, 13.1.2)."""
    given = request.if_none_match
    if not given:
        return False
    # Compared weakly: a proxy may have weakened a tag of ours.
    return any(each.value in (tag, "*") for each in given)


def headers(tag: str) -> dict[str, str]:
    """Return what an answer with this tag says to caches: keep it, but ask before each use."""
    return {
        hdrs.ETAG: f'"{tag}"',
        hdrs.CACHE_CONTROL: "private, no-cache",
        hdrs.VARY: "Authorization",
    }
