"""Reads Accept and Accept-Encoding (RFC 9110, 12.5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_HEADER_CHARS_MAX = 4096  # characters of a header that are read; a browser sends 200
_QUALITY = re.compile(r"[01](\.[0-9]{0,3})?")


@dataclass(frozen=True, slots=True)
class Coding:
    """The codings that a caller accepts: whether it prefers gzip, and whether it accepts plain."""

    gzip: bool
    identity: bool


PLAIN = Coding(gzip=False, identity=True)


def accepts(accept: str, produced: Sequence[str]) -> bool:
    """Return whether a caller with this Accept (empty: none) can read one of these media types."""
    if not accept:
        return True
    given = _qualities(accept)
    return any(_quality(given, media) > 0 for media in produced)


def prefers_html(accept: str) -> bool:
    """Return whether a caller with this Accept prefers a page to JSON, like a browser."""
    given = _qualities(accept)
    wanted = given.get("text/html", 0.0)
    return wanted > 0 and wanted >= given.get("application/json", 0.0)


def coding(accept_encoding: str) -> Coding | None:
    """Return the codings that this Accept-Encoding accepts, or None if it accepts none of ours.

    Plain is accepted unless it is ruled out; gzip is preferred if it is named.
    """
    if not accept_encoding.strip():
        return PLAIN
    given = _qualities(accept_encoding)
    others = given.get("*")
    gzip = given.get("gzip", given.get("x-gzip", others or 0.0))
    plain = given.get("identity", others)
    if gzip > 0:
        return Coding(gzip=gzip >= given.get("identity", 0.0), identity=plain is None or plain > 0)
    return PLAIN if plain is None or plain > 0 else None


def _quality(given: Mapping[str, float], media: str) -> float:
    # The most precise range decides (RFC 9110, 12.5.1).
    ranges = (media, f"{media.partition('/')[0]}/*", "*/*")
    return next((given[each] for each in ranges if each in given), 0.0)


def _qualities(header: str) -> Mapping[str, float]:
    """Return the listed values with their quality; a malformed quality counts as 1.

    Only the first 4096 characters of a header are read.
    """
    found: dict[str, float] = {}
    for item in header[:_HEADER_CHARS_MAX].split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q" and _QUALITY.fullmatch(value.strip()):
                quality = min(1.0, float(value))
        if name:
            found[name] = max(quality, found.get(name, 0.0))
    return found
