"""DKIM keys for tests, their records, and dkimpy's verdict on a mail."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

import dkim

from shared.mail.dkim_key import DkimKey, KeyType

DOMAIN = "mail.example"
Records = Mapping[str, Sequence[str]]


@cache
def key(selector: str, kind: KeyType = "rsa", domain: str = DOMAIN) -> DkimKey:
    return DkimKey.make(selector, domain, kind)


def records(*keys: DkimKey) -> Records:
    """Return the TXT record of each key as a zone file has it, by its name."""
    return {f"{each.name}.": [" ".join(re.findall('"[^"]*"', each.record))] for each in keys}


def text(record: str) -> str:
    """Return the text of a TXT record of several strings."""
    return "".join(re.findall('"([^"]*)"', record))


def verdicts(data: bytes, published: Records) -> list[bool]:
    """Return for each signature of a mail whether it is good, by dkimpy."""
    known = {name: text(found[0]).encode() for name, found in published.items()}
    head = data.partition(b"\r\n\r\n")[0]
    count = len(re.findall(rb"^DKIM-Signature:", head, re.MULTILINE))
    return [_good(data, index, known) for index in range(count)]


def _good(data: bytes, index: int, known: Mapping[str, bytes]) -> bool:
    def found(name: bytes, timeout: float = 0) -> bytes | None:
        return known.get(name.decode())

    try:
        return bool(dkim.DKIM(data).verify(idx=index, dnsfunc=found))
    except dkim.DKIMException:
        return False
