"""The smarthost: where mail is handed over, and how long each step may take."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

Tls = Literal["none", "starttls", "starttls_required", "implicit"]

_STARTTLS: dict[str, Tls] = {
    "never": "none",
    "opportunistic": "starttls",
    "required": "starttls_required",
}


@dataclass(frozen=True, slots=True)
class Smarthost:
    """The SMTP server that takes our mails.

    `implicit` and `starttls_required` verify the certificate against the system's authorities
    (OpenSSL's SSL_CERT_FILE adds a private one). `starttls` encrypts when offered and verifies
    nothing; a password then goes unencrypted to this machine only. `none` sends it as it is.
    """

    host: str
    port: int
    tls: Tls = "starttls"
    username: str | None = None
    password: str = field(default="", repr=False)

    @property
    def is_local(self) -> bool:
        """Whether its name is this machine itself, so that no network carries the password."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Parse smtp://user:pass@host:port?starttls=required (or never, opportunistic) or smtps://.

        Raises ValueError with a sentence that repeats nothing of the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("not a URL: percent-encode special characters in it") from None
        if parts.scheme not in {"smtp", "smtps"}:
            raise ValueError("begins with neither smtp:// nor smtps://")
        if not parts.hostname:
            raise ValueError("names no host")
        if parts.path not in {"", "/"} or parts.fragment:
            raise ValueError("has a path or fragment: percent-encode / and # in the password")
        username = unquote(parts.username or "") or None
        password = unquote(parts.password or "")
        if password and username is None:
            raise ValueError("has a password without a user")
        return cls(
            host=parts.hostname,
            port=port or (465 if parts.scheme == "smtps" else 25),
            tls=_tls(parts),
            username=username,
            password=password,
        )


def _tls(parts: SplitResult) -> Tls:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    starttls = options.pop("starttls", None)
    if options:
        raise ValueError("has an unknown option: only starttls is known")
    if parts.scheme == "smtps":
        if starttls is not None:
            raise ValueError("smtps:// takes no starttls option: it is encrypted from the start")
        return "implicit"
    if starttls not in {None, *_STARTTLS}:
        raise ValueError("starttls is none of required, opportunistic, never")
    return _STARTTLS[starttls or "opportunistic"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds by phase: the minima of RFC 5321, 4.5.3.2, within `to_gate` for all before the gate.

    `ahead` is for the reply to a command that was sent ahead of another's reply. A session without
    mail stays parked for `idle`; a parked one that does not answer MAIL within `reuse` is replaced
    by a new one. `leave` is for the replies to QUIT and RSET.
    """

    ready: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    ahead: float = 30
    to_gate: float = 300
    gate: float = 5
    final: float = 600
    idle: float = 30
    reuse: float = 30
    leave: float = 5
