import random
import socket

# Below 32768, where Linux begins to hand out ephemeral ports to clients.
_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether the port of 127.0.0.1 is free."""
    with socket.socket() as probe:
        # Remaining connections of a server that was just killed do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return distinct free ports of 127.0.0.1; random, so that concurrent calls differ."""
    found: list[int] = []
    for port in random.sample(_RANGE, len(_RANGE)):
        if len(found) == count:
            return found
        if is_free(port):
            found.append(port)
    raise OSError(f"no {count} free ports between {_RANGE.start} and {_RANGE.stop}")
