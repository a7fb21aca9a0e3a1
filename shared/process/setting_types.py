"""The types of settings, each with the words that say what a value should be."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from shared.db import databases
from shared.db.postgres_url import understood
from shared.mail.address import Unsendable, wire_form
from shared.process import listen_addresses
from shared.process.listen_addresses import ListenAddress
from shared.process.networks import Network, read

# One host of a URL, with or without a port; Postgres takes several, or none for a socket.
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]*)?")
# As a browser writes it: in lower case, without a path or the scheme's own port.
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("should be a number with a unit: 30s, 10m, 72h or 3d")
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError:
        raise ValueError("is too long") from None


def _checked(*schemes: str) -> Callable[[object], object]:
    """Return a function that returns its argument, and raises ValueError if it is no such URL."""

    def check(value: object) -> object:
        if value is None:
            return None
        parts = urlsplit(str(value))
        if parts.scheme not in schemes or not (parts.hostname or parts.query):
            begins = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ValueError(f"should be a URL that begins with {begins}")
        hosts = parts.netloc.rpartition("@")[2].split(",")
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError(
                "has a port that is not a number; percent-encode / and : in the password"
            )
        # Part of the password may be taken for a port or a path, which are logged.
        behind = parts.path if parts.scheme.startswith("postgres") else parts.path + parts.query
        if parts.fragment or ("@" in behind and "@" not in parts.netloc):
            raise ValueError("ends its host too early: percent-encode / ? # and @ in the password")
        return value

    return check


def _url(*schemes: str) -> BeforeValidator:
    return BeforeValidator(_checked(*schemes))


_postgres = _checked("postgresql", "postgres")


def _postgres_url(value: object) -> object:
    return None if value is None else understood(str(_postgres(value)))


def _named(url: str) -> str:
    """Check that every host of a URL has a name: RabbitMQ has no Unix socket as a default."""
    hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    if any(host.partition(":")[0] == "" for host in hosts):
        raise ValueError("has an empty host name")
    return url


def _prefix(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,100}", name):
        raise ValueError("should be 3 to 100 letters, digits, dots, hyphens and underscores")
    return name


def _domain(name: str | None) -> str | None:
    """Return the name of a mail domain in ASCII."""
    try:
        return None if name is None else wire_form(f"bounce@{name}")[1]
    except Unsendable:
        raise ValueError("should be the name of a domain, like bounces.example") from None


def _origins(value: object) -> object:
    given = [each.strip() for each in value.split(",")] if isinstance(value, str) else value
    for each in given if isinstance(given, list) else ():
        if each != "*" and not _ORIGIN.fullmatch(each):
            raise ValueError("should be * or origins like https://app.example, with commas between")
    return given


def _databases(value: object) -> object:
    """Return the URL of each database by its name."""
    if not isinstance(value, str):
        return value
    found = databases.entries(value)
    for name, url in found.items():
        try:
            _postgres_url(url)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]
Delay = Annotated[timedelta, BeforeValidator(_duration), Field(le=timedelta(minutes=10))]
Port = Annotated[int, Field(ge=0, le=65535)]
PostgresUrl = Annotated[str | None, BeforeValidator(_postgres_url), Field(repr=False)]
DatabaseUrls = Annotated[dict[str, str], BeforeValidator(_databases), Field(repr=False)]
AmqpUrl = Annotated[str, _url("amqp", "amqps"), AfterValidator(_named), Field(repr=False)]
SearchedAmqpUrl = Annotated[
    str | None, _url("amqp", "amqps"), AfterValidator(_named), Field(repr=False)
]
SmtpUrl = Annotated[str, _url("smtp", "smtps"), Field(repr=False)]
Secret = Annotated[str | None, Field(min_length=32, repr=False)]
Rate = Annotated[float | None, Field(gt=0, le=10_000, allow_inf_nan=False)]
QueuePrefix = Annotated[str | None, AfterValidator(_prefix)]
Domain = Annotated[str | None, AfterValidator(_domain)]
Origins = Annotated[tuple[str, ...], BeforeValidator(_origins)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(read)]
ListenAddresses = Annotated[tuple[ListenAddress, ...], BeforeValidator(listen_addresses.read)]
HttpUrl = Annotated[str, _url("http", "https")]
CollectorUrl = Annotated[str | None, _url("http", "https"), Field(repr=False)]
