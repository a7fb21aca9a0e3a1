"""The lists and single rows of one business beside slow readers of another's list."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from bench import servers
from bench.client import Client
from bench.servers import FIELDS, Served

_TRIES = 50
_DATES = "2023-01-01/2023-12-31"


def run(dsn: str, key: str, other: str, customers: int) -> list[str]:
    """Measure the lists and single rows of another business beside five slow readers of one key."""
    lines = [
        (
            f"Another business's reports, {_TRIES} of each, alone and beside five readers of 1 KiB a"
            f" second of one key's list of {customers:,} customers; milliseconds."
        ),
        "",
        "| | alone, median | most | beside them, median | most | refused |",
        "|---|---|---|---|---|---|",
    ]
    with servers.product(dsn, key) as api:
        for name, path in (
            ("list", f"{FIELDS}/{_DATES}"),
            ("one customer", f"{FIELDS}/client/1/{_DATES}"),
        ):
            alone, _ = _times(api, other, path)
            with _slow(api, 5):
                beside, refused = _times(api, other, path)
            figures = (
                f"{median(alone):.0f} | {max(alone):.0f} | {median(beside):.0f} | {max(beside):.0f}"
            )
            lines.append(f"| {name} | {figures} | {refused} |")
    return lines


def _times(api: Served, key: str, path: str) -> tuple[list[float], int]:
    took, refused = [], 0
    for _ in range(_TRIES):
        client = Client(Served(api.port, key, api.pid))
        begun = time.perf_counter()
        try:
            client.get(path)
        except RuntimeError:
            refused += 1
        took.append((time.perf_counter() - begun) * 1000)
    return took, refused


@contextmanager
def _slow(api: Served, readers: int) -> Iterator[None]:
    """Read a list at 1 KiB per second on several connections, again when cut off."""
    over = threading.Event()

    def drip() -> None:
        while not over.is_set():
            with socket.socket() as opened:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                opened.connect(("127.0.0.1", api.port))
                opened.sendall(
                    f"GET {FIELDS}/{_DATES} HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode()
                )
                _until(over, lambda opened=opened: opened.recv(1024))

    with ExitStack() as stack:
        for _ in range(readers):
            thread = threading.Thread(target=drip)
            thread.start()
            stack.callback(thread.join)
        stack.callback(over.set)
        time.sleep(2)
        yield


def _until(over: threading.Event, read: Callable[[], bytes]) -> None:
    try:
        while not over.wait(1) and read():
            continue
    except OSError:
        return
