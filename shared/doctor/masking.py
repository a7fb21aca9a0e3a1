"""Removes secrets and mail addresses from texts that an operator may pass on to others."""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

from shared.process import logs
from shared.process.settings import Settings
from shared.text import printable_line

_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;:@]+")
_SECRET_NAMES = re.compile(r"secret|password|token|key", re.IGNORECASE)
_CHARS_MAX = 1000


class Masking:
    """Replaces the secrets of the settings, secrets of known forms, and addresses."""

    def __init__(self, *settings: Settings) -> None:
        found = {secret for each in settings for secret in _secrets(each)}
        # The longest first: one secret may be a part of another.
        self._secrets = sorted(found, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return `text` as one line of at most a thousand characters without any of them."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return printable_line(_ADDRESS.sub("[address]", logs.clean(text)), _CHARS_MAX)


def _secrets(settings: Settings) -> Iterable[str]:
    for name, given in settings:
        for value in given.values() if isinstance(given, dict) else (given,):
            if isinstance(value, str) and value:
                yield from _hidden(name, value)


def _hidden(name: str, value: str) -> Iterable[str]:
    """Yield what has to be hidden of the value of a setting."""
    if _SECRET_NAMES.search(name):
        yield value
    elif "://" in value:
        yield from _passwords(value)


def _passwords(url: str) -> Iterable[str]:
    """Yield the password of a URL as it is written, plain, and encoded in the usual way."""
    written = urlsplit(url).password
    if written:
        plain = unquote(written)
        yield from {written, plain, quote(plain, safe="")}
