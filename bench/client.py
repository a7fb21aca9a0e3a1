"""A minimal HTTP client that keeps its connection."""

import json
import socket
import statistics
import threading
import time
from collections.abc import Callable

from bench.servers import Served

_LAST_CHUNK = b"0\r\n\r\n"


class Client:
    """One HTTP/1.1 connection."""

    def __init__(self, served: Served) -> None:
        self._socket = socket.create_connection(("127.0.0.1", served.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._key = served.key

    def _receive(self) -> bytes:
        piece = self._socket.recv(1 << 18)
        if not piece:
            raise RuntimeError("the server closed the connection")
        return piece

    def get(self, path: str, *headers: str) -> tuple[bytes, bytes]:
        """Return the head of the answer and its raw body (chunked as it came)."""
        return self._ask("GET", path, *headers)

    def post(self, path: str, body: object = None) -> bytes:
        """Return the body of the answer to a POST, with a body as JSON or with none."""
        if body is None:
            return self._ask("POST", path, "Content-Length: 0")[1]
        data = json.dumps(body).encode()
        headers = ("Content-Type: application/json", f"Content-Length: {len(data)}")
        return self._ask("POST", path, *headers, body=data)[1]

    def _ask(self, method: str, path: str, *headers: str, body: bytes = b"") -> tuple[bytes, bytes]:
        lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {self._key}"]
        self._socket.sendall("\r\n".join([*lines, *headers, "", ""]).encode() + body)
        parts = [self._receive()]
        while b"\r\n\r\n" not in parts[0]:
            parts[0] += self._receive()
        head, _, first = parts[0].partition(b"\r\n\r\n")
        lower = head.lower()
        if b" 304 " in head[:20]:
            return head, b""
        if b" 20" not in head[:20]:
            raise RuntimeError(head.decode() + first.decode())
        parts = [first]
        if b"transfer-encoding: chunked" in lower:
            while not _is_whole(b"".join(parts[-3:])):
                parts.append(self._receive())
            return head, b"".join(parts)
        left = int(lower.split(b"content-length:")[1].split()[0]) - len(first)
        while left > 0:
            parts.append(self._receive())
            left -= len(parts[-1])
        return head, b"".join(parts)


def _is_whole(end: bytes) -> bool:
    """Return whether a chunked body ends here. The end of a line of CSV may look nearly so."""
    return end == _LAST_CHUNK or end.endswith(b"\r\n" + _LAST_CHUNK)


def unchunked(body: bytes) -> bytes:
    """Return a chunked body in one piece."""
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        pieces.append(body[:length])
        body = body[length + 2 :]
        if not length:
            break
    return b"".join(pieces)


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rate(
    served: Served, path: str, *headers: str, connections: int = 4, lasting: float = 1.5
) -> float:
    """Return the rate of GETs of one path, over several connections."""
    return rate_of(served, lambda client, _: client.get(path, *headers), connections, lasting)


def rate_of(
    served: Served, ask: Callable[[Client, int], object], connections: int, lasting: float
) -> float:
    """Return the rate of `ask`, which is called with a new number each time."""
    counts: list[int] = []
    until = time.perf_counter() + lasting

    def repeat(number: int) -> None:
        client, count = Client(served), 0
        while time.perf_counter() < until:
            ask(client, number + count * connections)
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=repeat, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / lasting


def in_turn(rounds: int, **works: Callable[[], float]) -> dict[str, float]:
    """Measure each in turn, for several rounds, and return the medians."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return {name: statistics.median(values) for name, values in found.items()}
