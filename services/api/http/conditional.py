"""Entity tags: which state of the ledger, and which way to write it, an answer shows."""

import hashlib
from collections.abc import Sequence

from aiohttp import hdrs, web

from services.api.http.appkeys import CODING

# Goes into every tag; another number makes all answers new where rows are written in another way.
_FORM = 1


def entity_tags(version: str) -> tuple[str, str]:
    """Return the tags of an answer at `version`: as it is, and coded with gzip."""
    tag = hashlib.sha256(f"{_FORM} {version}".encode()).hexdigest()[:32]
    return tag, f"{tag}-gzip"


def had_already(request: web.Request, tags: Sequence[str]) -> str | None:
    """Return which of the answers with these tags the caller has (RFC 9110, 13.1.2), or None.

    The last one is coded with gzip: who rules that out is sent the whole answer, because a
    cache would show what it has under that tag.
    """
    if hdrs.ACCEPT_ENCODING in request.headers and not request[CODING].gzip:
        tags = tags[:-1]
    for each in request.if_none_match or ():
        # Compared weakly: a proxy may have weakened a tag of ours.
        if each.value in tags:
            return each.value
        if each.value == "*":
            return tags[0]
    return None


def headers(tag: str) -> dict[str, str]:
    """Return what an answer with this tag says to caches: keep it, but ask before each use."""
    return {
        hdrs.ETAG: f'"{tag}"',
        hdrs.CACHE_CONTROL: "private, no-cache",
        hdrs.VARY: "Authorization, Accept-Encoding",
    }
