"""A rendering process that was taken over: what it may still do, and what its parent believes."""

import asyncio
import json
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from struct import pack
from uuid import UUID

import pytest

from shared.mail.mailbox import Mailbox
from shared.rendering import pool
from shared.rendering.frames import BODY_OCTETS_MAX, RenderingError, RenderRequest
from shared.rendering.pool import NoRenderProcess, RenderPool
from shared.statements.decoding import StatementError
from tests.shared.mail.signed import key
from tests.shared.statements.snapshots import frozen, snapshot

_REQUEST = RenderRequest(
    frozen(snapshot()).decode(),
    None,
    UUID(int=1),
    Mailbox.parse("Ledgerpost <post@ledgerpost.example>"),
    datetime(2024, 12, 1, tzinfo=UTC),
)
_NOBODY = 65534


class _Attack:
    """Runs a command in whichever process unpickles it."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self._command,)


def frame(head: bytes, body: bytes = b"") -> bytes:
    return pack("!II", len(head), len(body)) + head + body


def answers(marker: Path) -> dict[str, bytes]:
    code = pickle.dumps(_Attack(f"touch {marker}"))
    return {
        "pickle": pack("!I", len(code)) + code,
        "pickle-as-head": frame(code),
        "pickle-as-body": frame(b'{"kind": "message"}', code),
        "garbage": b"\xff\x00" * 4096,
        "huge-head": pack("!II", 2**32 - 1, 0),
        "huge-body": pack("!II", 2, BODY_OCTETS_MAX + 1) + b"{}",
        "nested": frame(b"[" * 20_000),
        "no-object": frame(b"[]"),
        "no-headers": frame(b'{"kind": "message"}'),
        "headers-not-ascii": frame(b'{"kind": "message", "headers": "\\u00fc"}'),
        "unknown-error": frame(b'{"kind": "os", "reason": "x"}'),
        "two-more-than-asked": frame(b'{"kind": "ready", "remarks": []}') * 2,
        "half-a-frame": frame(b'{"kind": "message", "headers": ""}', b"body")[:-1],
    }


def program(before: bytes, after: bytes) -> tuple[str, str]:
    """A process that writes `before` at its start and `after` at its first request."""
    code = f"""
import os
os.write(1, {before!r})
os.read(0, 1)
os.write(1, {after!r})
"""
    return "-c", code


@pytest.mark.parametrize("kind", list(answers(Path("x"))))
async def test_nothing_that_it_answers_is_run_or_believed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "taken-over"
    ready = frame(b'{"kind": "ready", "remarks": []}')
    hostile = program(ready, answers(marker)[kind])
    monkeypatch.setattr(pool, "_PROGRAM", hostile)
    async with RenderPool(1, pdf=False) as opened:
        with pytest.raises(RenderingError):
            await opened.message(_REQUEST)
    assert not marker.exists()


@pytest.mark.parametrize("kind", ["pickle", "huge-head", "no-object", "no-headers"])
async def test_one_that_starts_so_does_not_start(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "taken-over"
    hostile = program(answers(marker)[kind], b"")
    monkeypatch.setattr(pool, "_PROGRAM", hostile)
    with pytest.raises(NoRenderProcess):
        async with RenderPool(1, pdf=False):
            pass
    assert not marker.exists()


async def test_its_words_cannot_spoil_a_row_or_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.dumps({"kind": "statement", "reason": "a\0b\n\ud800\x1b[2K" + "x" * 100_000})
    ready = frame(b'{"kind": "ready", "remarks": []}')
    hostile = program(ready, frame(said.encode()))
    monkeypatch.setattr(pool, "_PROGRAM", hostile)
    async with RenderPool(1, pdf=False) as opened:
        with pytest.raises(StatementError) as caught:
            await opened.message(_REQUEST)
    assert str(caught.value).startswith("a b [2Kx")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 10_000


# Tried from within, where hostile text is handled; what comes of it goes back as an error.
_TRIED = """
import ctypes, json, os, signal, socket, subprocess, sys, threading
from pathlib import Path
from shared.rendering import worker
from shared.statements.decoding import StatementError
from shared.statements.render import Renderer
libc = ctypes.CDLL(None, use_errno=True)
mailer = os.getppid()

def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")

