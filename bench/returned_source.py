"""`python -m bench.returned_source PORT CONNECTIONS PATHS MAIL`: sends a mail to each return path."""

import json
import socket
import sys
import threading
from pathlib import Path


def main(port: int, connections: int, paths: list[str], mail: bytes) -> None:
    """Send the mail to each return path over some connections, one after another on each."""
    threads = [
        threading.Thread(target=_send, args=(port, paths[place::connections], mail))
        for place in range(connections)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _send(port: int, paths: list[str], mail: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as peer, peer.makefile("rb") as replies:
        _expect(replies.readline(), b"2")
        peer.sendall(b"EHLO mx.client.example\r\n")
        while replies.readline()[3:4] == b"-":
            pass
        for path in paths:
            for line in (
                b"MAIL FROM:<>",
                b"RCPT TO:<" + path.encode() + b">",
                b"DATA",
                mail + b".",
            ):
                peer.sendall(line + b"\r\n")
                _expect(replies.readline(), b"3" if line == b"DATA" else b"2")


def _expect(reply: bytes, kind: bytes) -> None:
    if reply[:1] != kind:
        raise ConnectionError(reply.decode())


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]), int(given[1]), json.loads(Path(given[2]).read_text()),
        Path(given[3]).read_bytes(),
    )  # fmt: skip
