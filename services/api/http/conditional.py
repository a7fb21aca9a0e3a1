"""Entity tags, which identify the state of the ledger that an answer shows, and its form."""

import hashlib
from collections.abc import Sequence

from aiohttp import hdrs, web

from services.api.http.appkeys import CODING
from services.api.openapi.headers import VARY

# Part of every tag; a new number makes all tags new after a change in the form of the rows.
_FORM = 1


def entity_tags(version: str) -> tuple[str, str]:
    """Return the tags of an answer at `version`: uncompressed, and with gzip."""
    return tags_of(f"{_FORM} {version}".encode())


def tags_of(content: bytes) -> tuple[str, str]:
    """Return the tags of an answer that `content` decides: uncompressed, and with gzip."""
    tag = hashlib.sha256(content).hexdigest()[:32]
    return tag, f"{tag}-gzip"


def had_already(request: web.Request, tags: Sequence[str]) -> str | None:
    """Return the first of `tags` that If-None-Match names (RFC 9110, 13.1.2), or None.

    The last tag is the gzip variant. It is ignored if the caller forbids gzip: a cache would
    otherwise serve its gzip copy on our 304.
    """
    if hdrs.ACCEPT_ENCODING in request.headers and not request[CODING].gzip:
        tags = tags[:-1]
    for each in request.if_none_match or ():
        # A weak comparison, because a proxy may have weakened our tag.
        if each.value in tags:
            return each.value
        if each.value == "*":
            return tags[0]
    return None


def headers(tag: str) -> dict[str, str]:
    """Return the headers of an answer with this tag: caches store it, and ask before each use."""
    return {
        hdrs.ETAG: f'"{tag}"',
        hdrs.CACHE_CONTROL: "private, no-cache",
        hdrs.VARY: VARY.example,
    }
