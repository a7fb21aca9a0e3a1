"""Colours that can be read: contrast as WCAG 2.2 computes it, and variants of an accent colour."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

#: The least contrast of text with its background at level AA of WCAG 2.2.
READABLE: Final = 4.5
#: The accent of a business that has chosen none.
ACCENT: Final = "#0b5c4d"
#: The card of a mail in dark mode.
DARK: Final = "#1b2127"
_WHITE: Final = "#ffffff"
_STRAIGHT: Final = 0.04045  # up to here WCAG's relative luminance is a straight line
_TINT: Final = 10  # percent of the accent in its tint, at most

_Channels = tuple[int, int, int]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours such as `#0b5c4d`, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=1024)
def on_dark(accent: str) -> str:
    """Return the accent, made lighter until it can be read in dark mode."""
    return next(shade for shade in _towards(accent, _WHITE) if contrast(shade, DARK) >= READABLE)


@lru_cache(maxsize=1024)
def tint(accent: str) -> str:
    """Return a pale background on which the accent can be read: white, if no other can be."""
    palest = (_mixed(accent, _WHITE, 100 - share) for share in range(_TINT, 0, -1))
    return next((shade for shade in palest if contrast(shade, accent) >= READABLE), _WHITE)


def _towards(one: str, other: str) -> Iterator[str]:
    return (_mixed(one, other, percent) for percent in range(101))


def _mixed(one: str, other: str, percent: int) -> str:
    """Return a colour that has so many percent of the other one."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{(a * (100 - percent) + b * percent) // 100:02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= _STRAIGHT else float(((share + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> _Channels:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
