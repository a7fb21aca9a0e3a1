"""What senders may take of the process: connections, memory, mails a minute."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.returns import parts

_MINUTE_S = 60.0


def host_of(peer: object) -> str:
    """Return the address of a sender without its port; that of a Unix socket is empty."""
    return str(peer[0]) if isinstance(peer, tuple) else ""


@dataclass(frozen=True)
class Limits:
    """The limits on senders; `_each` is for those with the same address."""

    connections: int = 200
    connections_each: int = 100
    recipients: int = 50  # of one mail
    # More than any mail of ours can have become on its way: what came back may contain all of it.
    mail_bytes: int = 25 * 1024 * 1024
    kept_bytes: int = parts.BYTES_MAX  # the beginning of a mail; the rest is not kept
    memory_bytes: int = 32 * 1024 * 1024  # for the mails that are being received
    refusals: int = 20  # since the last mail that was taken in
    replies: int = 500  # since the last mail that was taken in
    mails_a_minute: int = 30_000
    mails_a_minute_each: int = 20_000
    silence_s: float = 300.0  # RFC 5321, 4.5.3.2.7
    content_s: float = 600.0  # for the whole content of one mail
    closing_s: float = 25.0  # for mails that are being received when the process stops


class Connections:
    """Counts the open connections, also by the address of the sender."""

    def __init__(self, limits: Limits) -> None:
        """Create it without connections."""
        self._limits = limits
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a new connection from an address; False if there is no place for it.

        An empty address is that of a Unix socket, whose senders have none.
        """
        each = self._limits.connections_each if address else self._limits.connections
        if self.number >= self._limits.connections or self._by_address[address] >= each:
            return False
        self._by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection no longer."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    @property
    def number(self) -> int:
        """How many there are."""
        return self._by_address.total()


class Memory:
    """The memory for mails that are being received."""

    def __init__(self, size: int) -> None:
        """Create it with a size in bytes, all of which is free."""
        self.free = size

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Within the `with`, one mail may hold some of it."""
        share = Share(self)
        try:
            yield share
        finally:
            share.give_back()


class Share:
    """The part of the memory that one mail holds."""

    def __init__(self, memory: Memory) -> None:
        """Create it empty."""
        self._memory = memory
        self._size = 0

    def take(self, size: int) -> bool:
        """Hold more; False if there is not so much."""
        if size > self._memory.free:
            return False
        self._memory.free -= size
        self._size += size
        return True

    def give_back(self) -> None:
        """Hold nothing any more."""
        self._memory.free += self._size
        self._size = 0


class Pace:
    """The number of mails that may begin in each minute, also by the address of the sender."""

    def __init__(self, limits: Limits) -> None:
        """Create it at the begin of a minute."""
        self._limits = limits
        self._begun = time.monotonic()
        self._mails = 0
        self._by_address: Counter[str] = Counter()

    def admits(self, address: str) -> bool:
        """Count a mail from an address; False if there were too many in this minute.

        One that is not admitted does not count. An empty address is that of a Unix socket.
        """
        now = time.monotonic()
        if now - self._begun >= _MINUTE_S:
            self._begun, self._mails = now, 0
            self._by_address.clear()
        most = self._limits.mails_a_minute
        each = self._limits.mails_a_minute_each if address else most
        if self._mails >= most or self._by_address[address] >= each:
            return False
        self._mails += 1
        self._by_address[address] += 1
        return True
