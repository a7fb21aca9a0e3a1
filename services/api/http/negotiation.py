"""Reads Accept, Accept-Encoding and Accept-Language (RFC 9110, 12.5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_HEADER_CHARS_MAX = 4096  # characters of a header that are read; a browser sends 200
_HEADERS_KEPT = 256  # programs send the same header each time
_QUALITY = re.compile(r"[01](\.[0-9]{0,3})?")


@dataclass(frozen=True, slots=True)
class Coding:
    """The codings that a caller accepts: whether it prefers gzip, and whether it accepts plain."""

    gzip: bool
    identity: bool


PLAIN = Coding(gzip=False, identity=True)


@lru_cache(_HEADERS_KEPT)
def best(accept: str, produced: tuple[str, ...]) -> str | None:
    """Return the one of these media types that a caller with this Accept (empty: none) likes best.

    Of those that it likes equally, it is one that Accept names rather than one that only a wildcard
    admits, otherwise the first. None: the caller can read none of them.
    """
    if not accept:
        return produced[0]
    given = _qualities(accept)
    liked = max(produced, key=lambda media: _quality(given, media))
    return liked if _quality(given, liked)[0] > 0 else None


def accepts(accept: str, produced: tuple[str, ...]) -> bool:
    """Return whether a caller with this Accept (empty: none) can read one of these media types."""
    return best(accept, produced) is not None


def names(accept: str, media: str) -> bool:
    """Return whether this Accept asks for a media type by its name, as a browser does for pages."""
    return _qualities(accept).get(media, 0.0) > 0


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


def language(accept_language: str, spoken: Sequence[str]) -> str:
    """Return the one of these languages that this Accept-Language likes best; the first if none.

    Countries make no difference: `fr-CA` likes `fr`.
    """
    given = _qualities(accept_language)
    for tag in sorted(given, key=given.__getitem__, reverse=True):
        name = tag.partition("-")[0]
        if name in spoken and given[tag] > 0:
            return name
    return spoken[0]


def _quality(given: Mapping[str, float], media: str) -> tuple[float, int]:
    """Return the quality of a media type, and how precisely it was named."""
    # The most precise range decides (RFC 9110, 12.5.1).
    ranges = ("*/*", f"{media.partition('/')[0]}/*", media)
    named = (each for each in (2, 1, 0) if ranges[each] in given)
    precision = next(named, None)
    return (0.0, 0) if precision is None else (given[ranges[precision]], precision)


@lru_cache(_HEADERS_KEPT)
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