tries = {
    "its environment": lambda: Path(f"/proc/{mailer}/environ").read_bytes(),
    "its memory": lambda: open(f"/proc/{mailer}/mem", "rb"),
    "its memory, by call": lambda: called(libc.process_vm_readv(mailer, None, 0, None, 0, 0)),
    "tracing it": lambda: called(libc.ptrace(16, mailer, None, None)),
    "a signal to it": lambda: os.kill(mailer, 0),
    "its limits": lambda: called(libc.prlimit(mailer, 0, None, None)),
    "a secret in a file": lambda: Path(SECRET).read_text(),
    "the mode of it": lambda: os.chmod(SECRET, 0o777),
    "a list of files": lambda: os.listdir("/tmp"),
    "another file": lambda: Path(SECRET + ".new").write_text("x"),
    "a connection": lambda: socket.create_connection(("127.0.0.1", PORT), timeout=5),
    "a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "a local socket": lambda: socket.socket(socket.AF_UNIX),
    "a process": lambda: os.fork() or os._exit(0),
    "a program": lambda: subprocess.run(["/bin/true"], check=True),
    "new rights": lambda: called(libc.unshare(0x10000000)),
    "io_uring": lambda: called(libc.syscall(425, 1, None)),
    "much memory": lambda: bytearray(2 * 1024**3),
}
def thread():
    made = threading.Thread(target=id, args=[0])
    made.start()
    made.join()

needs = {
    "a thread": thread,
    "a time zone": lambda: __import__("zoneinfo").ZoneInfo("Africa/Accra").key,
    "a program of Python": lambda: __import__("decimal"),
}

def outcome(what):
    try:
        what()
    except (OSError, MemoryError, RuntimeError):
        return False
    return True

def told(self, content, message, **_):
    worked = [name for name, what in (tries | needs).items() if outcome(what)]
    raise StatementError(json.dumps(worked))

Renderer.render = told
worker.serve(pdf="--pdf" in sys.argv)
"""


async def test_it_has_no_rights_but_to_read_programs_and_to_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://user:secret@host/database")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tried = _TRIED.replace("SECRET", repr(str(secret))).replace("PORT", str(port))
    monkeypatch.setattr(pool, "_PROGRAM", ("-c", tried))
    async with server, RenderPool(1, pdf=True) as opened:
        with pytest.raises(StatementError) as caught:
            await opened.message(_REQUEST)
    assert json.loads(str(caught.value)) == [
        "a thread",
        "a time zone",
        "a program of Python",
    ], "what worked"


_KEYS_TRIED = """
import os, sys
from pathlib import Path
from shared.rendering import worker
from shared.statements.decoding import StatementError
from shared.statements.render import Renderer

def told(self, content, message, **_):
    found = [name for name, value in os.environ.items() if "PRIVATE" in value or "DKIM" in name]
    try:
        found.append(Path(SECRET).read_text())
    except OSError as error:
        found.append(error.strerror)
    raise StatementError(" ".join(found))

Renderer.render = told
worker.serve(pdf=False)
"""


@pytest.mark.parametrize("setting", ["DKIM_KEYS", "DKIM_KEYS_FILE"])
async def test_it_has_neither_the_keys_that_sign_nor_the_right_to_read_them(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = key("a", "ed25519")
    file = tmp_path / "dkim"
    file.write_text(made.text)
    monkeypatch.setenv(setting, made.text if setting == "DKIM_KEYS" else str(file))
    monkeypatch.setattr(pool, "_PROGRAM", ("-c", _KEYS_TRIED.replace("SECRET", repr(str(file)))))
    async with RenderPool(1, pdf=False) as opened:
        with pytest.raises(StatementError) as caught:
            await opened.message(_REQUEST)
    assert str(caught.value) == "Permission denied"


# As a service would run: not as root, and after exec, which makes every process visible again.
_HIDDEN = """
import ctypes, os, sys, time
from shared.rendering import confinement
if os.getuid() == 0:
    os.setuid(NOBODY)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
if "hide" in sys.argv:
    confinement.hide()
print("ready", flush=True)
time.sleep(60)
""".replace("NOBODY", str(_NOBODY))


@pytest.mark.parametrize("argument", ["hide", "show"])
def test_a_hidden_process_shows_its_environment_to_nobody_else(argument: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HIDDEN, argument],
        stdout=subprocess.PIPE,
        env=os.environ | {"DATABASE_URL": "postgresql://user:secret@host/database"},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            looked = subprocess.run(
                ["/bin/cat", f"/proc/{process.pid}/environ"],
                user=_NOBODY if os.getuid() == 0 else None,
                capture_output=True,
                check=False,
            )
        finally:
            process.kill()
    assert (b"secret" in looked.stdout) == (argument == "show")


def test_the_mailer_hides_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings = {
            "DATABASE_URL": f"postgresql://user:secret@127.0.0.1:{port}/database",
            "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{port}/",
            "SMTP_URL": f"smtp://127.0.0.1:{port}",
            "MAIL_FROM": "post@ledgerpost.example",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "services.mailer", "run"],
            env=os.environ | settings,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        ) as mailer:
            silent.settimeout(180)
            try:
                silent.accept()  # it is past its start
                status = Path(f"/proc/{mailer.pid}/status").read_text()
            finally:
                mailer.kill()
    assert "NoNewPrivs:\t1" in status
