"""Takes in the mails of a Maildir that a mail server fills; each is deleted once it is stored."""

import asyncio
import heapq
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

import asyncpg
import structlog

from shared.db.postgres import CONFLICTS, UNAVAILABLE
from shared.mail.return_path import ReturnPaths
from shared.process.trouble import Trouble
from shared.returns import parts
from shared.returns.intake import Incoming, NotSettledYet
from shared.returns.noted_recipient import noted_recipient
from shared.returns.receiving import Receiver

#: Of one mail; its beginning is kept, as of a mail that comes over SMTP.
FILE_BYTES_MAX: Final = 25 * 1024 * 1024
#: Beside `new`: the files that are no mail that can be taken in. An operator looks at them.
ASIDE: Final = "aside"
_INTERVAL_S = 1.0
# Until a file is looked at again: its delivery is being handed over, its database or the folder is
# away, or too much came today.
_SETTLED_S, _AWAY_S, _ROOM_S = 5.0, 5.0, 600.0
# Errors of a database or of the folder, which say nothing about the mail.
_AWAY: tuple[type[Exception], ...] = (*UNAVAILABLE, *CONFLICTS, asyncpg.PostgresError)
_ROUND = 1000  # files, the oldest
_AT_ONCE = 8
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_log = structlog.get_logger("ledgerpost.returns")


class Unreadable(Exception):
    """A file that cannot be taken in; its words say why, without its name."""


class Gone(Exception):
    """A file that another process took in."""


class TooMany(Exception):
    """More mails came today than may be stored that match no delivery."""


class _Wait(NamedTuple):
    """Until when a file has to wait, by time.monotonic(), and the trouble because of which."""

    until: float
    trouble: Trouble | None


class Maildir:
    """A Maildir whose `new` is read, the oldest file first; several processes may read it.

    A file that was read twice is a copy, which changes nothing. `tmp` and `cur` are not read.
    """

    def __init__(
        self,
        path: Path,
        receiver: Receiver,
        paths: ReturnPaths,
        trouble: Trouble,
    ) -> None:
        """Create it; nothing is read before `run` or `step`."""
        self._new, self._aside = path / "new", path / ASIDE
        self._receiver = receiver
        self._paths = paths
        self._trouble = trouble
        self._full = Trouble("unmatched_mails_wait")
        self._waiting: dict[str, _Wait] = {}

    async def run(self) -> None:
        """Take in what comes, until it is cancelled."""
        while True:
            if not await self.step():
                await asyncio.sleep(_INTERVAL_S)

    async def step(self) -> bool:
        """Take in the oldest files; return whether there may be more to do at once.

        If the folder is away, the files stay for the next time. A file that has to wait is not
        among the oldest until its time comes, so that it holds up no other one.
        """
        try:
            names = await asyncio.to_thread(self._oldest)
        except OSError as error:
            self._trouble.met(error)
            return False
        for begin in range(0, len(names), _AT_ONCE):
            await asyncio.gather(*map(self._take, names[begin : begin + _AT_ONCE]))
        lasting = {each.trouble for each in self._waiting.values()}
        if self._trouble not in lasting:
            self._trouble.over()
        if self._full not in lasting:
            self._full.over()
        return len(names) == _ROUND

    def _oldest(self) -> list[str]:
        now = time.monotonic()
        waiting: dict[str, _Wait] = {}

        def ready() -> Iterator[tuple[int, str]]:
            for age, name in self._files():
                wait = self._waiting.get(name)
                if wait is not None and wait.until > now:
                    waiting[name] = wait
                else:
                    yield age, name

        oldest = [name for _, name in heapq.nsmallest(_ROUND, ready())]
        self._waiting = waiting
        return oldest

    def _files(self) -> Iterator[tuple[int, str]]:
        with os.scandir(self._new) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:  # another process took it in
                        continue
                    yield found.st_mtime_ns, entry.name

    async def _take(self, name: str) -> None:
        """Take in one file or set it aside; it waits if neither is possible at this moment."""
        file = self._new / name
        try:
            reason = await self._stored(file)
            if reason is not None:
                await asyncio.to_thread(self._set_aside, file)
                _log.warning("maildir_file_set_aside", reason=reason)
        except _AWAY as error:
            self._wait(name, _AWAY_S, self._trouble)
            self._trouble.met(error)

    async def _stored(self, file: Path) -> str | None:
        """Store a mail and delete its file, or let the file wait.

        Return None, or why the file has to be set aside. Raises an error of `_AWAY`.
        """
        try:
            raw, size = await asyncio.to_thread(_content, file)
            await self._store(file, raw, size)
        except Gone:
            return None
        except Unreadable as error:
            return str(error)
        except _AWAY:
            raise
        except Exception as error:  # noqa: BLE001 -- the same mail would meet it at each attempt
            return f"an error of Ledgerpost: {type(error).__name__}"
        return None

    async def _store(self, file: Path, raw: bytes, size: int) -> None:
        """Store one mail, and delete its file after the commit."""
        recipient = noted_recipient(raw, self._paths, is_unsigned_read=True)
        incoming = Incoming(raw, "maildir", recipient, size=size)
        place = await self._receiver.find(self._receiver.named(recipient))
        if place.match is None and not await self._receiver.has_room(incoming):
            self._wait(file.name, _ROOM_S, self._full)
            self._full.met(TooMany())
            return
        if place.match is not None and place.match.is_full:
            await asyncio.to_thread(file.unlink, missing_ok=True)
            _log.warning("maildir_file_deleted", delivery_id=str(place.match.delivery_id))
            return
        try:
            await self._receiver.receive(incoming, place)
        except NotSettledYet:
            self._wait(file.name, _SETTLED_S)
            return
        await asyncio.to_thread(file.unlink, missing_ok=True)

    def _wait(self, name: str, seconds: float, trouble: Trouble | None = None) -> None:
        self._waiting[name] = _Wait(time.monotonic() + seconds, trouble)

    def _set_aside(self, file: Path) -> None:
        self._aside.mkdir(mode=0o700, exist_ok=True)
        target = self._aside / file.name
        if os.path.lexists(target):
            target = self._aside / f"{file.name}.{uuid4().hex}"
        with suppress(FileNotFoundError):  # another process did it
            file.rename(target)


def _content(file: Path) -> tuple[bytes, int]:
    """Return the beginning of a file and its size. Raises Gone or Unreadable."""
    try:
        # A device is not even opened: that alone may have an effect.
        if not stat.S_ISREG(file.lstat().st_mode):
            raise Unreadable("it is no regular file")
        number = os.open(file, _FLAGS)
    except FileNotFoundError:
        raise Gone from None
    except OSError as error:
        raise Unreadable(error.strerror or "it cannot be opened") from None
    with os.fdopen(number, "rb") as opened:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("it is no regular file")
        if not found.st_size:
            raise Unreadable("it is empty")
        if found.st_size > FILE_BYTES_MAX:
            raise Unreadable(f"it has more than {FILE_BYTES_MAX} bytes")
        try:
            return opened.read(parts.BYTES_MAX), found.st_size
        except OSError as error:
            raise Unreadable(error.strerror or "it cannot be read") from None
