"""Links to a page on which a customer can pay, made from a business's template."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from shared.statements.money import plain

#: What a template may contain in braces.
PLACEHOLDERS: Final = ("amount", "currency", "reference", "customer_id")
#: Characters of a template, at most.
LONGEST: Final = 500
_SCHEME: Final = "https://"
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
# Visible ASCII without quotes, angle brackets and others that RFC 3986 keeps out of a URL.
_PLAIN: Final = re.compile(r"(?:[!#$&-;=?-\[\]_a-z{}~]|%[0-9A-Fa-f]{2})*")
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?(?::([0-9]{{1,5}}))?")
_PORTS: Final = range(1, 65536)


@dataclass(frozen=True, slots=True)
class PayLink:
    """A template that was checked; only `parse` makes one."""

    template: str


def parse(text: str) -> PayLink:
    """Return the template of a link. Raises ValueError with the reason if it is not usable.

    It is an https address with a host, without user or password. Placeholders stand only after the
    host.
    """
    if len(text) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters")
    if not text.startswith(_SCHEME):
        raise ValueError("must begin with https://")
    if not _PLAIN.fullmatch(text):
        raise ValueError("must contain only the ASCII characters of a URL, without blanks")
    _check_placeholders(text)
    _check_host(text)
    return PayLink(text)


def fill(link: PayLink, values: Mapping[str, str]) -> str:
    """Return the link with a value, percent-encoded, in the place of each placeholder."""
    return _BRACES.sub(lambda found: quote(values[found[1]], safe=""), link.template)


def of_balance(
    template: str, closing: Decimal, *, currency: str, customer_id: int, end: date
) -> str:
    """Return the link for paying the closing balance of a statement until `end`.

    Raises ValueError if the template is not usable.
    """
    values = {
        "amount": plain(closing, currency),
        "currency": currency,
        "reference": f"{customer_id}-{end}",
        "customer_id": str(customer_id),
    }
    return fill(parse(template), values)


def _check_placeholders(text: str) -> None:
    for name in _BRACES.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise ValueError(f"{{{name}}} is unknown; the placeholders are {known}")
    if set(_BRACES.sub("", text)) & {"{", "}"}:
        raise ValueError("has a brace without its other half")


def _check_host(text: str) -> None:
    host = re.split("[/?#]", text.removeprefix(_SCHEME), maxsplit=1)[0]
    if "{" in host:
        raise ValueError("must not have a placeholder before or in the host")
    if "@" in host:
        raise ValueError("must not have a user or a password")
    found = _HOST.fullmatch(host)
    if found is None or int(found[1] or 1) not in _PORTS:
        raise ValueError("must have a host name after https://")
