"""The mails of a case come back: a mail server bounces each until the listener has accepted it."""

import asyncio
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.faults.processes import Child
from tests.faults.world import World
from tests.services.mailer.returns.mail_server import GONE, MailServer, connected

SETTINGS = {
    "RETURN_SECRET": "a secret of the fault tests, long enough",
    "BOUNCE_DOMAIN": "bounces.example",
}
CONNECTIONS = 5
_RETRY_S = 0.05
# Of each mail: its state, and how often it came back, was told as bounced, and is suppressed.
_COUNTED = """SELECT d.email, d.state,
        (SELECT count(*) FROM returns r WHERE r.delivery_id = d.id) AS returns,
        (SELECT count(*) FROM returned_mails m JOIN returns r ON r.id = m.return_id
         WHERE r.delivery_id = d.id) AS kept,
        (SELECT count(*) FROM delivery_events e
         WHERE e.delivery_id = d.id AND e.state = 'bounced') AS events,
        (SELECT count(*) FROM suppressions s
         WHERE s.business_id = d.business_id AND s.email_key = d.email_key) AS suppressions
    FROM deliveries d"""


@dataclass
class Bouncer:
    """A mail server that sends bounces to a port, each again until the reply is 250.

    It halts once at `halts_at`, until `released` is set.
    """

    port: int
    protocol: Literal["smtp", "lmtp"] = "smtp"
    halts_at: Literal["rcpt", "content"] | None = None
    halted: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: set[str] = field(default_factory=set)
    attempts: int = 0

    async def send(self, paths: list[str], connections: int = CONNECTIONS) -> None:
        """Send a bounce to each return path; return once all are accepted."""
        shares = (paths[place::connections] for place in range(connections))
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for share in shares:
                group.create_task(self._send(share))
        assert self.accepted == set(paths)

    async def _send(self, paths: list[str]) -> None:
        left = list(paths)
        while left:
            try:
                async with connected(self.port, self.protocol) as peer:
                    while left:
                        self.attempts += 1
                        if not await self._is_accepted(peer, left[0]):
                            break
                        self.accepted.add(left.pop(0))
            except (OSError, AssertionError):
                pass  # the connection ended: what was not accepted is sent again
            await asyncio.sleep(_RETRY_S)

    async def _is_accepted(self, peer: MailServer, path: str) -> bool:
        [reply] = await peer.begin(path)
        if reply[:3] != "250":
            return False
        await self._halt("rcpt")
        assert (await peer.say("DATA"))[:3] == "354"
        half = len(GONE) // 2
        peer.writer.write(GONE[:half])
        await peer.writer.drain()
        await self._halt("content")
        return (await peer.say(GONE[half:] + b"."))[:3] == "250"

    async def _halt(self, place: Literal["rcpt", "content"]) -> None:
        if self.halts_at == place:
            self.halts_at = None
            self.halted.set()
            await self.released.wait()


async def hand_over(world: World, mails: int) -> list[str]:
    """Let the system mail a send, and return the return path of each mail."""
    world.relay()
    world.mailer(**SETTINGS)
    await world.send(mails - 1)
    await world.settled()
    return [mail.sender for mail in world.judge.accepted]


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def listener(
    world: World, port: int, protocol: Literal["smtp", "lmtp"] = "smtp", **settings: str
) -> Child:
    """Start a listener with the rights of the mailer."""
    given = {"RETURNS_LISTEN": f"{protocol}://127.0.0.1:{port}", "RETURNS_OPS_PORT": "0"}
    given |= SETTINGS | {"DATABASE_URL": world.dsn} | settings
    return world.start("mailer", ("services.mailer", "returns"), given)


def fill(maildir: Path, paths: list[str]) -> None:
    """Deliver a bounce of each mail into a Maildir, as a mail server does."""
    for name in ("tmp", "new", "cur"):
        (maildir / name).mkdir(parents=True)
    for number, path in enumerate(paths):
        begun = maildir / "tmp" / f"{number}.mail"
        begun.write_bytes(f"Delivered-To: {path}\n".encode() + GONE)
        begun.rename(maildir / "new" / begun.name)


async def each_counts_once(world: World, paths: list[str]) -> None:
    """Every bounce has its effect, once."""
    rows = await world.fetch(_COUNTED)
    assert len(rows) == len(paths)
    for row in rows:
        assert tuple(row)[1:] == ("bounced", 1, 1, 1, 1), row
    assert not await world.fetch("SELECT FROM returns WHERE delivery_id IS NULL")
