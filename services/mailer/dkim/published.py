"""What the DNS or a zone file has of a DKIM key, and what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
import dns.zone
from dns.rdtypes.ANY.TXT import TXT
from dns.tokenizer import Tokenizer
from dns.zonefile import Reader

from shared.mail.dkim_key import DkimKey

_PATIENCE_S: Final = 10.0
_PORT: Final = 53
_TTL: Final = 3600  # of records that name none; it does not matter here

Records = Callable[[DkimKey], Sequence[str]]


class Unknown(Exception):
    """What is published cannot be found out; the text says why, in one line."""


def fault(key: DkimKey, records: Sequence[str]) -> str | None:
    """Return what is wrong with the TXT records of a key, as the rest of a sentence; or None."""
    if not records:
        return "is not published. Add this record:"
    if len(records) > 1:
        return f"has {len(records)} TXT records. Leave only this one:"
    tags = _tags(records[0])
    if tags.get("p") == "":
        return "is revoked by its empty p=. Make a key with a new selector; this was its record:"
    found = next(_faults(key, tags), None)
    return found and f"{found}. Replace it by this one:"


def _faults(key: DkimKey, tags: Mapping[str, str]) -> Iterator[str]:
    public = tags.get("p")
    if public is None or tags.get("v", "DKIM1") != "DKIM1":
        yield "has a TXT record that is none of DKIM"
    elif tags.get("k", "rsa") != key.kind:
        yield "has a record of another type of key in k="
    elif public != key.public and key.public.startswith(public):
        yield (
            f"has a record that is cut: its p= has {len(public)} of {len(key.public)} characters;"
            " it should be in several strings"
        )
    elif public != key.public:
        yield "has a record with another public key"
    if "sha256" not in _listed(tags.get("h", "sha256")):
        yield "has a record whose h= does not allow sha256"
    if not {"*", "email"} & _listed(tags.get("s", "*")):
        yield "has a record whose s= does not allow email"
    if "y" in _listed(tags.get("t", "")):
        yield "has a record that is for tests only, by t=y: no signature counts"


def _tags(record: str) -> dict[str, str]:
    """Return the values by tag, without blanks; later ones of a tag do not count."""
    found: dict[str, str] = {}
    for each in record.split(";"):
        tag, _, value = each.partition("=")
        found.setdefault(tag.strip(), "".join(value.split()))
    return found


def _listed(value: str) -> set[str]:
    return set(value.split(":"))


def resolver(server: str | None) -> dns.resolver.Resolver:
    """Return what asks the system's DNS servers, or this one.

    Raises Unknown if `server` is no address, or the system has none.
    """
    try:
        made = dns.resolver.Resolver(configure=server is None)
    except dns.resolver.NoResolverConfiguration:
        raise Unknown("the system names no DNS server: give one by --resolver") from None
    if server is not None:
        made.nameservers = [_server(server)]
    return made


def in_dns(server: str | None) -> Records:
    """Return what asks the DNS for the records of a key: the system's servers, or this one.

    Raises Unknown if `server` is no address.
    """
    made = resolver(server)
    return lambda key: asked(made, key.name, "TXT")


def asked(
    made: dns.resolver.Resolver, name: str, kind: str, patience: float = _PATIENCE_S
) -> list[str]:
    """Return the records of a name; a TXT record as its text. Raises Unknown if no server tells.

    `patience` is for all servers and repetitions together, in seconds.
    """
    try:
        absolute = dns.name.from_text(f"{name}.")
        answer = made.resolve(absolute, kind, lifetime=patience, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        silent = isinstance(error, dns.exception.Timeout)
        why = "no server answers" if silent else "the servers fail"
        raise Unknown(f"the DNS does not tell of {name}: {why}") from None
    return [_text(each) if isinstance(each, TXT) else each.to_text() for each in answer]


def _server(text: str) -> dns.nameserver.Do53Nameserver:
    bare = text.count(":") > 1 and not text.startswith("[")
    try:
        parts = urlsplit(f"//[{text}]" if bare else f"//{text}")
        address = str(ip_address(parts.hostname or ""))
        return dns.nameserver.Do53Nameserver(address, parts.port or _PORT)
    except ValueError:
        raise Unknown(
            f"--resolver {text}: should be an IP address, with or without a port"
        ) from None


def in_zone(path: Path) -> Records:
    """Return what finds the records of a key in a zone file. Raises Unknown if it cannot be read.

    Relative names are those of the key's domain, unless the file has an $ORIGIN.
    """
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Unknown(f"--zone {path}: {reason}") from None

    def records(key: DkimKey) -> Sequence[str]:
        zone = _zone(path, content, key.domain)
        if zone.get_rdataset(f"{key.name}.", "CNAME") is not None:
            raise Unknown(f"--zone {path}: {key.name} is a CNAME, which leads to another zone")
        found = zone.get_rdataset(f"{key.name}.", "TXT")
        return [_text(each) for each in found or () if isinstance(each, TXT)]

    return records


def _zone(path: Path, content: str, domain: str) -> dns.zone.Zone:
    zone = dns.zone.Zone(f"{domain}.", relativize=False)
    try:
        with zone.writer(replacement=True) as transaction:
            given = Tokenizer(content, str(path))
            Reader(given, zone.rdclass, transaction, default_ttl=_TTL).read()
    except (dns.exception.DNSException, ValueError) as error:
        raise Unknown(f"--zone {' '.join(str(error).split())}") from None
    return zone


def _text(record: TXT) -> str:
    return b"".join(record.strings).decode("ascii", "replace")
