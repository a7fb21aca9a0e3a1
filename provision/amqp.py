import socket

_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"


def answers(port: int) -> bool:
    """Whether a broker on this port of 127.0.0.1 offers to open an AMQP 0-9-1 connection."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(_HEADER)
            return connection.recv(1) == _METHOD_FRAME
    except OSError:
        return False
