"""A host whose first address drops all packets, and whose second one answers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

NAME = "half-there.test"


@contextmanager
def half_there(patch: pytest.MonkeyPatch, port: int) -> Iterator[None]:
    """Let NAME resolve to 127.0.0.3, which answers no SYN on `port`, and then to 127.0.0.1."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, *rest: Any, **options: Any) -> Any:
        if host != NAME:
            return resolve(host, *rest, **options)
        return [
            found
            for address in ("127.0.0.3", "127.0.0.1")
            for found in resolve(address, *rest, **options)
        ]

    with ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deaf.bind(("127.0.0.3", port))
        deaf.listen(0)
        for _ in range(2):  # Linux keeps one more than the backlog says
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(("127.0.0.3", port))
        stack.enter_context(patch.context()).setattr(socket, "getaddrinfo", resolved)
        yield
