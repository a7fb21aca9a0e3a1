"""Actions of the judge that break RFC 5321."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

Step = Literal[
    "connect", "ehlo", "helo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset"
]


@dataclass(frozen=True)
class Say:
    """Send this reply instead of the judge's own, or exactly these bytes if `raw`."""

    text: str | bytes
    raw: bool = False


@dataclass(frozen=True)
class Delay:
    """Continue after this number of seconds."""

    seconds: float


@dataclass(frozen=True)
class Wait:
    """Continue once this event is set."""

    event: asyncio.Event


@dataclass(frozen=True)
class Hang:
    """Send nothing more on this connection; with `reading`, go on reading."""

    reading: bool = True


@dataclass(frozen=True)
class Drop:
    """Close the connection (FIN)."""


@dataclass(frozen=True)
class Reset:
    """Reset the connection (RST)."""


@dataclass(frozen=True)
class HalfClose:
    """Send a FIN and go on reading."""


@dataclass(frozen=True)
class Flood:
    """Send `unit` again and again for as long as the peer takes it, at most `limit` bytes."""

    unit: bytes
    limit: int = 64 * 1024 * 1024


@dataclass(frozen=True)
class Accept:
    """At "dot": accept the mail, whatever comes after."""


Action = Say | Delay | Wait | Hang | Drop | Reset | HalfClose | Flood | Accept


@dataclass
class Rule:
    """Do `actions` at `step`, for one recipient or all, after `skip` times, at most `times` times.

    When no action answers or ends the connection, the judge goes on as RFC 5321 says.
    """

    step: Step
    actions: tuple[Action, ...]
    recipient: str | None = None
    skip: int = 0
    times: int | None = None
    met: int = field(default=0, init=False)

    def takes(self, step: Step, recipient: str | None) -> bool:
        """Return whether the rule applies now, and count it."""
        if step != self.step or self.recipient not in {None, recipient}:
            return False
        self.met += 1
        return self.met > self.skip and (self.times is None or self.met <= self.skip + self.times)
